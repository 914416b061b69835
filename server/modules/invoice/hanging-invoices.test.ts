import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import type { OpenInvoices } from '../../../contract/operator/invoice.ts'
import type { InvoicePort } from '../../channels/ports.ts'
import type { Actor, Edge } from '../../kernel/context.ts'
import { anApprovedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { invoicesOf, issuedBySandbox } from '../../testing/invoicing.ts'
import { merchants, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { refundStage } from '../../testing/refunding.ts'
import { encodeId } from '../../../contract/ids.ts'
import { issueOrder } from '../issuance/issue-order.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { driveInvoice } from './drive-invoice.ts'
import { invoiceEndpoints } from './endpoints.ts'
import { requestInvoice } from './request-invoice.ts'
import { reverseInvoices } from './reverse-invoices.ts'

const buyer = { title: '青禾制造有限公司', taxNumber: '9144030071526726XG', email: null }
const operator: Actor = { kind: 'operator', operatorId: encodeId('operator', 1n), roles: ['finance'] }
const HOUR_MS = 3_600_000

let world: PayWorld
let port: InvoicePort
beforeAll(async () => {
  world = await startPayWorld()
  port = await invoicesOf(world)
})
afterAll(() => world.sandbox.close())

onBothDatabases('invoices that hang', (database) => {
  let house: PayHouse
  let company: TestCompany
  const stage = refundStage(
    database,
    () => world,
    () => house,
    () => company,
  )
  beforeEach(async () => {
    house = await servePayHouse(database, world, invoiceEndpoints)
    company = await aCompany(database, { walletFen: 1_000_000 })
  })
  afterEach(async () => {
    world.shiftMs = 0
    await house.close()
  })

  const edge = (): Edge => ({ ...house.edge(), ports: { ...house.ports, invoice: port } })
  /** An issued order of two cards, 500 yuan each, paid from the wallet. */
  async function anOrder(): Promise<Id<'order'>> {
    const personIds = await somePeople(database, company.id, [{ name: '甲' }, { name: '乙' }])
    const { orderId } = await anApprovedCampaign(database, company, personIds, { wechatPay: merchants[0] })
    await stage.pay(orderId, { wallet: 100_000 })
    await issueOrder(house.edge(), orderId)
    return orderId
  }
  const ask = (orderId: Id<'order'>): Promise<Id<'invoice'>> =>
    house
      .edge(company.as('finance'))
      .tx((tx) => requestInvoice(tx, { orderId, kind: 'ordinary', buyer, byDepartment: false }))
  const fault = (kind: string) => world.ctl('invoices/faults', { kind })
  const list = async (which: 'person' | 'open' = 'person') =>
    ((await house.call(operator, 'GET', `/operator/invoices?which=${which}`)).body as unknown as OpenInvoices).invoices
  const decide = async (id: string, decision: 'retry' | 'withdraw') => {
    const { status, body } = await house.call(operator, 'POST', `/operator/invoices/${id}/decide`, { decision })
    return status === 200 ? body['state'] : body['code']
  }
  const stateOf = async (id: string) =>
    (await stage.read<{ state: string }>('select state from invoice where id = ?', [id]))[0]?.state

  test('a refused one is listed with its reason, and asked for again under its number', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId)
    await fault('refuse_title')
    await driveInvoice(edge(), id)
    expect(await list()).toMatchObject([
      {
        id,
        orderId,
        title: buyer.title,
        fen: 100_000,
        state: 'rejected',
        reason: 'TITLE_REFUSED',
        calls: 1,
        decisions: ['retry', 'withdraw'],
      },
    ])
    expect(await decide(id, 'retry')).toBe('requested')
    expect(await list()).toEqual([])
    await driveInvoice(edge(), id)
    expect(await stateOf(id)).toBe('issued')
    expect(await issuedBySandbox(world, [id])).toHaveLength(1)
    expect(await decide(id, 'retry')).toBe('state_conflict')
    const acts = await stage.read<{ act: string; actor: string }>(
      "select act, actor from trail where object_id = ? and act = 'invoice.decided'",
      [id],
    )
    expect(acts).toEqual([{ act: 'invoice.decided', actor: encodeId('operator', 1n) }])
  })

  test('a refusal that the company answered by a new request is nobody’s any more; nor one that was withdrawn', async () => {
    const orderId = await anOrder()
    const first = await ask(orderId)
    await fault('refuse_title')
    await driveInvoice(edge(), first)
    const second = await ask(orderId)
    expect(await list()).toEqual([])
    expect(await decide(first, 'retry')).toBe('invoice_over_paid')
    await fault('refuse_title')
    await driveInvoice(edge(), second)
    expect((await list()).map((one) => one.id)).toEqual([second])
    expect(await decide(second, 'withdraw')).toBe('rejected')
    expect(await list()).toEqual([])
    expect(await decide(second, 'retry')).toBe('state_conflict')
  })

  test('what has not moved for an hour is listed; a request can be withdrawn, and its money is open again', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId)
    expect([(await list()).length, (await list('open')).length]).toEqual([0, 1])
    world.shiftMs += HOUR_MS + 1000
    expect(await list()).toMatchObject([{ id, state: 'requested', calls: 0 }])
    expect(await decide(id, 'withdraw')).toBe('rejected')
    expect(await list('open')).toEqual([])
    const again = await ask(orderId)
    await fault('fail_before')
    await expect(driveInvoice(edge(), again)).rejects.toMatchObject({ outcome: 'unknown' })
    world.shiftMs += HOUR_MS + 1000
    expect(await list()).toMatchObject([{ id: again, state: 'issuing', decisions: ['retry'] }])
    expect(await decide(again, 'withdraw')).toBe('state_conflict')
    expect(await decide(again, 'retry')).toBe('issuing')
    await driveInvoice(edge(), again)
    expect(await stateOf(again)).toBe('issued')
  })

  test('a refused reversal begins anew; after a refund what remains is invoiced again', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId)
    await driveInvoice(edge(), id)
    const [card] = await stage.cardsOf(orderId)
    await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: [card!] }))
    await stage.work()
    await house.edge().tx((tx) => reverseInvoices(tx, orderId))
    await fault('refuse_reversal')
    await driveInvoice(edge(), id)
    expect(await list()).toMatchObject([{ id, state: 'issued', reason: 'REVERSAL_REFUSED', decisions: ['retry'] }])
    expect(await decide(id, 'retry')).toBe('reversing')
    await driveInvoice(edge(), id)
    expect(await stateOf(id)).toBe('red')
    const [, rest] = await stage.read<{ state: string; amount: unknown }>(
      'select state, amount_fen as amount from invoice order by id',
    )
    expect([rest?.state, Number(rest?.amount)]).toEqual(['requested', 50_000])
  })
})

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import exceljs from 'exceljs'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { InvoicePort } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { anApprovedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { invoicesOf, issuedBySandbox } from '../../testing/invoicing.ts'
import { merchants, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { dyingAt, refundStage } from '../../testing/refunding.ts'
import { issueOrder } from '../issuance/issue-order.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { driveInvoice } from './drive-invoice.ts'
import { invoiceEndpoints } from './endpoints.ts'
import { requestInvoice } from './request-invoice.ts'
import { reverseInvoices } from './reverse-invoices.ts'

const buyer = { title: '青禾制造有限公司', taxNumber: '9144030071526726XG', email: null }

let world: PayWorld
let port: InvoicePort
beforeAll(async () => {
  world = await startPayWorld()
  port = await invoicesOf(world)
})
afterAll(() => world.sandbox.close())

onBothDatabases('invoices', (database) => {
  let house: PayHouse
  let company: TestCompany
  let keys = 0
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
  afterEach(() => house.close())

  const edge = (ports = port): Edge => ({ ...house.edge(), ports: { ...house.ports, invoice: ports } })
  const finance = () => company.as('finance')
  const states = (): Promise<{ id: Id<'invoice'>; state: string; amount: unknown; reason: string | null }[]> =>
    stage.read('select id, state, amount_fen as amount, reason from invoice order by id')
  const inShort = async () => (await states()).map(({ state, amount }) => `${state} ${Number(amount)}`)

  /** An issued order of three people, 500 yuan each, two in 行政部 and one without a department; paid from the wallet. */
  async function anOrder(): Promise<Id<'order'>> {
    const people = [
      { name: '甲', department: '行政部' },
      { name: '乙', department: '=行政部' },
      { name: '丙', department: '行政部' },
    ]
    const personIds = await somePeople(database, company.id, people)
    const { orderId } = await anApprovedCampaign(database, company, personIds, { wechatPay: merchants[0] })
    await stage.pay(orderId, { wallet: 150_000 })
    await issueOrder(house.edge(), orderId)
    return orderId
  }
  const ask = (orderId: Id<'order'>, amount?: number, byDepartment = false): Promise<Id<'invoice'>> =>
    house.edge(finance()).tx((tx) =>
      requestInvoice(tx, {
        orderId,
        kind: 'ordinary',
        buyer,
        amount: amount === undefined ? undefined : fen(amount),
        byDepartment,
      }),
    )
  /** Works the jobs of invoices that are due within an hour, as a worker does. */
  async function work(on: Edge = edge()): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      const [job] = await stage.read<{ id: string; kind: string; args: string }>(
        "select id, kind, args from job where kind like 'invoice.%' and state = 'ready' order by ready_at_ms, id limit 1",
      )
      if (!job) return
      const args = JSON.parse(job.args) as { invoiceId: Id<'invoice'>; orderId: Id<'order'> }
      if (job.kind === 'invoice.reverse') await on.tx((tx) => reverseInvoices(tx, args.orderId))
      else await driveInvoice(on, args.invoiceId)
      await stage.set("update job set state = 'done' where id = ?", [job.id])
    }
    throw new Error('the jobs of invoices do not end')
  }
  async function refundCards(orderId: Id<'order'>, count: number): Promise<void> {
    const cardIds = (await stage.cardsOf(orderId)).slice(0, count)
    await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
    await stage.work()
  }

  test('an invoice by department: previewed, asked for, issued, with the line that the rule wants', async () => {
    const orderId = await anOrder()
    const preview = await house.call(finance(), 'GET', `/hr/orders/${orderId}/invoice-preview?byDepartment=true`)
    expect(preview.body).toEqual({
      paidFen: 150_000,
      openFen: 150_000,
      fen: 150_000,
      lines: [
        { department: '=行政部', fen: 50_000 },
        { department: '行政部', fen: 100_000 },
      ],
    })
    const wish = { ...buyer, taxNumber: '9144 0300 7152 6726xg', byDepartment: true }
    const path = `/hr/orders/${orderId}/invoices`
    const made = await house.call(finance(), 'POST', path, wish, 'a')
    const again = await house.call(finance(), 'POST', path, wish, 'a')
    expect([made.status, again.body['id']]).toEqual([200, made.body['id']])
    expect((await house.call(finance(), 'POST', path, { ...wish, title: '别家' }, 'a')).body['code']).toBe(
      'idempotency_conflict',
    )
    await work()
    const id = String(made.body['id'])
    const shown = await house.call(finance(), 'GET', `/hr/invoices/${id}`)
    expect(shown.body).toMatchObject({ state: 'issued', fen: 150_000, ...buyer, providerNumber: expect.any(String) })
    expect(await issuedBySandbox(world, [id])).toMatchObject([
      {
        title: buyer.title,
        taxNumber: buyer.taxNumber,
        amountFen: 150_000,
        lines: [
          { name: '预付卡销售和充值', code: '601', rate: '不征税', remark: '=行政部', amountFen: 50_000 },
          { remark: '行政部', amountFen: 100_000 },
        ],
      },
    ])
    const kept = await stage.read<{ input: string }>("select input from once_key where scope like 'invoice:%'")
    expect(kept.map((row) => row.input).join()).not.toMatch(/青禾|9144/)
  })

  test('what is refused: a special VAT invoice, a wrong tax number, too much, an unpaid order, strangers and roles', async () => {
    const orderId = await anOrder()
    const path = `/hr/orders/${orderId}/invoices`
    const code = async (body: object, who = finance(), at = path) =>
      (await house.call(who, 'POST', at, { ...buyer, ...body }, `k${(keys += 1)}`)).body['code']
    expect(await code({ kind: 'special' })).toBe('invoice_kind_refused')
    expect(await code({ taxNumber: '9144030071526726XH' })).toBe('tax_number_wrong')
    expect(await code({ amountFen: 150_001 })).toBe('invoice_over_paid')
    expect(await code({}, company.as('hr'))).toBe('forbidden')
    const other = await aCompany(database)
    expect(await code({}, other.as('finance'))).toBe('not_found')
    const unpaid = await anApprovedCampaign(
      database,
      company,
      await somePeople(database, company.id, [{ name: '丁' }]),
      { issuerPrefix: '6299' },
    )
    expect(await code({}, finance(), `/hr/orders/${unpaid.orderId}/invoices`)).toBe('state_conflict')
    await ask(orderId, 100_000)
    expect(await code({ amountFen: 50_001 })).toBe('invoice_over_paid')
    expect(await states()).toHaveLength(1)
    await work()
    const [one] = await states()
    for (const [method, at] of [
      ['GET', `/hr/invoices/${one!.id}`],
      ['GET', `/hr/invoices/${one!.id}/pdf`],
      ['POST', `/hr/invoices/${one!.id}/reverse`],
    ] as const)
      expect((await house.call(other.as('finance'), method, at)).status).toBe(404)
  })

  test('requests at once never pass what was paid', async () => {
    const orderId = await anOrder()
    const asked = await Promise.allSettled([1, 2, 3, 4].map(() => ask(orderId, 50_000)))
    expect(asked.filter((one) => one.status === 'fulfilled')).toHaveLength(3)
    await work()
    expect(await inShort()).toEqual(['issued 50000', 'issued 50000', 'issued 50000'])
  })

  test('an unknown outcome is asked about before it is repeated, and a stop at every step leaves one invoice', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId)
    await world.ctl('invoices/faults', { kind: 'fail_after' })
    await expect(driveInvoice(edge(), id)).rejects.toMatchObject({ outcome: 'unknown' })
    expect(await inShort()).toEqual(['issuing 150000'])
    let issues = 0
    const counted: InvoicePort = { ...port, issue: (body) => ((issues += 1), port.issue(body)) }
    for (const stop of [1, 2]) await expect(driveInvoice(dyingAt(edge(counted), stop), id)).rejects.toThrow('killed')
    await driveInvoice(edge(counted), id)
    expect([await inShort(), issues]).toEqual([['issued 150000'], 0])
    expect(await issuedBySandbox(world, [id])).toHaveLength(1)
    await work()
  })

  test('nothing arrived: the same body goes again; slow and busy services are waited for', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId)
    await world.ctl('invoices/faults', { kind: 'fail_before' })
    await expect(driveInvoice(edge(), id)).rejects.toMatchObject({ outcome: 'unknown' })
    await world.ctl('invoices/faults', { kind: 'busy' })
    await expect(driveInvoice(edge(), id)).rejects.toMatchObject({ outcome: 'busy' })
    await world.ctl('invoices/faults', { kind: 'slow', delayMs: 400 })
    const hasty = await invoicesOf(world, { timeoutMs: 100 })
    await expect(driveInvoice(edge(hasty), id)).rejects.toMatchObject({ outcome: 'unknown', code: 'TIMEOUT' })
    await world.ctl('invoices/faults', { kind: 'processing' })
    await driveInvoice(edge(), id)
    await work()
    expect(await inShort()).toEqual(['issued 150000'])
  })

  test('a refused title leaves the money open for another request', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId)
    await world.ctl('invoices/faults', { kind: 'refuse_title' })
    await work()
    expect(await states()).toMatchObject([{ id, state: 'rejected', reason: 'TITLE_REFUSED' }])
    await ask(orderId)
    await work()
    expect(await inShort()).toEqual(['rejected 150000', 'issued 150000'])
  })

  test('a refund reverses the whole invoice and issues what remains anew, by department', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId, undefined, true)
    await work()
    await refundCards(orderId, 1)
    await world.ctl('invoices/faults', { kind: 'fail_after' })
    await expect(work()).rejects.toMatchObject({ outcome: 'unknown' })
    await work()
    expect(await inShort()).toEqual(['red 150000', 'issued 100000'])
    const documents = await issuedBySandbox(
      world,
      (await states()).map((one) => one.id),
    )
    expect(documents.map((one) => one.amountFen)).toEqual([150_000, -150_000, 100_000])
    expect(documents.map((one) => one.reverses)).toEqual([null, id, null])
    expect(documents[2]?.lines.map((line) => line.amountFen)).toEqual([33_333, 66_667])
    const cardIds = (await stage.cardsOf(orderId)).slice(1)
    await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds }))
    await stage.work()
    await work()
    expect(await inShort()).toEqual(['red 150000', 'red 100000'])
  })

  test('a stop at every step of a reversal leaves one red-letter invoice and one for the rest', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId)
    await work()
    await refundCards(orderId, 1)
    await house.edge().tx((tx) => reverseInvoices(tx, orderId))
    for (const stop of [1, 2, 2]) await expect(driveInvoice(dyingAt(edge(), stop), id)).rejects.toThrow('killed')
    await work()
    expect(await inShort()).toEqual(['red 150000', 'issued 100000'])
    const numbers = (await states()).map((one) => one.id)
    expect((await issuedBySandbox(world, numbers)).map((one) => one.amountFen)).toEqual([150_000, -150_000, 100_000])
  })

  test('a request racing a refund: what stands at the end is within what is paid', async () => {
    const orderId = await anOrder()
    await ask(orderId, 50_000)
    await Promise.allSettled([ask(orderId), refundCards(orderId, 1), work().catch(() => undefined)])
    await stage.work()
    await work()
    const total = (await states())
      .filter((one) => one.state === 'issued')
      .reduce((sum, one) => sum + Number(one.amount), 0)
    expect(total).toBeLessThanOrEqual(100_000)
    expect(total).toBeGreaterThanOrEqual(50_000)
  })

  test('of several invoices the newest go first; a request that waits is withdrawn and asked for anew', async () => {
    const orderId = await anOrder()
    const none = { ...port, configured: false }
    await ask(orderId, 80_000)
    await work()
    await ask(orderId, 70_000)
    await refundCards(orderId, 1)
    await house.edge().tx((tx) => reverseInvoices(tx, orderId))
    expect(await inShort()).toEqual(['issued 80000', 'rejected 70000', 'requested 20000'])
    const [, , last] = await states()
    await driveInvoice(edge(none), last!.id)
    expect(await inShort()).toEqual(['issued 80000', 'rejected 70000', 'requested 20000'])
    await work()
    expect(await inShort()).toEqual(['issued 80000', 'rejected 70000', 'issued 20000'])
  })

  test('a refund while the service works is caught up with when it answers', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId)
    await world.ctl('invoices/faults', { kind: 'fail_after' })
    await expect(driveInvoice(edge(), id)).rejects.toMatchObject({ outcome: 'unknown' })
    await refundCards(orderId, 1)
    await work()
    expect(await inShort()).toEqual(['red 150000', 'issued 100000'])
  })

  test('reversed by hand: nothing in its place; a refused reversal leaves it issued and may be tried again', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId)
    expect((await house.call(finance(), 'POST', `/hr/invoices/${id}/reverse`)).body['code']).toBe('state_conflict')
    await work()
    await world.ctl('invoices/faults', { kind: 'refuse_reversal' })
    expect((await house.call(finance(), 'POST', `/hr/invoices/${id}/reverse`)).body['state']).toBe('reversing')
    await work()
    expect(await states()).toMatchObject([{ state: 'issued', reason: 'REVERSAL_REFUSED' }])
    await house.call(finance(), 'POST', `/hr/invoices/${id}/reverse`)
    await work()
    expect(await inShort()).toEqual(['red 150000'])
    const orders = await house.call(finance(), 'GET', '/hr/invoice-orders')
    expect(orders.body).toMatchObject({ orders: [{ orderId, openFen: 150_000 }], last: buyer })
  })

  test('a request can be withdrawn before it is sent; without a service its fields are exported, no cell a formula', async () => {
    const orderId = await anOrder()
    const first = await ask(orderId)
    expect((await house.call(finance(), 'POST', `/hr/invoices/${first}/cancel`)).body['state']).toBe('rejected')
    const evil = { ...buyer, title: '=HYPERLINK("http://a")' }
    await house
      .edge(finance())
      .tx((tx) => requestInvoice(tx, { orderId, kind: 'ordinary', buyer: evil, byDepartment: true }))
    const list = await house.call(finance(), 'GET', '/hr/invoices')
    expect(list.body).toMatchObject({ connected: false, invoices: [{ state: 'requested' }, { state: 'rejected' }] })
    const headers = { 'x-actor': JSON.stringify(finance()) }
    const file = await fetch(`${house.url}/hr/invoice-fields.xlsx`, { headers })
    const book = new exceljs.Workbook()
    await book.xlsx.load(await file.arrayBuffer())
    const rows = book.worksheets[0]!.getSheetValues().slice(2) as unknown[][]
    expect(rows.map((row) => [row[4], row[7], row[8], row[9], row[10], row[11]])).toEqual([
      [`'${evil.title}`, '预付卡销售和充值', '601', '不征税', "'=行政部", 500],
      [`'${evil.title}`, '预付卡销售和充值', '601', '不征税', '行政部', 1000],
    ])
  })

  test('the PDF says what it is', async () => {
    const orderId = await anOrder()
    const id = await ask(orderId, undefined, true)
    await work()
    const headers = { 'x-actor': JSON.stringify(finance()) }
    const answer = await fetch(`${house.url}/hr/invoices/${id}/pdf`, { headers })
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect([answer.headers.get('content-type'), bytes.subarray(0, 5).toString()]).toEqual(['application/pdf', '%PDF-'])
    if (process.env['KEEP_PDF']) (await import('node:fs')).writeFileSync(process.env['KEEP_PDF'], bytes)
    const [row] = await database.tx((tx) =>
      sql<{ buyer: Buffer }>(tx.em, 'select buyer_sealed as buyer from invoice where id = ?', [id]),
    )
    expect(Buffer.from(row!.buyer).toString('latin1')).not.toContain('9144')
  })
})

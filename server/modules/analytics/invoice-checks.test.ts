import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { anApprovedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { noticesEach, type Defects } from '../../testing/defects.ts'
import { invoicesOf } from '../../testing/invoicing.ts'
import { merchants, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { refundStage } from '../../testing/refunding.ts'
import { driveInvoice } from '../invoice/drive-invoice.ts'
import { requestInvoice } from '../invoice/request-invoice.ts'
import { reverseByHand, reverseInvoices } from '../invoice/reverse-invoices.ts'
import { issueOrder } from '../issuance/issue-order.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { invoiceChecks } from './invoice-checks.ts'
import { proveBooks } from './prove-books.ts'

/** For each rule, what must not be: `X` is what `of` finds first. */
const defects: Defects = {
  an_invoice_is_its_lines: [
    'select id from invoice_line',
    'update invoice_line set amount_fen = amount_fen + 1 where id = X',
  ],
  invoices_of_an_order_are_within_what_is_paid: [
    "select id from invoice where state = 'issued'",
    'update invoice set amount_fen = amount_fen + 900000 where id = X',
  ],
  an_invoice_is_numbered_as_it_stands: [
    "select id from invoice where state = 'issued'",
    'update invoice set provider_number = null where id = X',
  ],
  an_invoice_is_being_worked_on: [
    "select id from invoice where state = 'reversing'",
    "update job set state = 'dead' where kind = 'invoice.issue' and X = X",
  ],
  what_remains_of_a_reversed_invoice_is_no_more_than_it_was: [
    'select id from invoice where reissue_of is not null',
    'update invoice set amount_fen = amount_fen + 900000 where id = X',
  ],
}

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('the books of invoices', (database) => {
  let house: PayHouse
  let company: TestCompany
  const stage = refundStage(
    database,
    () => world,
    () => house,
    () => company,
  )
  beforeEach(async () => {
    house = await servePayHouse(database, world, [])
    company = await aCompany(database, { walletFen: 1_000_000 })
  })
  afterEach(() => house.close())

  /** One that was reversed after a refund and its rest, which is being reversed by hand; and one that is issued. */
  async function someInvoices(): Promise<void> {
    const personIds = await somePeople(database, company.id, [{ name: '甲' }, { name: '乙' }, { name: '丙' }])
    const { orderId } = await anApprovedCampaign(database, company, personIds, { wechatPay: merchants[0] })
    await stage.pay(orderId, { wallet: 150_000 })
    await issueOrder(house.edge(), orderId)
    const edge = { ...house.edge(), ports: { ...house.ports, invoice: await invoicesOf(world) } }
    const buyer = { title: '青禾', taxNumber: '9144030071526726XG', email: null }
    const ask = async (amount: number) => {
      const wish = { orderId, kind: 'ordinary', buyer, amount: fen(amount), byDepartment: false } as const
      const id = await house.edge(company.as('finance')).tx((tx) => requestInvoice(tx, wish))
      await driveInvoice(edge, id)
      return id
    }
    await ask(40_000)
    const second = await ask(110_000)
    const [cardId] = await stage.cardsOf(orderId)
    await stage.hr().tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: [cardId!] }))
    await stage.work()
    await edge.tx((tx) => reverseInvoices(tx, orderId))
    await driveInvoice(edge, second)
    const [rest] = await stage.read<{ id: typeof second }>('select id from invoice where reissue_of is not null')
    await driveInvoice(edge, rest!.id)
    await stage.set("update job set state = 'done' where kind like 'invoice.%'")
    await house.edge(company.as('finance')).tx((tx) => reverseByHand(tx, rest!.id))
  }

  test('each rule finds what is planted, and nothing before', async () => {
    await someInvoices()
    expect(Object.keys(defects).sort()).toEqual(invoiceChecks.map((check) => check.rule).sort())
    expect(await database.tx(proveBooks)).toEqual([])
    await noticesEach(database, defects)
  })
})

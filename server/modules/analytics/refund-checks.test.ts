import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { anApprovedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { noticesEach, type Defects } from '../../testing/defects.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { refundStage, serveRefundHouse } from '../../testing/refunding.ts'
import { placeHold } from '../redemption/place-hold.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { proveBooks } from './prove-books.ts'
import { refundChecks } from './refund-checks.ts'

/** For each rule, what must not be: `X` is what `of` finds first. */
const defects: Defects = {
  a_refund_is_the_price_of_its_cards: [
    'select id from refund_item',
    'update refund_item set price_fen = price_fen - 1 where id = X',
  ],
  a_refund_is_its_parts: ['select id from refund_part', 'update refund_part set fen = fen + 1 where id = X'],
  a_card_is_refunded_with_its_item: ['select id from refund_item', 'delete from refund_item where id = X'],
  cards_that_are_left_are_paid_less_refunded: [
    "select id from card where state = 'active'",
    "update card set state = 'refunded' where id = X",
  ],
  money_returned_unissued_is_its_refunds: [
    "select id from refund where kind = 'order_funds'",
    'update refund set amount_fen = amount_fen - 1 where id = X',
  ],
  an_order_is_refunded_when_all_of_it_is_back: [
    "select id from orders where state = 'issued'",
    "update orders set state = 'refunded' where id = X",
  ],
  what_goes_back_of_a_part_is_its_refunds: [
    'select id from payment_part where refunded_fen > 0',
    'update payment_part set refunded_fen = refunded_fen - 1 where id = X',
  ],
  what_goes_back_over_a_payment_is_its_refunds: [
    'select id from payment where refunded_fen > 0',
    'update payment set refunded_fen = refunded_fen - 1 where id = X',
  ],
  refunds_of_a_payment_are_within_what_it_brought: [
    "select id from refund_part where route = 'wallet'",
    'update refund_part set fen = fen + 1000000 where id = X',
  ],
  the_state_of_a_payment_fits_its_refunds: [
    "select id from payment where state = 'refunding'",
    "update payment set state = 'part_refunded' where id = X",
  ],
  what_a_refund_owes_is_in_its_account: [
    "select id from refund where kind = 'cards'",
    "update refund_part set state = 'done' where route = 'bank' and refund_id = X",
  ],
  a_part_that_is_done_was_posted_once: [
    "select id from refund_part where state = 'done'",
    "update entry set kind = 'refunded_twice' where ref = X",
  ],
  a_refund_is_done_when_its_parts_are: [
    "select id from refund where state = 'done'",
    "update refund set state = 'accepted' where id = X",
  ],
  a_wallet_gets_back_what_its_parts_say: [
    "select id from wallet_movement where kind = 'refunded'",
    "update wallet_movement set ref = 'rfp_0000000000000' where id = X",
  ],
  refunds_that_wait_hold_their_transaction: [
    'select id from payment where refunds_waiting = 1',
    'update payment set refunds_waiting = 0 where id = X',
  ],
  a_refund_is_being_worked_on: [
    "select id from job where kind = 'refund.part' and state = 'ready'",
    "update job set state = 'dead' where id = X",
  ],
}

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('the books of refunds', (database) => {
  let house: PayHouse
  let company: TestCompany
  const stage = refundStage(
    database,
    () => world,
    () => house,
    () => company,
  )
  beforeEach(async () => {
    house = await serveRefundHouse(database, world)
    company = await aCompany(database, { walletFen: 1_000_000 })
  })
  afterEach(() => house.close())

  test('find one planted defect for each of their rules, and nothing before', async () => {
    const paid = await stage.issued(3, { wallet: 50_000, wechat: [40_000], bank: 60_000 }, { issuerPrefix: '7101' })
    const [first, second] = await stage.cardsOf(paid.orderId)
    const wish = { kind: 'cards', orderId: paid.orderId, cardIds: [first!] } as const
    await stage.hr().tx((tx) => requestRefund(tx, wish))
    const hold = { cardId: second!, amount: 100 as never, ref: 'till', endsAtMs: Date.now() + 60_000 }
    expect(await database.tx((tx) => placeHold(tx, hold))).not.toBeNull()
    const people = await somePeople(database, company.id, [{ name: 'x' }])
    const open = await anApprovedCampaign(database, company, people, { issuerPrefix: '7102' })
    await stage.pay(open.orderId, { wallet: 10_000 })
    await stage.hr().tx((tx) => requestRefund(tx, { kind: 'order_funds', orderId: open.orderId }))
    expect(await database.tx(proveBooks)).toEqual([])
    expect(Object.keys(defects).toSorted()).toEqual(refundChecks.map((check) => check.rule as string).toSorted())
    await noticesEach(database, defects)
  })
})

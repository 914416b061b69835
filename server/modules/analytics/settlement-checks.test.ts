import { afterAll, beforeAll, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { handlers } from '../../../jobs/handlers.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { noticesEach, type Defects } from '../../testing/defects.ts'
import { testHouse } from '../../testing/house.ts'
import { type PayWorld, platformMerchant, servePayHouse, startPayWorld } from '../../testing/paying.ts'
import { aSale, issueAll, payByWechat, settleAll } from '../../testing/settling.ts'
import { openPayment } from '../funding/open-payment.ts'
import { draftPayouts } from '../settlement/draft-payouts.ts'
import { proveBooks } from './prove-books.ts'
import { settlementChecks } from './settlement-checks.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

/** An order that is shared to its end with wallet money on payouts, one whose sharing is under way, one that is held. */
async function fillBooks(database: TestDatabase): Promise<void> {
  database.house = testHouse({
    wechatPay: { platform: platformMerchant, feeBp: () => 60, settlementWindowMs: 600_000, sharesPerSecond: 25 },
  })
  const house = await servePayHouse(database, world, [])
  const company = await aCompany(database, { walletFen: 1_000_000 })
  const paid = async () => {
    const channels = [{ code: 'a', name: '甲', mchid: '1900200001', bp: 300 }]
    const wish = { mchid: '1900000101', cards: 2, priceFen: 10_000, platformBp: 500, channels }
    const { orderId, brands } = await aSale(database, company.id, [wish])
    await payByWechat(house, world, company, { orderId, brandId: brands[0]!.brandId, amountFen: 15_000 })
    const source = 'wallet' as const
    await openPayment(house.edge(company.as('hr')), { orderId, source, amountFen: fen(5_000) }, orderId)
    await issueAll(house, orderId)
  }
  await paid()
  await settleAll(house, world, handlers)
  await draftPayouts(house.edge())
  await world.ctl('money-rules', { shareLatencyMs: null })
  await paid()
  await settleAll(house, world, handlers, { most: 2 }).catch(() => undefined)
  await world.ctl('money-rules', { shareLatencyMs: 0 })
  await paid()
  await house.close()
}

const aReturn = (state: string) => `insert into split_return (id, split_id, receiver_id, refund_part_id, state, version,
    out_return_no, body, amount_fen, tries, polls, step, created_at_ms)
  select 'sre_0000000000001', split_id, id, 'rfp_0000000000001', '${state}', 1, 'R1', '', 1, 1, 0, 0, 1
    from split_receiver where id = X`
const aReceiver = "select id from split_receiver where state = 'success'"
const finished = "select id from split where state = 'finished'"

const defects: Defects = {
  a_settled_transaction_is_shared_unfrozen_kept_and_refunded: [
    finished,
    'update split set unfrozen_fen = unfrozen_fen - 1 where id = X',
  ],
  what_a_split_shared_is_its_receivers: [aReceiver, "update split_receiver set state = 'closed' where id = X"],
  what_receivers_gave_back_is_their_returns: [aReceiver, 'update split_receiver set returned_fen = 1 where id = X'],
  a_share_is_posted_once_from_who_collected: [
    "select id from entry where kind = 'split'",
    "update entry set kind = 'split_again' where id = X",
  ],
  a_return_is_posted_once_to_who_collected: [aReceiver, aReturn('done')],
  the_end_of_a_split_is_posted_once: [
    "select id from entry where kind = 'unfrozen'",
    "update posting set account = 'collected:nobody' where entry_id = X and account like 'collected:%'",
  ],
  what_is_kept_of_returns_is_who_collected_it_has: [
    "select id from split where state = 'finished'",
    'update split set kept_fen = kept_fen + 1 where id = X',
  ],
  a_call_under_way_holds_its_transaction: [
    "select payment_id as id from split where state = 'sharing'",
    'update payment set in_flight = null, in_flight_ref = null where id = X',
  ],
  a_transaction_is_held_for_sharing_by_an_open_split: [
    "select payment_id as id from split where state = 'finished'",
    "update payment set in_flight = 'share', in_flight_ref = 'spl_0000000000001' where id = X",
  ],
  a_call_of_sharing_has_1_to_50_receivers: [
    "select call_id as id from split_receiver where state = 'pending'",
    "update split_receiver set call_id = 'spc_0000000000001' where call_id = X and account = '1900200001'",
    "update split_receiver set call_id = 'spc_0000000000002' where call_id = X",
  ],
  a_transaction_has_at_most_50_calls: [
    "select id from split_call where state = 'processing'",
    `insert into split_call (id, split_id, seq, kind, state, version, out_order_no, body, tries, polls, created_at_ms)
      with recursive many (i) as (select 10 union all select i + 1 from many where i < 60)
      select RECURSIVE_ID, split_id, 100 + i, 'unfreeze', 'finished', 1, RECURSIVE_ID, '', 1, 0, 1
        from split_call, many where id = X`,
  ],
  an_open_split_is_being_driven: [
    "select id from job where kind in ('share.send', 'share.poll') and state = 'ready'",
    "update job set state = 'dead' where id = X",
  ],
  an_open_return_is_being_driven: [aReceiver, aReturn('sent')],
  an_issued_order_is_being_settled: [
    "select id from job where kind = 'settlement.plan' and state = 'ready'",
    "update job set state = 'dead' where id = X",
  ],
  what_sharing_does_not_bring_is_on_payouts: [
    'select id from payout_item where payout_id is null',
    'update payout_item set amount_fen = amount_fen + 1 where id = X',
  ],
  what_a_company_has_not_repaid_is_on_no_payout: [
    "select payment.id as id from payment join settlement on settlement.order_id = payment.order_id where payment.state = 'paid'",
    "update payment set source = 'credit_line' where id = X",
    `insert into credit_line (company_id, limit_fen, owed_fen, version, changed_by, changed_at_ms)
      select company_id, 9, 5, 1, 'x', 1 from payment where id = X`,
  ],
  a_payout_is_its_items: ['select id from payout', 'update payout set amount_fen = amount_fen - 1 where id = X'],
  a_paid_payout_left_custody: ['select id from payout', "update payout set state = 'paid' where id = X"],
}

onBothDatabases('the proof of settlement', (database) => {
  test('finds one planted defect for each of its rules, and nothing before', async () => {
    await fillBooks(database)
    expect(await database.tx(proveBooks)).toEqual([])
    expect(Object.keys(defects).toSorted()).toEqual(settlementChecks.map((check) => check.rule as string).toSorted())
    const numbered = database.dialect === 'mysql' ? "concat('spc_x', i)" : "('spc_x' || i)"
    const here = Object.entries(defects).map(([rule, [of, ...plant]]): [string, Defects[string]] => [
      rule,
      [of, ...plant.map((text) => text.replaceAll('RECURSIVE_ID', numbered))],
    ])
    await noticesEach(database, Object.fromEntries(here))
  })
})

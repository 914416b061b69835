import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { anApprovedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { noticesEach, type Defects } from '../../testing/defects.ts'
import { merchants } from '../../testing/paying.ts'
import { deliverCards } from '../delivery/deliver-cards.ts'
import { acceptNotices } from '../funding/accept-notices.ts'
import { importStatement } from '../funding/import-statement.ts'
import { openPayment } from '../funding/open-payment.ts'
import { issueOrder } from '../issuance/issue-order.ts'
import { bookRules, proveBooks } from './prove-books.ts'
import { custodyChecks } from './custody-checks.ts'
import { giftChecks } from './gift-checks.ts'
import { invoiceChecks } from './invoice-checks.ts'
import { redemptionChecks } from './redemption-checks.ts'
import { refundChecks } from './refund-checks.ts'
import { settlementChecks } from './settlement-checks.ts'
import { shelfChecks } from './shelf-checks.ts'
import { statementChecks } from './statement-checks.ts'
import { walletChecks } from './wallet-checks.ts'

/** A WeChat Pay that never answers: what is asked of it stays open. */
const silent = {
  wechatPay: {
    paymentBody: () => '{}',
    prepare: () => Promise.reject(new OutsideError('unknown', 'timeout', 'no answer')),
  },
} as unknown as Ports

/**
 * Books with something of everything: a top-up, money that nobody knows, an order paid from three sources whose cards
 * are made and whose messages are in a batch, and another order with a QR code that nobody has paid.
 */
async function fillBooks(database: TestDatabase) {
  const company = await aCompany(database)
  const [hr, finance] = [database.edge(silent, company.as('hr')), database.edge(silent, company.as('finance'))]
  let serials = 0
  const bank = (yuanFen: number, memo: string) => {
    const serial = `S${(serials += 1)}`
    const entry = {
      row: 1,
      serial,
      amountFen: fen(yuanFen),
      arrivedAtMs: Date.now(),
      direction: 'in' as const,
      payerName: '甲',
      payerAccount: '1',
    }
    const read = { entries: [{ ...entry, memo }], faults: [], refusal: null }
    return importStatement(finance, { fileName: serial, bytes: Buffer.from(serial), read }, 'zh')
  }
  await bank(50_000, company.reference)
  await bank(700, '谁的钱')
  const people = ['a', 'b', 'c'].map((name) => ({ name, userid: name }))
  const personIds = await somePeople(database, company.id, people)
  const wechatPay = merchants[0]
  const paid = await anApprovedCampaign(database, company, personIds, { wechatPay, issuerPrefix: '6230' })
  const open = await anApprovedCampaign(database, company, personIds, { wechatPay, issuerPrefix: '6231' })
  const pay = (orderId: Id<'order'>, source: 'wallet' | 'wechat_pay' | 'bank_transfer', amount: number) =>
    openPayment(hr, { orderId, source, amountFen: fen(amount) }, `${orderId}${source}`)
  await pay(paid.orderId, 'wallet', 50_000)
  await bank(60_000, (await referenceOf(database, await pay(paid.orderId, 'bank_transfer', 60_000))) ?? '')
  const wechat = await pay(paid.orderId, 'wechat_pay', 40_000)
  await pay(open.orderId, 'wechat_pay', 150_000)
  await database.tx((tx) => acceptNotices(tx, [{ ...tradeOf(wechat, 40_000), ...wechatPay }]))
  await issueOrder(database.edge(silent), paid.orderId)
  const [slice] = await database.tx((tx) =>
    sql<{ id: Id<'orderSlice'> }>(tx.em, "select id from order_slice where state = 'issued'"),
  )
  await deliverCards(database.edge(silent), slice!.id)
  return { company, paid, open, wechat, slice: slice!.id }
}

const tradeOf = (paymentId: Id<'payment'>, total: number) => ({
  outTradeNo: `FLK${paymentId.slice(4)}`,
  transactionId: '4200000001',
  state: 'SUCCESS' as const,
  total: fen(total),
  successAtMs: Date.now(),
  bankType: 'OTHERS',
  openid: null,
})

async function referenceOf(database: TestDatabase, id: Id<'payment'>): Promise<string | null> {
  const rows = await database.tx((tx) =>
    sql<{ reference: string }>(tx.em, 'select reference from payment where id = ?', [id]),
  )
  return rows[0]?.reference ?? null
}

/** Rules whose defects are planted in a test of their own. */
const elsewhere: ReadonlySet<string> = new Set(
  [
    ...walletChecks,
    ...refundChecks,
    ...redemptionChecks,
    ...giftChecks,
    ...shelfChecks,
    ...settlementChecks,
    ...statementChecks,
    ...invoiceChecks,
    ...custodyChecks,
  ].map((check) => check.rule),
)

/** A claim of somebody whose delivery says otherwise. */
const claimOf = `insert into claim (id, company_id, campaign_id, person_id, at_ms)
  select 'clm_0000000000001', company_id, campaign_id, person_id, 1 from delivery where id = X`

/** For each rule, what must not be: statements that break it. `X` in a statement is what `of` finds first. */
const defects: Defects = {
  entry_sums_to_zero: [
    "select id from entry where kind = 'issued'",
    'update posting set amount = amount + 1 where entry_id = X and line = 0',
  ],
  entry_has_lines: ["select id from entry where kind = 'issued'", 'delete from posting where entry_id = X'],
  line_has_entry: ["select id from entry where kind = 'issued'", 'delete from entry where id = X'],
  card_balance_is_its_activities: [
    'select id from card',
    'update activity set amount_fen = amount_fen - 1 where card_id = X',
  ],
  cards_of_a_brand_are_its_value_account: ['select id from card', 'delete from card where id = X'],
  secured_less_issued_is_order_funds: [
    "select id from orders where state = 'issued'",
    'update orders set secured_fen = secured_fen + 1 where id = X',
  ],
  wallet_balance_is_its_account: [
    'select company_id as id from wallet',
    'update wallet set balance_fen = balance_fen + 1 where company_id = X',
  ],
  wallet_balance_is_its_movements: [
    "select id from wallet_movement where kind = 'spent'",
    'delete from wallet_movement where id = X',
  ],
  deliveries_are_within_the_heads: [
    "select id from campaign where state = 'running'",
    'update campaign set heads = 2 where id = X',
  ],
  cards_of_a_campaign_are_planned_to_be_sent: [
    'select id from delivery',
    'delete from delivery where id = X',
    "update job set state = 'done' where kind = 'cards.deliver'",
  ],
  a_person_is_one_present_member_of_the_directory: [
    'select person_id as id from delivery',
    `insert into directory_member (id, company_id, user_id_index, sealed, departments, person_id, state, sync_id, first_seen_at_ms, changed_at_ms)
      select 'dmb_1', company_id, 'a', 'x', '1', person_id, 'present', 'dsy_1', 1, 1 from delivery where person_id = X`,
    `insert into directory_member (id, company_id, user_id_index, sealed, departments, person_id, state, sync_id, first_seen_at_ms, changed_at_ms)
      select 'dmb_2', company_id, 'b', 'x', '1', person_id, 'present', 'dsy_1', 1, 1 from delivery where person_id = X`,
  ],
  a_card_taken_back_from_a_leaver_is_frozen: [
    'select id from delivery',
    "update delivery set state = 'revoked', reason = 'person_left' where id = X",
  ],
  messages_under_way_are_in_an_open_batch: [
    'select id from delivery_batch',
    "update delivery_batch set state = 'sent' where id = X",
  ],
  parts_of_arrived_payments_are_what_the_order_secured: [
    "select payment_part.id as id from payment_part join payment on payment.id = payment_id where payment.state = 'paid'",
    'update payment_part set amount_fen = amount_fen - 1 where id = X',
  ],
  what_arrived_beyond_the_parts_is_kept_as_overpaid: [
    "select id from payment where state = 'paid'",
    'update payment set paid_fen = paid_fen + 1 where id = X',
  ],
  parts_of_a_brand_are_within_its_price: [
    "select id from order_item where order_id in (select id from orders where state = 'issued')",
    'update order_item set price_fen = price_fen - 1 where id = X',
  ],
  a_payment_is_posted_once_on_the_account_of_its_source: [
    "select id from payment where source = 'wechat_pay' and state = 'paid'",
    "update payment set mchid = '1900000999' where id = X",
  ],
  a_bank_payment_is_its_statement_line: [
    "select id from statement_line where outcome = 'payment'",
    'update statement_line set amount_fen = amount_fen + 1 where id = X',
  ],
  unmatched_lines_wait_in_their_account: [
    "select id from statement_line where outcome = 'unmatched'",
    'delete from statement_line where id = X',
  ],
  a_payment_says_what_arrived: [
    "select id from payment where state = 'paid'",
    'update payment set paid_fen = null where id = X',
  ],
  money_that_was_posted_has_its_payment: [
    "select id from payment where source = 'wallet'",
    'delete from payment where id = X',
  ],
  a_wallet_payment_is_its_movement: [
    "select id from wallet_movement where kind = 'spent'",
    "update wallet_movement set ref = 'pay_0000000000000' where id = X",
  ],
  a_top_up_is_its_statement_line: [
    "select id from statement_line where outcome = 'top_up'",
    'update statement_line set amount_fen = 1 where id = X',
  ],
  a_line_that_paid_has_its_payment: [
    "select id from statement_line where outcome = 'payment'",
    'update statement_line set payment_id = null where id = X',
  ],
  an_order_is_its_items: ['select id from order_item', 'delete from order_item where id = X'],
  the_slices_of_an_order_are_its_items: [
    "select id from order_slice where state = 'planned'",
    'delete from order_slice where id = X',
  ],
  issued_slices_have_their_cards_and_planned_ones_none: [
    "select id from order_slice where state = 'planned'",
    "update order_slice set state = 'issued' where id = X",
  ],
  issued_money_is_the_price_of_the_cards: [
    "select id from orders where state = 'issued'",
    'update orders set issued_fen = issued_fen - 1 where id = X',
  ],
  a_card_is_what_its_item_says: ['select id from card', "update card set holder_id = 'per_0000000000000' where id = X"],
  the_state_of_an_order_fits_its_money: [
    "select id from orders where state = 'issued'",
    "update orders set state = 'awaiting_funds' where id = X",
  ],
  the_state_of_an_order_fits_its_cards: [
    "select id from orders where state = 'issued'",
    "update orders set state = 'issuing' where id = X",
  ],
  a_campaign_is_its_order: [
    "select id from campaign where state = 'running'",
    "update campaign set state = 'cancelled' where id = X",
  ],
  the_faces_of_a_campaign_are_its_items: [
    "select id from campaign where state = 'approved'",
    'update campaign set face_total_fen = 1 where id = X',
  ],
  an_issue_owes_brands_channels_and_platform_what_the_cards_hold: [
    "select id from entry where kind = 'issued'",
    "update posting set account = 'refund-payable:x' where entry_id = X and account like 'brand-payable:%'",
  ],
  an_issue_is_cut_as_the_terms_say: [
    "select id from entry where kind = 'issued'",
    "update posting set account = 'platform-fee' where entry_id = X and account like 'brand-payable:%'",
  ],
  value_outstanding_is_in_the_cards: [
    "select id from entry where kind = 'issued'",
    "update posting set account = 'outstanding:nobody' where entry_id = X and account like 'outstanding:%'",
  ],
  the_last_activity_says_the_balance: [
    'select id from card',
    'update activity set balance_fen = balance_fen - 1 where card_id = X',
  ],
  held_value_has_its_hold: ['select id from card', 'update card set held_fen = 1 where id = X'],
  an_open_qr_code_is_watched: [
    "select id from job where kind = 'payment.watch'",
    "update job set state = 'dead' where kind = 'payment.watch'",
  ],
  a_funded_order_is_being_issued: [
    "select id from orders where state = 'awaiting_funds'",
    "update orders set state = 'funded' where id = X",
  ],
  an_open_batch_is_being_sent: [
    "select id from job where kind = 'batch.send'",
    "update job set state = 'dead' where id = X",
  ],
  planned_messages_are_being_sent: [
    'select id from delivery',
    "update delivery set state = 'planned' where id = X",
    "update job set state = 'dead' where kind = 'cards.deliver'",
  ],
  a_delivery_is_in_one_state: ['select id from delivery', "update delivery set state = 'failed' where id = X"],
  people_of_an_open_batch_are_its_deliveries: [
    'select id from delivery_batch',
    'update delivery_batch set people = people + 1 where id = X',
  ],
  messages_of_a_day_are_within_the_quota: [
    'select id from delivery',
    'insert into send_day (company_id, day, used, quota) select company_id, 20260101, 2, 1 from delivery where id = X',
  ],
  nobody_gets_more_than_30_messages_a_minute: ['select id from delivery', sendsOf(1, 31)],
  nobody_gets_more_than_1000_messages_an_hour: ['select id from delivery', sendsOf(40, 26)],
  a_notification_is_being_sent: [
    'select id from delivery',
    `insert into notification (id, company_id, kind, subject, receiver_id, state, version, calls, created_at_ms)
      select 'ntf_0000000000001', company_id, 'reminder', 'x', person_id, 'planned', 1, 0, 1 from delivery where id = X`,
  ],
  a_claim_has_its_delivery_claimed: ['select id from delivery', claimOf],
  a_claim_has_a_card_of_its_person: ['select id from delivery', claimOf, 'delete from card where id <> X'],
  a_used_link_has_its_claim: [
    'select id from delivery',
    `insert into claim_link (id, company_id, campaign_id, person_id, token_index, state, created_by, created_at_ms, expires_at_ms)
      select 'clk_0000000000001', company_id, campaign_id, person_id, 'x', 'used', company_id, 1, 1 from delivery where id = X`,
  ],
  a_mass_send_counts_its_targets: [
    'select id from delivery',
    `insert into mass_send (id, company_id, campaign_id, state, version, body_sealed, targets, sent, not_friends, over_quota, waiting,
        created_by, created_at_ms)
      select 'msd_0000000000001', company_id, campaign_id, 'created', 1, '', 3, 1, 0, 0, 1, company_id, 1 from delivery where id = X`,
  ],
}

/** So many calls counted for one member in each of so many minutes. */
function sendsOf(minutes: number, each: number): string {
  return `insert into member_send (company_id, user_id_index, carrier_id, at_ms)
    with recursive minutes (i) as (select 1 union all select i + 1 from minutes where i < ${minutes}),
      calls (j) as (select 1 union all select j + 1 from calls where j < ${each})
    select delivery.company_id, 'x', 1000 * i + j, 60000 * i + j from delivery, minutes, calls where delivery.id = X`
}

onBothDatabases('the proof of the books', (database) => {
  test('finds one planted defect for each of its rules, and nothing before', async () => {
    await fillBooks(database)
    expect(await database.tx(proveBooks)).toEqual([])
    expect(Object.keys(defects).toSorted()).toEqual(bookRules.filter((rule) => !elsewhere.has(rule)).toSorted())
    await noticesEach(database, defects)
  })
})

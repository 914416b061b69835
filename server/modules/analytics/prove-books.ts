import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { dialectOf, sql, type Dialect } from '../../kernel/sql.ts'
import { ledgerRules, proveLedger, type Finding } from '../ledger/prove.ts'
import { contactChecks } from './contact-checks.ts'
import { custodyChecks } from './custody-checks.ts'
import { directoryChecks } from './directory-checks.ts'
import { fundingChecks } from './funding-checks.ts'
import { giftChecks } from './gift-checks.ts'
import { invoiceChecks } from './invoice-checks.ts'
import { issueChecks } from './issue-checks.ts'
import { messageChecks } from './message-checks.ts'
import { redemptionChecks } from './redemption-checks.ts'
import { refundChecks } from './refund-checks.ts'
import { settlementChecks } from './settlement-checks.ts'
import { shelfChecks } from './shelf-checks.ts'
import { statementChecks } from './statement-checks.ts'
import { walletChecks } from './wallet-checks.ts'
import { workChecks } from './work-checks.ts'

interface Check {
  readonly rule: string
  /** Gives a row (subject, stored, posted) for each object that is off. */
  readonly query: string
  /** What is counted, where it is not money. */
  readonly unit?: 'heads'
}

const checks: readonly Check[] = [
  {
    rule: 'card_balance_is_its_activities',
    query: `select card.id as subject, card.balance_fen as stored, coalesce(sums.fen, 0) as posted
      from card left join (select card_id, sum(amount_fen) as fen from activity group by card_id) as sums
        on sums.card_id = card.id where card.balance_fen <> coalesce(sums.fen, 0)`,
  },
  {
    rule: 'cards_of_a_brand_are_its_value_account',
    query: `select brand.id as subject, coalesce(held.fen, 0) as stored, coalesce(books.fen, 0) as posted
      from brand left join (select brand_id, sum(balance_fen) as fen from card group by brand_id) as held
        on held.brand_id = brand.id
      left join (select account, sum(amount) as fen from posting where unit = 'VALUE' group by account) as books
        on books.account = BRAND_CARDS
      where coalesce(held.fen, 0) <> coalesce(books.fen, 0)`,
  },
  {
    rule: 'secured_less_issued_is_order_funds',
    query: `select orders.id as subject, orders.secured_fen - orders.issued_fen - orders.returned_fen as stored,
        -(select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = ORDER_FUNDS) as posted
      from orders where orders.secured_fen - orders.issued_fen - orders.returned_fen
        <> -(select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = ORDER_FUNDS)`,
  },
  {
    rule: 'wallet_balance_is_its_account',
    query: `select wallet.company_id as subject, wallet.balance_fen as stored,
        -(select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = WALLET_OWED) as posted
      from wallet where wallet.balance_fen
        <> -(select coalesce(sum(amount), 0) from posting where unit = 'CNY' and account = WALLET_OWED)`,
  },
  {
    rule: 'wallet_balance_is_its_movements',
    query: `select wallet.company_id as subject, wallet.balance_fen as stored,
        coalesce(sum(wallet_movement.amount_fen), 0) as posted
      from wallet left join wallet_movement on wallet_movement.company_id = wallet.company_id
      group by wallet.company_id, wallet.balance_fen
      having wallet.balance_fen <> coalesce(sum(wallet_movement.amount_fen), 0)`,
  },
  {
    rule: 'deliveries_are_within_the_heads',
    unit: 'heads',
    query: `select campaign.id as subject, coalesce(campaign.heads, 0) as stored, count(delivery.id) as posted
      from campaign join delivery on delivery.campaign_id = campaign.id group by campaign.id, campaign.heads
      having count(delivery.id) > coalesce(campaign.heads, 0)
        or (max(campaign.state) = 'finished' and count(delivery.id) <> campaign.heads)`,
  },
  {
    rule: 'cards_of_a_campaign_are_planned_to_be_sent',
    unit: 'heads',
    query: `select due.subject, due.heads as stored, coalesce(planned.heads, 0) as posted
      from (select campaign.id as subject, sum(order_slice.to_seq - order_slice.from_seq) as heads
        from campaign join order_slice on order_slice.order_id = campaign.order_id
        join job on job.job_key = DELIVER_JOB and job.state = 'done' group by campaign.id) as due
      left join (select campaign.id as campaign_id, count(delivery.id) as heads
        from campaign join order_item on order_item.order_id = campaign.order_id
        join card on card.order_item_id = order_item.id
        left join delivery on delivery.campaign_id = campaign.id and delivery.person_id = card.holder_id
        group by campaign.id) as planned on planned.campaign_id = due.subject
      where due.heads > coalesce(planned.heads, 0)`,
  },
  {
    rule: 'messages_under_way_are_in_an_open_batch',
    unit: 'heads',
    query: `select delivery.campaign_id as subject, count(*) as stored, count(delivery_batch.id) as posted
      from delivery left join delivery_batch
        on delivery_batch.id = delivery.batch_id and delivery_batch.state = 'planned'
      where delivery.state = 'sending' group by delivery.campaign_id having count(*) <> count(delivery_batch.id)`,
  },
]

const everyCheck: readonly Check[] = [
  ...checks,
  ...fundingChecks,
  ...statementChecks,
  ...walletChecks,
  ...issueChecks,
  ...redemptionChecks,
  ...giftChecks,
  ...shelfChecks,
  ...refundChecks,
  ...invoiceChecks,
  ...settlementChecks,
  ...messageChecks,
  ...workChecks,
  ...contactChecks,
  ...custodyChecks,
  ...directoryChecks,
]

/** Every rule that the books are held to, by name. */
export const bookRules: readonly string[] = [...ledgerRules, ...everyCheck.map((check) => check.rule)]

/** The rules over stored rows as this dialect asks them: each gives (subject, stored, posted) for each object that is off. */
export function bookQueries(dialect: Dialect): readonly (Check & { readonly text: string })[] {
  const joined = (prefix: string, column: string) =>
    dialect === 'mysql' ? `concat('${prefix}:', ${column})` : `('${prefix}:' || ${column})`
  return everyCheck.map((check) => ({
    ...check,
    text: check.query
      .replaceAll('STATEMENT_CARDS', joined('cards', 'statement.brand_id'))
      .replaceAll('BRAND_CARDS', joined('cards', 'brand.id'))
      .replaceAll('BRAND_OUTSTANDING', joined('outstanding', 'brand.id'))
      .replaceAll('SHOP_REDEEMED', joined('redeemed', 'shop.id'))
      .replaceAll('ORDER_FUNDS', joined('order-funds', 'orders.id'))
      .replaceAll('WALLET_OWED', joined('wallet', 'wallet.company_id'))
      .replaceAll('REFUND_OWED', joined('refund-payable', 'refund.id'))
      .replaceAll('OVERPAID', joined('overpaid', 'orders.id'))
      .replaceAll('OF_COLLECTOR', joined('collected', 'split.mchid'))
      .replaceAll('COLLECTED', joined('collected', 'payment.mchid'))
      .replaceAll('WALLET_OF_PAYER', joined('wallet', 'payment.company_id'))
      .replaceAll('CREDIT_OWED', joined('credit-line', 'credit_line.company_id'))
      .replaceAll('CREDIT_OF_PAYER', joined('credit-line', 'payment.company_id'))
      .replaceAll('DELIVER_JOB', joined('cards.deliver', 'order_slice.id')),
  }))
}

/** Proves that what is stored equals what was posted: cards, brands, orders, wallets, payments, messages and the ledger. Empty is the proof. */
export async function proveBooks(tx: Tx): Promise<Finding[]> {
  const findings = await proveLedger(tx)
  for (const { rule, text, unit } of bookQueries(dialectOf(tx.em))) {
    const rows = await sql<{ subject: string; stored: unknown; posted: unknown }>(tx.em, text)
    findings.push(
      ...rows.map((row) => ({
        rule,
        subject: row.subject,
        detail: `stored ${readSum(row.stored)} ${unit ?? 'fen'}, posted ${readSum(row.posted)} ${unit ?? 'fen'}`,
      })),
    )
  }
  return findings
}

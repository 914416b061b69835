import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anApprovedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { noticesEach, type Defects } from '../../testing/defects.ts'
import { openPayment } from '../funding/open-payment.ts'
import { issueOrder } from '../issuance/issue-order.ts'
import { requestRefund } from '../refund/request-refund.ts'
import { createBudget } from '../wallet/create-budget.ts'
import { holdBudgets } from '../wallet/hold-budgets.ts'
import { setCreditLine } from '../wallet/set-credit-line.ts'
import { setThreshold } from '../wallet/set-threshold.ts'
import { useBudgets } from '../wallet/use-budgets.ts'
import { proveBooks } from './prove-books.ts'
import { walletChecks } from './wallet-checks.ts'

/** A company that is low on money, owes some, and has one campaign that used a budget and one that holds some. */
async function fillBooks(database: TestDatabase): Promise<void> {
  const company = await aCompany(database, { walletFen: 40_000 })
  const personIds = await somePeople(database, company.id, [{ name: '甲', department: '市场部' }])
  const approved = await anApprovedCampaign(database, company, personIds, { issuerPrefix: '6230' })
  const review = await anApprovedCampaign(database, company, personIds, { issuerPrefix: '6231' })
  await database.tx(async (tx) => {
    await setThreshold(tx, company.id, fen(50_000))
    await setCreditLine(tx, company.id, fen(60_000))
    const period = { fromMs: 0, toMs: tx.clock.now() + 1_000_000, grantedFen: fen(100_000) }
    await createBudget(tx, { companyId: company.id, department: '市场部', ...period })
    const needs = new Map([['市场部', fen(50_000)]])
    await holdBudgets(tx, { companyId: company.id, campaignId: approved.id, needs })
    await useBudgets(tx, approved.id)
    await holdBudgets(tx, { companyId: company.id, campaignId: review.id, needs: new Map([['市场部', fen(40_000)]]) })
    // As if it had not been decided yet.
    await change(tx.em, "update campaign set state = 'in_review', order_id = null where id = ?", [review.id])
    await change(tx.em, 'delete from order_item where order_id = ?', [review.orderId])
    await change(tx.em, 'delete from order_slice where order_id = ?', [review.orderId])
    await change(tx.em, 'delete from orders where id = ?', [review.orderId])
  })
  const finance = database.edge({} as Ports, company.as('finance'))
  await openPayment(finance, { orderId: approved.orderId, source: 'credit_line', amountFen: fen(7_000) }, 'k')
  const given = await anApprovedCampaign(database, company, personIds, { issuerPrefix: '6232' })
  await openPayment(finance, { orderId: given.orderId, source: 'credit_line', amountFen: fen(50_000) }, 'l')
  await issueOrder(finance, given.orderId)
  const cards = await database.tx((tx) => sql<{ id: Id<'card'> }>(tx.em, 'select id from card'))
  const wish = { kind: 'cards', orderId: given.orderId, cardIds: cards.map((card) => card.id) } as const
  await finance.tx((tx) => requestRefund(tx, wish))
}

const defects: Defects = {
  what_a_budget_holds_is_its_holds: ['select id from budget', 'update budget set held_fen = held_fen - 1 where id = X'],
  what_is_used_of_a_budget_is_its_holds: [
    'select id from budget',
    'update budget set used_fen = used_fen - 1 where id = X',
  ],
  a_hold_of_a_budget_stands_as_its_campaign: [
    "select id from campaign where state = 'in_review'",
    "update campaign set state = 'rejected' where id = X",
  ],
  a_campaign_takes_no_more_of_budgets_than_it_costs: [
    "select id from campaign where state = 'in_review'",
    'update campaign set price_total_fen = 39999 where id = X',
  ],
  what_a_company_owes_is_its_account: [
    "select id from entry where kind = 'paid_on_credit'",
    "update posting set account = 'credit-line:nobody' where entry_id = X and amount > 0",
  ],
  what_a_company_owes_is_its_movements: [
    'select company_id as id from credit_line',
    'update credit_line set owed_fen = owed_fen - 1 where company_id = X',
  ],
  a_payment_on_credit_is_its_movement: [
    "select id from credit_movement where kind = 'drawn'",
    "update credit_movement set ref = 'pay_0000000000000' where id = X",
  ],
  a_refund_to_credit_is_its_movements: [
    "select id from credit_movement where kind = 'refunded'",
    "update credit_movement set ref = 'rfp_0000000000000' where id = X",
  ],
  an_alert_stands_while_a_wallet_is_low: [
    'select id from wallet_alert',
    'update wallet_alert set ended_at_ms = 1 where id = X',
  ],
}

onBothDatabases('the proof of wallets and budgets', (database) => {
  test('finds one planted defect for each of its rules, and nothing before', async () => {
    await fillBooks(database)
    expect(await database.tx(proveBooks)).toEqual([])
    expect(Object.keys(defects).toSorted()).toEqual(walletChecks.map((check) => check.rule as string).toSorted())
    await noticesEach(database, defects)
  })
})

import { setTimeout as sleep } from 'node:timers/promises'
import type { DryRun } from '../contract/hr/campaign.ts'
import type { BudgetList } from '../contract/hr/wallet.ts'
import type { Visitor } from './visitor.ts'

const YUAN = 100
const LONG = '华东大区战略客户与生态合作伙伴联合运营中心（含上海、杭州、苏州驻场人员）'

/** Budgets of the departments of the staff for this quarter, but for one; one has a long name and nobody in it. */
export async function grantBudgets(finance: Visitor): Promise<void> {
  const { departments, today } = await finance.call<BudgetList>('/hr/budgets')
  const year = today.slice(0, 4)
  for (const department of departments.slice(1)) await grant(finance, department, 30_000, `${year}-12-31`)
  await grant(finance, LONG, 1_234_567, `${year}-12-31`)
}

/** A budget that the next campaign exceeds, an alert that stands, and something bought on credit. */
export async function makeFundsShort(given: {
  readonly finance: Visitor
  readonly operator: Visitor
  readonly orderId: string
  /** A campaign at 100 yuan a head: one at 300 fits into the budget, one at 400 does not. */
  readonly campaignId: string
}): Promise<void> {
  const { finance, operator, orderId, campaignId } = given
  const { departments, today } = await finance.call<BudgetList>('/hr/budgets')
  const { byDepartment } = await finance.call<DryRun>(`/hr/campaigns/${campaignId}/dry-run`)
  const heads = byDepartment.find((one) => one.department === departments[0])?.heads ?? 0
  await grant(finance, departments[0] ?? '', heads * 350, `${today.slice(0, 4)}-12-31`)
  await finance.call('/hr/wallet/low-balance', { method: 'PUT', json: { thresholdFen: 50_000 * YUAN } })
  const { companies } = await operator.call<{ companies: { id: string; code: string }[] }>('/operator/companies')
  const demo = companies.find((one) => one.code === 'demo')?.id ?? ''
  await operator.call(`/operator/companies/${demo}/credit-line`, { method: 'PUT', json: { limitFen: 30_000 * YUAN } })
  await finance.call(`/hr/orders/${orderId}/payments`, { json: { source: 'credit_line', amountFen: 5_000 * YUAN } })
}

/** Invoices of a paid order: one that is there, one whose title was refused, and some money left to ask for. */
export async function makeInvoices(finance: Visitor, orderId: string, payUrl: string): Promise<void> {
  const { fen } = await finance.call<{ fen: number }>(`/hr/orders/${orderId}/invoice-preview`)
  const buyer = { title: '青禾制造（深圳）有限公司', taxNumber: '9144030071526726XG', email: 'caiwu@qinghe.example' }
  const path = `/hr/orders/${orderId}/invoices`
  const ask = (amountFen: number, byDepartment: boolean) =>
    finance.call<{ id: string }>(path, { json: { ...buyer, amountFen, byDepartment } })
  const settled = async (id: string): Promise<void> => {
    for (let looks = 0; looks < 100; looks += 1) {
      const { state } = await finance.call<{ state: string }>(`/hr/invoices/${id}`)
      if (state === 'issued' || state === 'rejected') return
      await sleep(100)
    }
    throw new Error('the invoice does not come')
  }
  await settled((await ask(Math.floor(fen / 2), true)).id)
  const fault = { method: 'POST', body: JSON.stringify({ kind: 'refuse_title' }) }
  await fetch(`${payUrl}/__ctl/invoices/faults`, fault)
  await settled((await ask(Math.floor(fen / 4), false)).id)
}

async function grant(finance: Visitor, department: string, yuan: number, toDay: string): Promise<void> {
  const { today } = await finance.call<BudgetList>('/hr/budgets')
  await finance.call('/hr/budgets', { json: { department, fromDay: today, toDay, grantedFen: yuan * YUAN } })
}

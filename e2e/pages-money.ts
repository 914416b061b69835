import type { Page } from 'playwright-core'
import type { PagesWorld } from './pages-world.ts'

export type Who = `${'hr' | 'employee'} ${string} ${string}` | 'operator' | 'nobody'
/** `act` opens what a page shows only after a press; a path that begins with http leads to the sandbox. */
export type Place = readonly [name: string, path: string, who: Who, act?: (page: Page) => Promise<void>]

/** Presses what is called so in either language. */
export const press = (name: RegExp) => async (page: Page) => {
  await page.getByRole('button', { name }).first().click({ timeout: 4_000 })
  await page.getByRole('dialog').or(page.locator('form')).first().waitFor({ timeout: 4_000 })
}

/** Where a company pays, and looks after its money: each page and dialog in its states. */
export function moneyPlaces({ campaigns, orders }: PagesWorld): Place[] {
  const all = (name: string, path: string): Place => [name, `/console${path}`, 'hr admin demo']
  return [
    all('payment', `/orders/${orders.open}`),
    ['payment-split', `/console/orders/${orders.open}`, 'hr admin demo', press(/银行限额|Bank limit/)],
    all('payment-done', `/orders/${orders.funded}`),
    ['payment-surplus', `/console/orders/${orders.funded}`, 'hr admin demo', press(/退回多付的 ¥|Refund the surplus/)],
    ['refund-cards', `/console/campaigns/${campaigns.running}`, 'hr admin demo', refundTwo],
    ['take-back', `/console/campaigns/${campaigns.running}`, 'hr admin demo', press(/追回未打开|Take unopened/)],
    all('funds', '/funds'),
    ['funds-alert', '/console/funds', 'hr admin demo', press(/^(设置|Set)$/)],
    all('funds-payments', '/funds?view=payments'),
    ['funds-payments-error', '/console/funds?view=payments', 'hr admin demo', refuse('**/hr/payments?*')],
    all('funds-invoices', '/funds?view=invoices'),
    ['funds-invoice-new', '/console/funds?view=invoices', 'hr admin demo', press(/申请开票|Request an invoice/)],
    ['funds-invoice-reverse', '/console/funds?view=invoices', 'hr admin demo', press(/^红冲|^Reverse/)],
    ['funds-invoices-none', '/console/funds?view=invoices', 'hr boss strict'],
    all('funds-budgets', '/funds?view=budgets'),
    ['funds-budget-new', '/console/funds?view=budgets', 'hr admin demo', press(/新增预算|New budget/)],
    [
      'funds-budget-change',
      '/console/funds?view=budgets',
      'hr admin demo',
      press(/^修改客服部|Change the budget of 客服部/),
    ],
    ['funds-budget-behind', '/console/funds?view=budgets', 'hr admin demo', press(/用到客服部预算|budget of 客服部/)],
    ['funds-budgets-read', '/console/funds?view=budgets', 'hr linxiao demo'],
    ['funds-budgets-empty', '/console/funds?view=budgets', 'hr boss strict'],
    ['funds-denied', '/console/funds', 'hr zhoumin demo'],
  ]
}

/** Chooses the cards of two people, and asks where their money would go. */
async function refundTwo(page: Page): Promise<void> {
  await page.locator('tbody .t-checkbox').nth(0).click()
  await page.locator('tbody .t-checkbox').nth(1).click()
  await press(/退回所选的|Refund \d+ chosen/)(page)
}

/** What a page shows while the server is busy. */
const refuse = (url: string) => async (page: Page) => {
  const body = JSON.stringify({ code: 'busy', status: 429, title: '', requestId: 'req_0000000000000' })
  await page.route(url, (route) => route.fulfill({ status: 429, contentType: 'application/problem+json', body }), {
    times: 1,
  })
  await page.reload()
  await page.getByRole('alert').first().waitFor({ timeout: 4_000 })
}

/** Where money goes after an order is paid, each page in its states. */
export function settlementPlaces({ brand }: PagesWorld): Place[] {
  const at = (name: string, path: string, act?: (page: Page) => Promise<void>): Place =>
    act === undefined ? [`ops-${name}`, `/ops/${path}`, 'operator'] : [`ops-${name}`, `/ops/${path}`, 'operator', act]
  const open = press(/^(查看|Open) /)
  return [
    at('settlement', 'settlement'),
    at('settlement-empty', 'settlement?state=sharing'),
    at('split-stuck', 'settlement?state=stuck', open),
    at('split-finished', 'settlement?state=finished', open),
    at('split-missing', 'settlement?split=spl_0000000000000'),
    at('payouts', 'payouts'),
    at('payouts-empty', 'payouts?state=cancelled'),
    at('payout-drafted', 'payouts?state=drafted', open),
    at('payout-exported', 'payouts?state=exported', open),
    at('payout-refused', 'payouts?state=failed', open),
    at('refunds', 'refunds'),
    at('refunds-open', 'refunds?which=open'),
    at('refund-decide', 'refunds', press(/^(改为银行汇款|Pay by bank transfer)/)),
    at('invoices', 'invoices'),
    at('invoices-open', 'invoices?which=open'),
    at('invoice-retry', 'invoices', press(/^(重新提交|Submit again)/)),
    at('invoice-withdraw', 'invoices', press(/^(撤回申请|Withdraw)/)),
    at('payouts-error', 'payouts', refuse('**/operator/payouts?*')),
    at('differences', 'reconciliation'),
    at('difference-close', 'reconciliation', press(/^(关闭差异|Close difference)/)),
    at('differences-closed', 'reconciliation?view=closed'),
    at('bills', 'reconciliation?view=bills'),
    at('brands', 'brands'),
    at('terms', `brands/${brand}`),
    at('terms-over', `brands/${brand}`, giveTooMuch),
    at('terms-missing', 'brands/xyz'),
  ]
}

async function giveTooMuch(page: Page): Promise<void> {
  await page.locator('input[name=platform]').fill('29.99')
  await page.locator('.t-alert').first().waitFor({ timeout: 4_000 })
}

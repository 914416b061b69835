import { receivePayment } from './accounts.ts'
import { combinedLetter, sendLetter, sendLetterNow, tradeLetter } from './notices.ts'
import type { Letter } from './notices.ts'
import { findCombined, findTrade, newTransactionId, note, partsOf, takeFault, tradeKey } from './state.ts'
import type { Combined, Trade, World } from './state.ts'

/** What the payer may do in the cashier. */
export const outcomes = ['success', 'bank_limit', 'no_money', 'cancel', 'risk'] as const
export type Outcome = (typeof outcomes)[number]

const failures: Record<Exclude<Outcome, 'success'>, string> = {
  bank_limit: '超出银行卡支付限额',
  no_money: '余额不足',
  cancel: '用户取消支付',
  risk: '交易存在风险，已被拦截',
}
/** Whoever pays when nobody else is named. */
export const PAYER = 'oSandboxPayer0001'

/** What became of a payer's move. */
export interface PayResult {
  readonly found: boolean
  readonly state: string | null
  readonly message: string
  /** Of a combined order: that of its first part. */
  readonly transactionId: string | null
}

/** What one payer pays at once: an order by itself, or a combined one with its parts. */
export interface Payable {
  readonly order: Trade | Combined
  readonly parts: readonly Trade[]
  readonly letter: () => Letter
}

/** Finds what is paid under a number: the whole combined order also under the number of one of its parts. */
export function findPayable(world: World, mchid: string, outTradeNo: string): Payable | null {
  const trade = findTrade(world, mchid, outTradeNo)
  const combined = findCombined(world, trade?.combineKey ?? tradeKey(mchid, outTradeNo))
  const order = combined ?? trade
  const merchant = order && world.merchants.get(order.mchid)
  if (!merchant || !order) return null
  if (combined)
    return { order, parts: partsOf(world, combined), letter: () => combinedLetter(world, merchant, combined) }
  return trade ? { order, parts: [trade], letter: () => tradeLetter(world, merchant, trade) } : null
}

/** The payer acts. Every failure leaves the order unpaid; a success is announced in the background. */
export function pay(world: World, mchid: string, outTradeNo: string, openid: string, outcome: Outcome): PayResult {
  const payable = findPayable(world, mchid, outTradeNo)
  if (!payable) return { found: false, state: null, message: '订单不存在', transactionId: null }
  const result = settle(world, payable, openid, outcome)
  if (result.message === PAID) sendLetter(world, payable.letter())
  return result
}

const PAID = '支付成功'

function settle(world: World, { order, parts }: Payable, openid: string, outcome: Outcome): PayResult {
  note(world, { kind: 'pay', mchid: order.mchid, outTradeNo: order.outTradeNo, outcome, state: order.state })
  const result = (message: string): PayResult => ({
    found: true,
    state: order.state,
    message,
    transactionId: parts[0]?.transactionId ?? null,
  })
  if (order.state === 'SUCCESS') return result('该订单已支付')
  if (order.state === 'CLOSED') return result('该订单已关闭')
  if (order.openid !== null && order.openid !== openid) return result('该订单已由其他用户扫码')
  order.openid = openid
  if (outcome !== 'success') {
    order.lastFailure = failures[outcome]
    return result(failures[outcome])
  }
  order.state = 'SUCCESS'
  for (const part of parts) takeIn(world, part, openid)
  return result(PAID)
}

function takeIn(world: World, part: Trade, openid: string): void {
  part.state = 'SUCCESS'
  part.openid = openid
  part.transactionId = newTransactionId(world)
  part.successAtMs = world.now()
  part.bankType = 'OTHERS'
  world.paid.set(part.transactionId, part)
  receivePayment(world, part)
}

/** Where the dial says so, the payer is faster than the answer: the order is paid and announced before it is answered. */
export async function payEarly(world: World, mchid: string, outTradeNo: string): Promise<void> {
  const payable = findPayable(world, mchid, outTradeNo)
  if (payable?.order.state !== 'NOTPAY') return
  if (!takeFault(world, ['notice_early'], payable.order.notifyUrl)) return
  const { message } = settle(world, payable, payable.order.openid ?? PAYER, 'success')
  if (message === PAID) await sendLetterNow(world, payable.letter())
}

import { announce } from './notices.ts'
import { findTrade, newTransactionId, note } from './state.ts'
import type { World } from './state.ts'

/** What the payer may do in the cashier. */
export const outcomes = ['success', 'bank_limit', 'no_money', 'cancel', 'risk'] as const
export type Outcome = (typeof outcomes)[number]

const failures: Record<Exclude<Outcome, 'success'>, string> = {
  bank_limit: '超出银行卡支付限额',
  no_money: '余额不足',
  cancel: '用户取消支付',
  risk: '交易存在风险，已被拦截',
}

/** What became of a payer's move. */
export interface PayResult {
  readonly found: boolean
  readonly state: string | null
  readonly message: string
  readonly transactionId: string | null
}

/** The payer acts. Every failure leaves the order unpaid; a success is announced in the background. */
export function pay(world: World, mchid: string, outTradeNo: string, openid: string, outcome: Outcome): PayResult {
  const trade = findTrade(world, mchid, outTradeNo)
  const merchant = world.merchants.get(mchid)
  if (!trade || !merchant) return { found: false, state: null, message: '订单不存在', transactionId: null }
  note(world, { kind: 'pay', mchid, outTradeNo, outcome, state: trade.state })
  const result = (message: string): PayResult => ({
    found: true,
    state: trade.state,
    message,
    transactionId: trade.transactionId,
  })
  if (trade.state === 'SUCCESS') return result('该订单已支付')
  if (trade.state === 'CLOSED') return result('该订单已关闭')
  if (trade.openid !== null && trade.openid !== openid) return result('该订单已由其他用户扫码')
  trade.openid = openid
  if (outcome !== 'success') {
    trade.lastFailure = failures[outcome]
    return result(failures[outcome])
  }
  trade.state = 'SUCCESS'
  trade.transactionId = newTransactionId(world.now())
  trade.successAtMs = world.now()
  trade.bankType = 'OTHERS'
  announce(world, merchant, trade)
  return result('支付成功')
}

import type { WechatPayTrade } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import { isCombined } from './read-payment.ts'
import { isWholeCombination } from './rules.ts'
import { Payment, type PaymentRow } from './tables.ts'

/**
 * Whether trades that came together are one combined payment of ours, whole: each sub-order once, to its merchant, with
 * its amount, and all of them in the same state, for all are paid or none is (protocols wechat-pay 3). When they are
 * not, nothing of them may be taken: that is written on each payment that they name, and logged.
 */
export async function checkCombined(
  edge: Edge,
  trades: readonly WechatPayTrade[],
  known?: readonly PaymentRow[],
): Promise<boolean> {
  const group = known ?? (await edge.read((tx) => readNamed(tx, trades)))
  if (isWholeCombination(group, trades)) return true
  const said = trades.map(({ mchid, outTradeNo, state, total }) => ({ mchid, outTradeNo, state, total }))
  edge.log.error({ combineNo: group[0]?.combineNo, said }, 'a combined payment is not as it was opened')
  await edge.tx(async (tx) => {
    for (const { id } of group)
      await trail(tx, { objectId: id, act: 'payment.notice_refused', note: 'combined_differs' })
  })
  return false
}

/** All payments of the combination that the first trade is part of. */
async function readNamed(tx: Tx, trades: readonly WechatPayTrade[]): Promise<PaymentRow[]> {
  const outTradeNo = trades[0]?.outTradeNo
  const first =
    outTradeNo === undefined ? null : await tx.em.findOne(Payment, { outTradeNo }, { disableIdentityMap: true })
  if (first === null) return []
  if (!isCombined(first)) return [first]
  return tx.em.find(Payment, { combineNo: first.combineNo }, { orderBy: { id: 'asc' }, disableIdentityMap: true })
}

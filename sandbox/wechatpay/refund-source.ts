import { availableOf, feeOn, rulesOf } from './accounts.ts'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import type { Holding, Refund } from './money-state.ts'
import type { World } from './state.ts'

/** Where a refund is taken; `wait`: there is too little, and it is to be tried again. */
export interface Source {
  readonly fromFrozen: number
  readonly fromAvailable: number
  readonly wait: boolean
}

const invalid = (message: string): Answer => reject(400, 'INVALID_REQUEST', message)
const tooLittle = (message: string): Answer => reject(403, 'NOT_ENOUGH', message)

/**
 * Where the money of a refund comes from (protocol sheet 4.5). Nothing shared and still frozen: from the frozen money,
 * with the fee that comes back. Partly shared: from the frozen rest when that is as much, else refused until it is
 * unfrozen. Not frozen: from the available balance. `from` names it (4.1); of other orders nothing is ever taken.
 */
export function chooseSource(
  world: World,
  holding: Holding,
  amount: number,
  from: Refund['from'] | undefined,
  fundsAccount: 'AVAILABLE' | 'UNSETTLED' | undefined,
): Source | Answer {
  if (fundsAccount === 'UNSETTLED') return invalid('该订单不支持使用未结算资金退款')
  if (fundsAccount === 'AVAILABLE' && holding.frozen > 0) return invalid('该订单不支持指定可用余额退款')
  if (from !== undefined) return named(world, holding, amount, from)
  const back = feeBack(holding, amount)
  if (holding.frozen === 0) {
    if (amount <= availableOf(world, holding.mchid) + back) return { fromFrozen: 0, fromAvailable: amount, wait: false }
    if (rulesOf(world, holding.mchid).poorRefund === 'wait') return { fromFrozen: 0, fromAvailable: amount, wait: true }
    return tooLittle('商户可用退款余额不足')
  }
  const most = holding.shared === 0 ? holding.frozen + back : holding.frozen
  if (amount <= most) return { fromFrozen: amount, fromAvailable: 0, wait: false }
  return tooLittle('订单待分账金额不足，请先解冻剩余资金再退款')
}

/** The fee that comes back with a refund. */
function feeBack(holding: Holding, amount: number): number {
  return holding.fee - feeOn(holding.paid - holding.refundTaken - amount, holding.feeBp)
}

/** The accounts that the caller named: each once, in all the refund, and only for orders that are flagged for sharing. */
function named(world: World, holding: Holding, amount: number, from: Refund['from']): Source | Answer {
  if (!holding.flagged) return invalid('非分账订单不支持指定出资账户')
  const of = (account: string): number => from.find((one) => one.account === account)?.amount ?? 0
  if (new Set(from.map((one) => one.account)).size !== from.length) return invalid('出资账户类型不可重复')
  const [fromFrozen, fromAvailable] = [of('UNAVAILABLE'), of('AVAILABLE')]
  if (fromFrozen + fromAvailable !== amount) return invalid('出资金额之和与退款金额不一致')
  const back = feeBack(holding, amount)
  const frozenMost = holding.frozen + (holding.shared === 0 && fromAvailable === 0 ? back : 0)
  const availableMost = availableOf(world, holding.mchid) + (fromAvailable > 0 ? back : 0)
  if (fromFrozen > frozenMost || fromAvailable > availableMost) return tooLittle('出资账户余额不足')
  return { fromFrozen, fromAvailable, wait: false }
}

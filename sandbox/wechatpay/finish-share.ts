import { available, freeRest, frozen, move, outside, rulesOf } from './accounts.ts'
import type { FailReason, Holding, Share, ShareRow } from './money-state.ts'
import { receiverKey } from './receivers.ts'
import { announceShare } from './money-notices.ts'
import { note } from './state.ts'
import type { World } from './state.ts'

/** Carries out a sharing call: each receiver for itself succeeds or fails. Does nothing the second time. */
export function finishShare(world: World, share: Share, atMs: number): void {
  if (share.state === 'FINISHED') return
  const holding = world.money.holdings.get(share.transactionId)
  if (!holding) throw new Error(`no money of ${share.transactionId}`)
  share.state = 'FINISHED'
  share.finishedAtMs = atMs
  for (const row of share.rows) finishRow(world, share, holding, row, atMs)
  note(world, { kind: 'share', outOrderNo: share.outOrderNo, state: share.state })
}

function finishRow(world: World, share: Share, holding: Holding, row: ShareRow, atMs: number): void {
  row.finishedAtMs = atMs
  holding.reserved -= row.amount
  const cause = { atMs, outNo: share.outOrderNo, voucher: row.detailId }
  if (row.unfreezes) {
    row.result = 'SUCCESS'
    freeRest(world, holding, cause, row.amount)
    return
  }
  row.failReason = failureOf(world, share, row)
  if (row.failReason !== null) {
    row.result = 'CLOSED'
    const over = atMs >= holding.paidAtMs + rulesOf(world, holding.mchid).freezeMs
    if (over || rulesOf(world, holding.mchid).failedShare === 'available') freeRest(world, holding, cause, row.amount)
    return
  }
  row.result = 'SUCCESS'
  const to = row.type === 'MERCHANT_ID' ? available(row.account) : outside(`person ${row.account}`)
  const why = { ...cause, transactionId: holding.transactionId, out: 'share_out', in: 'share_in' } as const
  move(world, frozen(holding), to, row.amount, why)
  holding.shared += row.amount
  announceShare(world, share, row, atMs)
}

/** Why a receiver gets nothing: as it was dialled, or because the relation is gone by now. */
function failureOf(world: World, share: Share, row: ShareRow): FailReason | null {
  const { receiverOutcomes } = world.money
  const dialled = receiverOutcomes.find((one) => one.account === row.account)
  if (dialled) {
    dialled.times -= 1
    if (dialled.times <= 0) receiverOutcomes.splice(receiverOutcomes.indexOf(dialled), 1)
    return dialled.failReason
  }
  if (row.type === 'MERCHANT_ID' && row.account === share.mchid) return null
  const receiver = world.money.receivers.get(receiverKey(share.mchid, row.type, row.account))
  return receiver && !receiver.deleted ? null : 'NO_RELATION'
}

import { fen } from '../../../contract/fen.ts'
import { splitCallMoves, splitMoves, type SplitState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { readTermsAt } from '../catalog/read-terms.ts'
import { readPaidParts } from '../funding/read-paid-parts.ts'
import { nextWork, type NextWork, type PlannedReceiver, type Verdicts } from './next-work.ts'
import { readOrderToSettle, readSales } from './read-sales.ts'
import { basisOf, reckonTargets } from './reckon-targets.ts'
import { feeOf, shareCap, type Target } from './rules.ts'
import { Split, SplitCall, SplitReceiver, type SplitCallRow, type SplitReceiverRow, type SplitRow } from './tables.ts'
import { writeShares, writeUnfreeze, type Bodies } from './write-calls.ts'

/** What a split that is at rest does next: make this call, wait, or nothing (a person, or it is over). */
export type Next =
  | { readonly kind: 'call'; readonly call: SplitCallRow }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'nothing' }

/**
 * Brings the calls that are planned and were never made in line with what is due now, refunds included: calls that say
 * something else are lost and others are written, with numbers of their own. The caller holds the order and the
 * transaction's flight, and no call is under way. `unsplitFen`: what WeChat Pay says can still be shared.
 */
export async function planNext(tx: Tx, bodies: Bodies, split: SplitRow, unsplitFen?: number): Promise<Next> {
  const calls = await readCalls(tx, split)
  const planned = calls.filter((call) => call.state === 'planned')
  const nextSeq = calls.length
  if (split.state === 'unfreezing') {
    const call = planned.find((one) => one.kind === 'unfreeze')
    if (call) return { kind: 'call', call }
    await writeUnfreeze(tx, bodies, split, nextSeq)
    return pick(tx, split)
  }
  const work = await decide(tx, split, calls, unsplitFen)
  if (work.kind === 'share') {
    const standing = await readReceivers(tx, split)
    if (!sameCalls(planned, standing, work.calls)) {
      await loseCalls(tx, planned)
      await writeShares(tx, bodies, split, work.calls, nextSeq)
    }
    return pick(tx, split)
  }
  await loseCalls(tx, planned)
  switch (work.kind) {
    case 'wait':
      return { kind: 'wait', untilMs: work.untilMs }
    case 'stuck':
      await moveSplit(tx, split, 'stuck', work.reason)
      return { kind: 'nothing' }
    case 'unfreeze':
      await moveSplit(tx, split, 'unfreezing')
      await writeUnfreeze(tx, bodies, split, nextSeq)
      return pick(tx, split)
  }
}

async function pick(tx: Tx, split: SplitRow): Promise<Next> {
  const call = (await readCalls(tx, split)).find((one) => one.state === 'planned')
  return call ? { kind: 'call', call } : { kind: 'nothing' }
}

/** All calls of a split, in the order in which they were planned. */
export const readCalls = (tx: Tx, split: Pick<SplitRow, 'id'>): Promise<SplitCallRow[]> =>
  tx.em.find(SplitCall, { splitId: split.id }, { orderBy: { seq: 'asc' }, disableIdentityMap: true })

/** All receivers of all calls of a split, in the order in which they were planned. */
export const readReceivers = (tx: Tx, split: Pick<SplitRow, 'id'>): Promise<SplitReceiverRow[]> =>
  tx.em.find(SplitReceiver, { splitId: split.id }, { orderBy: { id: 'asc' }, disableIdentityMap: true })

/** Receivers of calls that were made, or will be; not those of calls that are lost. */
export async function readLiveReceivers(tx: Tx, split: Pick<SplitRow, 'id'>): Promise<SplitReceiverRow[]> {
  const lost = new Set((await readCalls(tx, split)).filter((call) => call.state === 'lost').map((call) => call.id))
  return (await readReceivers(tx, split)).filter((one) => !lost.has(one.callId))
}

async function decide(
  tx: Tx,
  split: SplitRow,
  calls: readonly SplitCallRow[],
  unsplitFen = Number.MAX_SAFE_INTEGER,
): Promise<NextWork> {
  const { targets, maxRatioBp } = await refreshTargets(tx, split)
  const made = calls.filter((call) => call.state !== 'planned' && call.state !== 'lost')
  const counts = new Set(made.map((call) => call.id))
  const tried = (await readReceivers(tx, split)).filter((one) => counts.has(one.callId))
  const netFen = fen(split.paidFen - split.refundedFen)
  const cap = shareCap(netFen, feeOf(netFen, tx.house.wechatPay.feeBp(split.mchid)), maxRatioBp)
  const verdicts = JSON.parse(split.givenUp) as Verdicts
  const { work, givenUp } = nextWork({
    targets,
    tried: tried.map((one) => ({ ...one, failReason: one.failReason ?? null, finishedAtMs: one.finishedAtMs ?? null })),
    verdicts,
    roomFen: Math.max(0, Math.min(cap - split.sharedFen, unsplitFen)),
    callsMade: made.length,
    nowMs: tx.clock.now(),
  })
  await giveUp(tx, split, givenUp)
  return work
}

/** Reckons who is to get what anew where refunds have moved since. */
async function refreshTargets(tx: Tx, split: SplitRow): Promise<{ targets: Target[]; maxRatioBp: number }> {
  const order = await readOrderToSettle(tx, split.orderId)
  if (!order) throw new Error(`split ${split.id} has no order`)
  const terms = (await readTermsAt(tx, [split.brandId], order.orderedAtMs)).get(split.brandId)!
  const parts = await readPaidParts(tx, split.orderId)
  const part = parts.find((one) => one.paymentId === split.paymentId)
  if (!part) throw new Error(`split ${split.id} has no payment`)
  const basis = basisOf(order, parts, part)
  if (basis !== split.basis) {
    const sale = (await readSales(tx, split.orderId, order.orderedAtMs)).find((one) => one.brandId === split.brandId)
    split.targets = JSON.stringify(sale ? reckonTargets(tx, sale, parts, part) : [])
    split.basis = basis
    await tx.em.nativeUpdate(Split, { id: split.id }, { targets: split.targets, basis })
  }
  return { targets: JSON.parse(split.targets) as Target[], maxRatioBp: terms.maxRatioBp }
}

/** Whether a call that took no effect still says what is due: refunds may have moved while the transaction was free. */
export async function stillDue(tx: Tx, split: SplitRow, call: SplitCallRow): Promise<boolean> {
  if (call.kind === 'unfreeze') return true
  const { basis } = split
  await refreshTargets(tx, split)
  return split.basis === basis
}

/** Remembers receivers whose money goes by payout after all, and why. */
export async function giveUp(tx: Tx, split: SplitRow, reasons: Readonly<Record<string, string>>): Promise<void> {
  if (Object.keys(reasons).length === 0) return
  const known = JSON.parse(split.givenUp) as Verdicts
  const more = Object.entries(reasons).map(([account, reason]) => [
    account,
    { reason, forgiven: known[account]?.forgiven ?? 0 },
  ])
  split.givenUp = JSON.stringify({ ...known, ...(Object.fromEntries(more) as Verdicts) })
  await tx.em.nativeUpdate(Split, { id: split.id }, { givenUp: split.givenUp })
  for (const [account, reason] of Object.entries(reasons))
    await trail(tx, { objectId: split.id, act: 'split.left_to_payout', note: `${account} ${reason}`.slice(0, 200) })
}

/** Calls that were never made, or that certainly took no effect. */
export async function loseCalls(tx: Tx, calls: readonly SplitCallRow[], error: string | null = null): Promise<void> {
  for (const { id, state } of calls)
    await move(tx, { table: 'split_call', id, from: state, to: 'lost', moves: splitCallMoves, set: { error } })
}

/** Moves a split that this transaction holds. Throws when it stands elsewhere. */
export async function moveSplit(tx: Tx, split: SplitRow, to: SplitState, problem: string | null = null): Promise<void> {
  if (split.state === to) {
    if (problem !== null) await change(tx.em, 'update split set problem = ? where id = ?', [problem, split.id])
    return
  }
  // A person looks at what has been tried: a split that never got to a call passes through `sharing`.
  if (to === 'stuck' && split.state === 'planned') await moveSplit(tx, split, 'sharing')
  const step = { table: 'split', id: split.id, from: split.state, to, moves: splitMoves, set: { problem } }
  const moved = await move(tx, problem === null ? step : { ...step, note: problem })
  if (!moved) throw new Error(`split ${split.id} is not ${split.state} any more`)
  split.state = to
  split.problem = problem
}

function sameCalls(
  planned: readonly SplitCallRow[],
  receivers: readonly SplitReceiverRow[],
  wanted: readonly (readonly PlannedReceiver[])[],
): boolean {
  const told = (rows: readonly { account: string; amountFen: number }[]) =>
    rows
      .map((row) => `${row.account} ${row.amountFen}`)
      .sort()
      .join()
  const standing = planned.map((call) => told(receivers.filter((one) => one.callId === call.id)))
  return planned.length > 0 && standing.join(';') === wanted.map(told).join(';')
}

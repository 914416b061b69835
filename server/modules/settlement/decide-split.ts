import type { Id } from '../../../contract/ids.ts'
import type { SplitState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { trail } from '../../kernel/trail.ts'
import { lockOrders } from '../order/lock-orders.ts'
import type { Verdicts } from './next-work.ts'
import { giveUp, moveSplit, readCalls, readLiveReceivers, readReceivers } from './plan-next.ts'
import { sumShares, type Target } from './rules.ts'
import { scheduleSplit } from './schedule-split.ts'
import { Split, type SplitRow } from './tables.ts'

/** Tries a stuck split again: refusals so far count no more. Refuses with `not_found`, `state_conflict`. */
export async function retrySplit(tx: Tx, id: Id<'split'>): Promise<SplitState> {
  const split = await holdStuck(tx, id)
  const closed = (await readReceivers(tx, split)).filter((one) => one.state === 'closed')
  const verdicts = { ...(JSON.parse(split.givenUp) as Verdicts) }
  for (const { account } of closed) {
    const forgiven = closed.filter((one) => one.account === account).length
    verdicts[account] = { reason: verdicts[account]?.reason ?? null, forgiven }
  }
  split.givenUp = JSON.stringify(verdicts)
  await tx.em.nativeUpdate(Split, { id }, { givenUp: split.givenUp })
  return goOn(tx, split, 'split.retried')
}

/** What a stuck split has not shared goes by payout; the rest is unfrozen. Refuses with `not_found`, `state_conflict`. */
export async function leaveToPayout(tx: Tx, id: Id<'split'>): Promise<SplitState> {
  const split = await holdStuck(tx, id)
  const receivers = await readLiveReceivers(tx, split)
  const left = (JSON.parse(split.targets) as Target[]).filter((target) => {
    const got = receivers.filter((one) => one.account === target.account && one.state !== 'closed')
    return got.reduce((sum, one) => sum + one.amountFen, 0) < sumShares(target.shares)
  })
  await giveUp(tx, split, Object.fromEntries(left.map((target) => [target.account, split.problem ?? 'person'])))
  return goOn(tx, split, 'split.given_up')
}

async function holdStuck(tx: Tx, id: Id<'split'>): Promise<SplitRow> {
  const seen = (await tx.em.findOne(Split, { id }, { disableIdentityMap: true })) ?? refuse('not_found')
  await lockOrders(tx, [seen.orderId])
  const split = await tx.em.findOneOrFail(Split, { id }, { disableIdentityMap: true })
  if (split.state !== 'stuck') refuse('state_conflict')
  return split
}

async function goOn(tx: Tx, split: SplitRow, act: string): Promise<SplitState> {
  await trail(tx, { objectId: split.id, act })
  const freeing = (await readCalls(tx, split)).some((call) => call.kind === 'unfreeze')
  await moveSplit(tx, split, freeing || split.unfreezeFor ? 'unfreezing' : 'sharing')
  await scheduleSplit(tx, split, { kind: 'call', atMs: tx.clock.now() })
  return split.state
}

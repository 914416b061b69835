import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { wakeRefund } from './finish-split.ts'
import { giveUp, loseCalls, moveSplit, readCalls } from './plan-next.ts'
import type { Target } from './rules.ts'
import { scheduleSplit } from './schedule-split.ts'
import { Split } from './tables.ts'

/**
 * Frees what is left of a transaction for a refund that is larger than what is frozen, and tells the refund part when it
 * is free (job `refund.part`); also when a person must look (the split is `stuck`). Nothing of it is shared any more: what
 * receivers had still to get goes to payouts. The caller holds the order and has the transaction's flight for the part,
 * so no call of sharing is under way; throws otherwise. Asked for again it changes nothing.
 */
export async function wantUnfreeze(tx: Tx, splitId: Id<'split'>, refundPartId: Id<'refundPart'>): Promise<void> {
  const split = await tx.em.findOneOrFail(Split, { id: splitId }, { disableIdentityMap: true })
  if (split.state === 'finished') return wakeRefund(tx, refundPartId, `freed:${splitId}`)
  if (split.unfreezeFor === refundPartId && split.state !== 'stuck') return
  const calls = await readCalls(tx, split)
  if (calls.some((call) => call.state === 'sent' || call.state === 'processing'))
    throw new Error(`split ${splitId} has a call under way while a refund has the transaction`)
  await loseCalls(
    tx,
    calls.filter((call) => call.state === 'planned'),
  )
  const targets = JSON.parse(split.targets) as Target[]
  await giveUp(tx, split, Object.fromEntries(targets.map((target) => [target.account, 'refund'])))
  await change(tx.em, 'update split set unfreeze_for = ?, version = version + 1 where id = ?', [refundPartId, splitId])
  split.unfreezeFor = refundPartId
  await moveSplit(tx, split, 'unfreezing')
  await scheduleSplit(tx, split, { kind: 'call', atMs: tx.clock.now() })
}

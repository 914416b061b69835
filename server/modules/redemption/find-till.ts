import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readBound } from '../../kernel/sql.ts'
import { readTill } from '../merchant/read-till.ts'
import type { ClerkActor } from '../merchant/read-clerk-actor.ts'
import type { Till } from './till-acts.ts'

/** The clerk who acts. Refuses with `forbidden` for anybody else. */
export function clerkOf(tx: Tx): ClerkActor {
  return tx.actor.kind === 'clerk' ? tx.actor : refuse('forbidden')
}

/** The open shift of a clerk, wherever they began it; null when there is none. */
export async function findOpenShift(
  tx: Tx,
  clerkId: Id<'clerk'>,
): Promise<{ readonly id: Id<'shift'>; readonly shopId: Id<'shop'> } | null> {
  const [row] = await readBound<{ id: Id<'shift'>; shopId: Id<'shop'> }>(
    tx.em,
    "select id, shop_id as shopId from shift where clerk_id = ? and open_mark = 'open'",
    [clerkId],
  )
  return row ?? null
}

/** The last shift that a clerk began in a shop, over or not; null when there was none. */
async function findLastShift(tx: Tx, clerkId: Id<'clerk'>, shopId: Id<'shop'>): Promise<Id<'shift'> | null> {
  const [row] = await readBound<{ id: Id<'shift'> }>(
    tx.em,
    'select id from shift where clerk_id = ? and shop_id = ? order by id desc limit 1',
    [clerkId, shopId],
  )
  return row?.id ?? null
}

/**
 * The till of the clerk who acts, where they stand. `must`: for whoever takes money. It names their last shift even when
 * that is over: the desk refuses what is new then, and still knows what was answered before, for whoever lost the answer.
 * Refuses with `shift_missing` who never began one here. `may`: for whoever gives back; only an open shift is named.
 */
export async function findTill(tx: Tx, shift: 'must' | 'may'): Promise<Till> {
  const { clerkId, shopId } = clerkOf(tx)
  const place = await readTill(tx, tx.actor)
  if (shift === 'must')
    return { ...place, tillId: clerkId, shiftId: (await findLastShift(tx, clerkId, shopId)) ?? refuse('shift_missing') }
  const open = await findOpenShift(tx, clerkId)
  return { ...place, tillId: clerkId, shiftId: open?.shopId === shopId ? open.id : null }
}

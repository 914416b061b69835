import type { Actor, Tx } from './context.ts'
import { insertRows } from './sql.ts'

export interface TrailNote {
  readonly objectId: string
  readonly act: string
  readonly fromState?: string
  readonly toState?: string
  readonly note?: string
}

/** Writes who did what to which object, in the transaction that did it. */
export async function trail(tx: Tx, note: TrailNote): Promise<void> {
  await trailMany(tx, [note])
}

/** The same of many objects, by one statement. */
export async function trailMany(tx: Tx, notes: readonly TrailNote[]): Promise<void> {
  await insertRows(
    tx.em,
    'trail',
    notes.map((note) => rowOf(tx, note)),
  )
}

function rowOf(tx: Tx, note: TrailNote) {
  return {
    id: tx.newId('trail'),
    object_id: note.objectId,
    act: note.act,
    from_state: note.fromState ?? null,
    to_state: note.toState ?? null,
    actor: actorName(tx.actor),
    note: note.note ?? null,
    at_ms: tx.clock.now(),
  }
}

/** The actor as the trail knows it: an id or the name of a part of the house, never a person's name. */
export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case 'member':
      return actor.memberId
    case 'employee':
      return actor.personId
    case 'buyer':
      return actor.buyerId
    case 'clerk':
      return actor.clerkId
    case 'terminal':
      return actor.terminalId
    case 'operator':
      return actor.operatorId
    case 'system':
      return actor.name
    case 'anybody':
      return 'anybody'
  }
}

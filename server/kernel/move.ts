import type { Moves } from '../../contract/states.ts'
import type { Tx } from './context.ts'
import { change } from './sql.ts'
import { trail } from './trail.ts'

export interface Move {
  readonly table: string
  readonly id: string
  readonly from: string
  readonly to: string
  readonly moves: Moves
  /** More columns to set in the same guarded update: numbers, ids, codes and sealed bytes. */
  readonly set?: Readonly<Record<string, string | number | Buffer | null>>
  readonly note?: string
}

/**
 * The only door through which a state changes. Returns false when the object is not in `from` any more (somebody was
 * faster). Throws when the table of moves does not know the step: that is a mistake in the house, not in the input.
 */
export async function move(tx: Tx, step: Move): Promise<boolean> {
  if (!step.moves[step.from]?.includes(step.to)) throw new Error(`${step.table}: no move ${step.from} -> ${step.to}`)
  const more = Object.entries(step.set ?? {})
  const sets = ['state = ?', 'version = version + 1', ...more.map(([column]) => `${column} = ?`)].join(', ')
  const values = [step.to, ...more.map(([, value]) => value), step.id, step.from]
  const changed = await change(tx.em, `update ${step.table} set ${sets} where id = ? and state = ?`, values)
  if (changed !== 1) return false
  await trail(tx, {
    objectId: step.id,
    act: `${step.table}.${step.to}`,
    fromState: step.from,
    toState: step.to,
    ...(step.note === undefined ? {} : { note: step.note }),
  })
  return true
}

import type { Moves } from '../../contract/states.ts'
import type { Tx } from './context.ts'
import { change, updateRows, type Cells } from './sql.ts'
import { trail, trailMany } from './trail.ts'

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

export interface ManyMoves extends Omit<Move, 'id' | 'set' | 'note'> {
  /** All set the same columns. */
  readonly steps: readonly { readonly id: string; readonly set?: Cells; readonly note?: string }[]
  /** What must hold besides the state, in SQL; see updateRows. */
  readonly where?: string
}

/**
 * The same step of many objects at once, by one statement and one of the trail. The caller holds them (or what they
 * belong to): throws when one is not in `from` any more, and all of it is undone.
 */
export async function moveMany(tx: Tx, many: ManyMoves): Promise<void> {
  const { table, from, to, steps } = many
  if (!many.moves[from]?.includes(to)) throw new Error(`${table}: no move ${from} -> ${to}`)
  const rows = steps.map(({ id, set }) => ({ id, ...set })).sort((a, b) => (a.id < b.id ? -1 : 1))
  const sets = Object.keys(steps[0]?.set ?? {}).map((column) => `${column} = new_${column}`)
  const changed = await updateRows(tx.em, table, rows, {
    set: [`state = '${to}'`, 'version = version + 1', ...sets].join(', '),
    where: `state = '${from}'${many.where === undefined ? '' : ` and ${many.where}`}`,
  })
  if (changed !== steps.length) throw new Error(`${table}: ${changed} of ${steps.length} moved ${from} -> ${to}`)
  await trailMany(
    tx,
    steps.map(({ id, note }) => ({
      objectId: id,
      act: `${table}.${to}`,
      fromState: from,
      toState: to,
      ...(note === undefined ? {} : { note }),
    })),
  )
}

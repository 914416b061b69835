import type { Edge, Tx } from './context.ts'
import { coalesce } from './coalesce.ts'
import type { House } from './house.ts'

interface Item<I> {
  readonly edge: Edge
  readonly input: I
}

/** Items of one transaction: few enough that SQLite's only writer moves on. */
const MOST = 100
/** 2,000 people stand before one wall: all may wait, and more besides. */
const WAITING = 10_000

/**
 * A command that a whole shift gives at once, done in groups: one transaction for many people. Each house has its own
 * line. Whoever asks counts for nothing in there: all act as nobody in particular. Outcomes come as a list; throwing
 * fails the item alone.
 */
export function inGroups<I, O>(
  doMany: (tx: Tx, inputs: readonly I[]) => Promise<readonly O[]>,
): (edge: Edge, input: I) => Promise<O> {
  const lines = new WeakMap<House, (item: Item<I>) => Promise<O>>()
  return (edge, input) => {
    const known = lines.get(edge.house)
    const line = known ?? newLine(doMany)
    if (known === undefined) lines.set(edge.house, line)
    return line({ edge, input })
  }
}

/** All of a line are on the same database: the first one's transaction does for all. */
function newLine<I, O>(doMany: (tx: Tx, inputs: readonly I[]) => Promise<readonly O[]>) {
  return coalesce<Item<I>, O>({
    doMany: (items) =>
      items[0]!.edge.tx((tx) =>
        doMany(
          { ...tx, actor: { kind: 'anybody' } },
          items.map(({ input }) => input),
        ),
      ),
    most: MOST,
    atOnce: 1,
    waiting: WAITING,
  })
}

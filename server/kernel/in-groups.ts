import type { Edge, Tx } from './context.ts'
import { coalesce, type Coalescing } from './coalesce.ts'
import type { House } from './house.ts'

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
  options: Pick<Coalescing<I, O>, 'crowdAt' | 'paceMs'> = {},
): (edge: Edge, input: I) => Promise<O> {
  return lined<Edge, I, O>((edge, inputs) => edge.tx((tx) => doMany(asNobody(tx), inputs)), { atOnce: 1, ...options })
}

/** What is enough to read by. */
export type Reader = Pick<Edge, 'read' | 'house'>

/** A question that many ask in the same moment, asked for all of them at once; as `inGroups`, without a transaction. */
export function readInGroups<I, O>(
  readMany: (tx: Tx, inputs: readonly I[]) => Promise<readonly O[]>,
  options: Pick<Coalescing<I, O>, 'paceMs'> = {},
): (reader: Reader, input: I) => Promise<O> {
  return lined<Reader, I, O>((reader, inputs) => reader.read((tx) => readMany(asNobody(tx), inputs)), {
    atOnce: 2,
    crowdAt: null,
    ...options,
  })
}

const asNobody = (tx: Tx): Tx => ({ ...tx, actor: { kind: 'anybody' } })

/** A line of each house. All of a line are on the same database: what the first one came with does for all. */
function lined<E extends Pick<Edge, 'house'>, I, O>(
  doMany: (first: E, inputs: readonly I[]) => Promise<readonly O[]>,
  options: Pick<Coalescing<I, O>, 'atOnce' | 'crowdAt' | 'paceMs'>,
): (edge: E, input: I) => Promise<O> {
  type Item = { readonly edge: E; readonly input: I }
  const newLine = () =>
    coalesce<Item, O>({
      doMany: (items) =>
        doMany(
          items[0]!.edge,
          items.map(({ input }) => input),
        ),
      most: MOST,
      waiting: WAITING,
      ...options,
    })
  const lines = new WeakMap<House, ReturnType<typeof newLine>>()
  return (edge, input) => {
    const line = lines.get(edge.house) ?? newLine()
    lines.set(edge.house, line)
    return line({ edge, input })
  }
}

import { formatYuan } from '../../../contract/fen.ts'
import type { RedemptionView } from '../../../contract/till.ts'
import { coalesce } from '../../kernel/coalesce.ts'
import type { Edge } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import type { House } from '../../kernel/house.ts'
import { actAtTill } from './act-at-till.ts'
import type { TillAct, TillOutcome } from './till-acts.ts'

/** Acts of one transaction: its cards are held for some milliseconds at most, and SQLite's only writer moves on. */
const MOST = 128
/** While one transaction waits for its commit, the next is put together. */
const AT_ONCE = 2
/** A second of work, and a little more: who comes then is told to come again. */
const WAITING = 10_000

const desks = new WeakMap<House, (act: TillAct, edge: Edge) => Promise<TillOutcome>>()

/**
 * Where all tills of a house come together: acts that arrive in the same moment are done in one transaction. Answers after
 * the commit. Throws the refusal of an act as AppError, and `busy` when too many wait.
 */
export function tillDeskOf(edge: Edge): (act: TillAct) => Promise<RedemptionView> {
  const known = desks.get(edge.house)
  const desk = known ?? newDesk()
  if (known === undefined) desks.set(edge.house, desk)
  return async (act) => {
    const outcome = await desk(act, edge)
    if (outcome.ok) return outcome.view
    const { code, field, availableFen } = outcome
    throw new AppError(code, {
      ...(field === undefined ? {} : { field }),
      ...(availableFen === undefined ? {} : { availableFen, detail: sayAvailable(availableFen) }),
    })
  }
}

function newDesk(): (act: TillAct, edge: Edge) => Promise<TillOutcome> {
  const line = coalesce<{ act: TillAct; edge: Edge }, TillOutcome>({
    // The tills are named in what is written; the transaction itself is nobody's in particular.
    doMany: (items) =>
      items[0]!.edge.tx((tx) =>
        actAtTill(
          { ...tx, actor: { kind: 'system', name: 'till' } },
          items.map(({ act }) => act),
        ),
      ),
    most: MOST,
    atOnce: AT_ONCE,
    waiting: WAITING,
  })
  return (act, edge) => line({ act, edge })
}

const sayAvailable = (fen: number) => ({
  zh: `现在可用 ${formatYuan(fen)}。`,
  en: `Available now: ${formatYuan(fen)}.`,
})

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Seeded } from './seeded.ts'

/** Lets the others go on until it is one's turn again. */
type Turn = () => Promise<void>
const turns = new AsyncLocalStorage<Turn | null>()

/**
 * Does several things at once, in an order that chance draws: one runs until it comes to a boundary (`boundary`), there
 * another may go on. Never two of them run between two boundaries, so the same seed mixes them the same way.
 */
export async function together<T>(
  chance: Seeded,
  doings: readonly (() => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  const waiting: (() => void)[] = []
  const wait = () => new Promise<void>((resolve) => void waiting.push(resolve))
  const letGo = (): void => {
    if (waiting.length > 0) waiting.splice(chance.between(0, waiting.length - 1), 1)[0]!()
  }
  const turn: Turn = () => {
    const mine = wait()
    letGo()
    return mine
  }
  const running = doings.map(async (doing) => {
    await wait()
    try {
      return await turns.run(turn, doing)
    } finally {
      letGo()
    }
  })
  letGo()
  return Promise.allSettled(running)
}

/** Before and after a transaction or a call, and never inside one: here others may go on. */
export const boundary = async (): Promise<void> => turns.getStore()?.()

/** Work that others never come in between: what waits for one another inside would else wait for ever. */
export const alone = <T>(work: () => Promise<T>): Promise<T> => turns.run(null, work)

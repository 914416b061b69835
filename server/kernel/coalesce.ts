import { AppError } from './errors.ts'

export interface Coalescing<I, O> {
  /** Does many items in one transaction; answers in their order. Called again with fewer items after a failure. */
  readonly doMany: (items: readonly I[]) => Promise<readonly O[]>
  /** Items of one transaction at most. */
  readonly most: number
  /** Transactions side by side at most: while one waits for the database, the next is put together. */
  readonly atOnce: number
  /** Items that may wait; one more is refused with `busy`. */
  readonly waiting: number
  /**
   * From how many items on a transaction tells of a crowd: a fifth of a full one unless said. Null: never, for its callers wait for
   * background work as well, which gives way to none of them.
   */
  readonly crowdAt?: number | null
  /**
   * So long after one in which several went together another begins at the earliest (ms), unless it is full: whoever comes alone
   * goes at once, and in a rush more go together. For what nobody hurries for.
   */
  readonly paceMs?: number
}

interface Waiting<I, O> {
  readonly item: I
  readonly resolve: (outcome: O) => void
  readonly reject: (error: unknown) => void
}

/** On a quiet system hardly two come together. */
const CROWDED = 0.2
/** A crowd comes in waves, full transactions and small ones by turns: so long after a full one it is still there. */
const CROWD_LASTS_MS = 250
let crowdedUntil = 0

/** Whether callers of this process crowd into transactions: background work then leaves them the processor. */
export const isCrowded = (): boolean => performance.now() < crowdedUntil

/**
 * Turns a hot command into few transactions: whatever comes while they run goes together into the next, so a quiet
 * system answers at once and a busy one commits in groups. Each caller is answered after the commit of its own batch.
 * A batch that fails is tried once more as a whole (a deadlock), then item by item, so that one bad item fails alone.
 * Throws AppError `busy` with a time to come back when the queue is full.
 */
export function coalesce<I, O>(options: Coalescing<I, O>): (item: I) => Promise<O> {
  const { crowdAt = options.most * CROWDED } = options
  const queue: Waiting<I, O>[] = []
  let running = 0
  let nextMs = 0
  let hurry = (): void => undefined

  /** Until it is time for the next one, or it is full. */
  const keepPace = async (): Promise<void> => {
    const early = nextMs - performance.now()
    if (early > 0 && queue.length < options.most)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, early)
        hurry = () => {
          clearTimeout(timer)
          resolve()
        }
      })
  }
  const runAll = async (): Promise<void> => {
    while (queue.length > 0) {
      await keepPace()
      const batch = queue.splice(0, options.most)
      // Another that kept pace beside this one took all.
      if (batch.length === 0) break
      if (batch.length > 1) nextMs = performance.now() + (options.paceMs ?? 0)
      const isCrowd = crowdAt !== null && batch.length >= crowdAt
      if (isCrowd) crowdedUntil = performance.now() + CROWD_LASTS_MS
      await runBatch(options, batch)
      if (isCrowd) crowdedUntil = performance.now() + CROWD_LASTS_MS
    }
    running -= 1
  }
  return (item) => {
    if (queue.length >= options.waiting) return Promise.reject(new AppError('busy', { retryAfterMs: 1000 }))
    return new Promise<O>((resolve, reject) => {
      queue.push({ item, resolve, reject })
      if (queue.length >= options.most) hurry()
      // Starting a turn later lets what arrives in the same moment go together.
      if (running < options.atOnce) {
        running += 1
        setImmediate(() => void runAll())
      }
    })
  }
}

async function runBatch<I, O>(options: Coalescing<I, O>, batch: readonly Waiting<I, O>[]): Promise<void> {
  const items = batch.map((one) => one.item)
  try {
    settle(batch, await options.doMany(items).catch(() => options.doMany(items)))
  } catch (error) {
    if (batch.length === 1) return batch[0]!.reject(error)
    for (const one of batch) {
      try {
        settle([one], await options.doMany([one.item]))
      } catch (own) {
        one.reject(own)
      }
    }
  }
}

function settle<I, O>(batch: readonly Waiting<I, O>[], outcomes: readonly O[]): void {
  if (outcomes.length !== batch.length) throw new Error('a batch was not answered item by item')
  batch.forEach((one, index) => one.resolve(outcomes[index]!))
}

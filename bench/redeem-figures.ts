/** What came of purchases of one kind, over all their rounds. */
export interface Run {
  seconds: number
  done: number
  readonly ms: number[]
}

export interface RunFigures {
  readonly done: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly worstMs: number
}

/** Of the whole run, not of its best second. */
export function figuresOf({ seconds, done, ms }: Run): RunFigures {
  const sorted = ms.toSorted((a, b) => a - b)
  const at = (share: number): number => Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 10) / 10
  const perSecond = Math.round(done / seconds)
  return { done, perSecond, p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), worstMs: at(1) }
}

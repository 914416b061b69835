import type { Cut, Line } from './line.ts'
import type { DayCompared, Till } from './till.ts'

/** Something that the platform told by itself. */
export interface ToldEvent {
  readonly atMs: number
  readonly event: string
  readonly signed: boolean
  readonly body: string
}

/** One till with what it is told to go through. */
export interface TillWorld {
  line: Line | null
  till: Till | null
  webhookSecret: string
  cut: Cut | null
  cutTimes: number
  day: string
  compared: DayCompared | null
  events: ToldEvent[]
}

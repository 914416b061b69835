import type { RaceStage, Runner } from './stage.ts'
import type { Act, Side } from './turns.ts'

/** Who of two got what they want. */
export type Won = Readonly<Record<Side, boolean>>

/** Two who want the same. */
export interface Contest {
  /** What they want, as reports name it. */
  readonly of: string
  /** The clock of each, where it differs from the stage's. */
  readonly clocks?: Readonly<Record<Side, number>>
  /** True: it got it. */
  readonly first: Act
  readonly second: Act
  /** Whether each would get it without the other; both, unless said. */
  readonly mayWin?: Readonly<Record<Side, boolean>>
  /** What must not be, besides that both got it. */
  readonly wrong: (won: Won) => readonly string[]
}

/** What a pair of rivals is. */
export interface RacingPair {
  readonly coolingOffMs: number
  /** How far one of the two may lag behind, in real time. */
  readonly mostBehindMs: number
  readonly prepare: (stage: RaceStage, count: number) => Promise<Runner[]>
  readonly contest: (stage: RaceStage, runner: Runner) => Promise<Contest>
  /** What both had at some time, whatever they say themselves, as contests name it. */
  readonly met?: (stage: RaceStage) => Promise<ReadonlySet<string>>
  /** Follows some of the batches to their very end; what is wrong then. */
  readonly end?: (stage: RaceStage, runners: readonly Runner[]) => Promise<string[]>
}

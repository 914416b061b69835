import { sql } from '../server/kernel/sql.ts'
import type { Cast } from './cast.ts'
import type { Stage } from './stage.ts'

/** One thing that somebody does; what it says goes into the log of the story. */
export type Act = (stage: Stage, cast: Cast) => Promise<string>

/** What an act says that found nobody to act on. */
export const NOTHING = 'nothing to do'

/** What an act chooses from. */
export const rows = <T>(stage: Stage, text: string, values: readonly string[] = []): Promise<T[]> =>
  stage.look((tx) => sql<T>(tx.em, text, values))

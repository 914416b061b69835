import type { StatementEntry } from '../contract/statement-entry.ts'
import { sql } from '../server/kernel/sql.ts'
import { importStatement } from '../server/modules/funding/import-statement.ts'
import type { Cast } from './cast.ts'
import type { Stage } from './stage.ts'

/** One thing that somebody does; what it says goes into the log of the story. */
export type Act = (stage: Stage, cast: Cast) => Promise<string>

/** What an act says that found nobody to act on. */
export const NOTHING = 'nothing to do'

/** What an act chooses from. */
export const rows = <T>(stage: Stage, text: string, values: readonly string[] = []): Promise<T[]> =>
  stage.look((tx) => sql<T>(tx.em, text, values))

/** A bank's statement comes; the same file may come again later. */
export async function bringStatement(
  stage: Stage,
  cast: Cast,
  lines: readonly Omit<StatementEntry, 'row' | 'serial'>[],
): Promise<void> {
  const entries = lines.map((line, row) => ({ row, serial: stage.chance.bytes(8).toString('hex'), ...line }))
  const file = { fileName: 'bank.csv', bytes: stage.chance.bytes(16), read: { entries, faults: [], refusal: null } }
  const bring = () => importStatement(stage.edge(cast.operator), file, 'en')
  stage.done.push({ again: async () => `the statement of ${(await bring()).id} comes again` })
  await bring()
}

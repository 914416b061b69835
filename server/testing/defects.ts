import { expect } from 'vitest'
import { change, sql } from '../kernel/sql.ts'
import { proveBooks } from '../modules/analytics/prove-books.ts'
import type { TestDatabase } from './databases.ts'

/** For each rule of the proof what must not be: `X` is the id that `of` finds first, and each statement changes something. */
export type Defects = Readonly<Record<string, readonly [of: string, ...plant: string[]]>>

/** Ends the transaction without leaving a trace. */
class Undo extends Error {}

/** Plants one defect after the other and takes it out again: each rule must notice its own. */
export async function noticesEach(database: TestDatabase, defects: Defects): Promise<void> {
  for (const [rule, [of, ...plant]] of Object.entries(defects)) {
    const found: string[] = []
    const planted = database.tx(async (tx) => {
      const [row] = await sql<{ id: string }>(tx.em, of)
      for (const text of plant) {
        const ids = Array<string>(text.split(' X').length - 1).fill(row?.id ?? '')
        const changed = await change(tx.em, text.replaceAll(' X', ' ?'), ids)
        expect(changed, `nothing was planted for ${rule}`).toBeGreaterThan(0)
      }
      found.push(...(await proveBooks(tx)).map((finding) => finding.rule))
      throw new Undo()
    })
    await expect(planted).rejects.toThrow(Undo)
    expect(found, `${rule} did not notice its defect`).toContain(rule)
  }
}

import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { dayIndexesOf, openFacts } from './seal-person.ts'

const PEOPLE_PER_PIECE = 500

/**
 * Gives the next people after one the fingerprints of their days, from what is sealed: for those who were on the staff
 * before such fingerprints were kept. Returns the last it looked at, null at the end. Harmless to repeat.
 */
export async function indexDays(tx: Tx, after: string): Promise<Id<'person'> | null> {
  const rows = await sql<{ id: Id<'person'>; sealed: Uint8Array; birthday: string | null; hired: string | null }>(
    tx.em,
    `select id, sealed, birthday_index as birthday, hire_day_index as hired from person where id > ? order by id limit ${PEOPLE_PER_PIECE}`,
    [after],
  )
  for (const row of rows) {
    const { birthdayIndex, hireDayIndex } = dayIndexesOf(tx.house, openFacts(tx.house, row))
    if (birthdayIndex === row.birthday && hireDayIndex === row.hired) continue
    await change(tx.em, 'update person set birthday_index = ?, hire_day_index = ? where id = ?', [
      birthdayIndex,
      hireDayIndex,
      row.id,
    ])
  }
  return rows.at(-1)?.id ?? null
}

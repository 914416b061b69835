import type { Id } from '../../../contract/ids.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { dayIndex, openFacts, type PersonDay } from './seal-person.ts'

/** Somebody who has their day on a day. */
export interface Celebrated {
  readonly day: string
  readonly personId: Id<'person'>
  readonly department: string | null
  /** Full years with the company on that day, at least one; null for a birthday, whose year nobody knows. */
  readonly years: number | null
}

const indexColumns = { birthday: 'birthday_index', hireDay: 'hire_day_index' } as const
/** Days asked for at once; each is one or two fingerprints. */
const DAYS_PER_QUERY = 100

/**
 * Who of a company's active people has their birthday, or has been there for full years, on one of these days
 * (YYYY-MM-DD), by day and then by id. 29 February is celebrated on the 28th in years without it.
 */
export async function readCelebrated(
  tx: Tx,
  wish: { readonly companyId: Id<'company'>; readonly kind: PersonDay; readonly days: readonly string[] },
): Promise<Celebrated[]> {
  const dayOfIndex = new Map<string, string[]>()
  for (const day of wish.days)
    for (const monthDay of celebratedOn(day)) {
      const index = dayIndex(tx.house, wish.kind, monthDay)
      dayOfIndex.set(index, [...(dayOfIndex.get(index) ?? []), day])
    }
  const column = indexColumns[wish.kind]
  const found: Celebrated[] = []
  const indexes = [...dayOfIndex.keys()]
  for (let from = 0; from < indexes.length; from += DAYS_PER_QUERY) {
    const some = indexes.slice(from, from + DAYS_PER_QUERY)
    const rows = await sql<DayRow>(
      tx.em,
      `select id, department, ${column} as day_index, sealed from person
       where company_id = ? and state = 'active' and ${column} in (${some.map(() => '?').join(',')})`,
      [wish.companyId, ...some],
    )
    for (const row of rows)
      for (const day of dayOfIndex.get(row.day_index) ?? []) found.push(...celebrated(tx, wish.kind, row, day))
  }
  return found.sort((a, b) => (`${a.day}${a.personId}` < `${b.day}${b.personId}` ? -1 : 1))
}

interface DayRow {
  readonly id: Id<'person'>
  readonly department: string | null
  readonly day_index: string
  readonly sealed: Uint8Array
}

function celebrated(tx: Tx, kind: PersonDay, row: DayRow, day: string): Celebrated[] {
  const who = { day, personId: row.id, department: row.department }
  if (kind === 'birthday') return [{ ...who, years: null }]
  const years = yearsOn(openFacts(tx.house, row).hireDate, day)
  return years === null ? [] : [{ ...who, years }]
}

/** The days of the year (MM-DD) that are celebrated on a day: on 28 February of a short year the 29th too. */
export function celebratedOn(day: string): string[] {
  const monthDay = day.slice(5)
  return monthDay === '02-28' && addDays(day, 1).endsWith('-03-01') ? ['02-28', '02-29'] : [monthDay]
}

/** Full years from a hire date to a day; null before the first. */
export function yearsOn(hireDate: string | null, day: string): number | null {
  if (hireDate === null) return null
  const years =
    Number(day.slice(0, 4)) - Number(hireDate.slice(0, 4)) - (day.slice(5) < celebratedIn(hireDate, day) ? 1 : 0)
  return years >= 1 ? years : null
}

/** When in the year of `day` a hire date is celebrated. */
function celebratedIn(hireDate: string, day: string): string {
  const monthDay = hireDate.slice(5)
  return monthDay === '02-29' && celebratedOn(`${day.slice(0, 4)}-02-28`).length === 2 ? '02-28' : monthDay
}

/** Full years of a person with the company on a day; null before the first, or where nobody said when they came. */
export async function readYears(tx: Tx, personId: Id<'person'>, day: string): Promise<number | null> {
  const [row] = await sql<{ id: string; sealed: Uint8Array }>(tx.em, 'select id, sealed from person where id = ?', [
    personId,
  ])
  return row === undefined ? null : yearsOn(openFacts(tx.house, row).hireDate, day)
}

/** How many of a company's active people have no such day that anybody knows. */
export async function countWithoutDay(tx: Tx, companyId: Id<'company'>, kind: PersonDay): Promise<number> {
  const [row] = await sql<{ people: unknown }>(
    tx.em,
    `select count(*) as people from person where company_id = ? and state = 'active' and ${indexColumns[kind]} is null`,
    [companyId],
  )
  return Number(row?.people ?? 0)
}

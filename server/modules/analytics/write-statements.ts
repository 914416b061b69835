import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import { CHINA, dayOf, startOfDay } from '../../kernel/company-day.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { insertIgnore, sql } from '../../kernel/sql.ts'
import { readFilingsAt } from '../catalog/read-filing.ts'
import { quarterEndBefore, requiredCustody, shortfallOf } from '../compliance/custody-rules.ts'
import { noteShortfalls } from '../compliance/note-shortfalls.ts'
import { afterMoved, readMoved } from '../compliance/read-prepaid.ts'
import { readCovers, type Issuer } from '../compliance/read-standing.ts'

/** A day is written once its last transactions are surely committed: none takes a quarter of an hour. */
const SETTLED_MS = 15 * 60_000

/**
 * The body of job `custody.write`: writes the custody statement of every brand for each day of China that has ended and
 * has none, oldest first, a day a transaction, then raises and ends alarms. A brand's first day is that of its making.
 * May be killed, run again and run twice at once: a brand and day has one row, and what it says depends on the books
 * alone. Returns how many rows were missing.
 */
export async function writeStatements(edge: Edge): Promise<number> {
  let written = 0
  for (let rows = await edge.tx(writeNextDay); rows > 0; rows = await edge.tx(writeNextDay)) written += rows
  const standings = await edge.tx(async (tx) =>
    noteShortfalls(
      tx,
      (await readIssuers(tx)).map(({ brand }) => brand),
    ),
  )
  const short = standings.filter((standing) => standing.shortfallFen > 0).length
  edge.log.info({ written, brands: standings.length, short }, 'custody statements written')
  return written
}

interface Waiting {
  readonly brand: Issuer
  /** The first day that it has no statement of. */
  readonly nextDay: string
}

async function readIssuers(tx: Tx): Promise<Waiting[]> {
  const rows = await sql<{ id: Id<'brand'>; name: string; createdAtMs: unknown; lastDay: string | null }>(
    tx.em,
    `select brand.id as id, brand.name as name, brand.created_at_ms as createdAtMs, last.day as lastDay
      from brand left join (select brand_id, max(day) as day from custody_statement group by brand_id) as last
      on last.brand_id = brand.id order by brand.id`,
  )
  return rows.map(({ id, name, createdAtMs, lastDay }) => ({
    brand: { id, name, createdAtMs: Number(createdAtMs) },
    nextDay: lastDay === null ? dayOf(Number(createdAtMs), CHINA) : addDays(lastDay, 1),
  }))
}

/** Writes the oldest day that any brand lacks; answers for how many, 0: none is due. */
async function writeNextDay(tx: Tx): Promise<number> {
  const waiting = await readIssuers(tx)
  const today = dayOf(tx.clock.now() - SETTLED_MS, CHINA)
  const day = waiting.map((one) => one.nextDay).sort()[0]
  if (day === undefined || day >= today) return 0
  const brandIds = waiting.filter((one) => one.nextDay === day).map((one) => one.brand.id)
  const [fromMs, toMs] = [startOfDay(day, CHINA), startOfDay(addDays(day, 1), CHINA)]
  const begins = await readBalances(tx, brandIds, addDays(day, -1))
  const quarters = await readBalances(tx, brandIds, quarterEndBefore(day))
  const moved = await readMoved(tx, fromMs, toMs)
  const cards = await countIssued(tx, fromMs, toMs)
  const filings = await readFilingsAt(tx, brandIds, toMs)
  const covers = await readCovers(tx, brandIds, day)
  const rows = brandIds.map((brandId) => {
    const [beginFen, quarterFen] = [begins.get(brandId) ?? fen(0), quarters.get(brandId) ?? fen(0)]
    const { issuedFen = fen(0), redeemedFen = 0, refundedFen = fen(0) } = moved.get(brandId) ?? {}
    const filed = filings.get(brandId)?.class ?? null
    const requiredFen = requiredCustody(filed, quarterFen)
    const { confirmedFen, confirmedDay, guaranteeFen } = covers(brandId)
    return {
      id: tx.newId('custodyStatement'),
      brand_id: brandId,
      day,
      from_ms: fromMs,
      to_ms: toMs,
      class: filed,
      begin_fen: beginFen,
      issued_cards: cards.get(brandId) ?? 0,
      issued_fen: issuedFen,
      redeemed_fen: redeemedFen,
      refunded_fen: refundedFen,
      balance_fen: afterMoved(beginFen, moved.get(brandId)),
      quarter_fen: quarterFen,
      required_fen: requiredFen,
      confirmed_fen: confirmedFen,
      confirmed_day: confirmedDay,
      guarantee_fen: guaranteeFen,
      shortfall_fen: shortfallOf(requiredFen, confirmedFen, guaranteeFen),
      written_at_ms: tx.clock.now(),
    }
  })
  await insertIgnore(tx.em, 'custody_statement', rows)
  return rows.length
}

/** The balances that the statements of a day say; a brand that has none of that day is left out. */
async function readBalances(
  tx: Tx,
  brandIds: readonly Id<'brand'>[],
  day: string,
): Promise<ReadonlyMap<Id<'brand'>, Fen>> {
  const rows = await sql<{ brandId: Id<'brand'>; fen: unknown }>(
    tx.em,
    `select brand_id as brandId, balance_fen as fen from custody_statement
      where brand_id in (${brandIds.map(() => '?').join(',')}) and day = ?`,
    [...brandIds, day],
  )
  return new Map(rows.map((row) => [row.brandId, fen(Number(row.fen))]))
}

/** How many cards of each brand were made between two instants: those of the slices whose entries stand there. */
async function countIssued(tx: Tx, fromMs: number, toMs: number): Promise<ReadonlyMap<Id<'brand'>, number>> {
  const rows = await sql<{ brandId: Id<'brand'>; cards: unknown }>(
    tx.em,
    `select template_version.brand_id as brandId, count(*) as cards
      from entry join order_slice on order_slice.id = entry.ref
      join order_item on order_item.order_id = order_slice.order_id
        and order_item.seq >= order_slice.from_seq and order_item.seq < order_slice.to_seq
      join template_version on template_version.id = order_item.template_version_id
      where entry.at_ms >= ? and entry.at_ms < ? and entry.kind = 'issued' group by template_version.brand_id`,
    [fromMs, toMs],
  )
  return new Map(rows.map((row) => [row.brandId, Number(row.cards)]))
}

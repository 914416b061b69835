import { addDays, wallAt } from '../../../contract/wall-clock.ts'
import type { Id } from '../../../contract/ids.ts'
import { CHINA, startOfDay } from '../../kernel/company-day.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** Lines read at a time: a statement that holds nothing up. */
const PAGE = 1000
/** A transaction that began before midnight has ended by then: the file of yesterday stays as it is. */
const SETTLED_MS = 10 * 60_000
const HEADER = 'movement,at,kind,authorisation,ref,till,amount_fen'

interface Line {
  readonly id: string
  readonly at: unknown
  readonly kind: string
  readonly redemptionId: string
  readonly ref: string | null
  readonly tillId: string
  readonly amount: unknown
}

/**
 * The file of a shop's day in China, piece by piece: each movement of all its tills in a line, in the order of time and
 * id, what came back negative; then a line `total` with the day, whether more may come (`open`, `closed`), and the number
 * of lines, what was taken, what came back, and the difference. Each piece is read when it is asked for.
 */
export async function* readDayFile(edge: Edge, shopId: Id<'shop'>, day: string, atOnce = PAGE): AsyncGenerator<string> {
  const fromMs = startOfDay(day, CHINA)
  const toMs = startOfDay(addDays(day, 1), CHINA)
  const state = edge.clock.now() >= toMs + SETTLED_MS ? 'closed' : 'open'
  const totals = { lines: 0, captured: 0, returned: 0 }
  yield `${HEADER}\r\n`
  let after = { at: fromMs, id: '' }
  for (;;) {
    const lines = await edge.read((tx) => readLines(tx, shopId, after, toMs, atOnce))
    for (const line of lines) {
      totals.lines += 1
      totals[line.kind === 'capture' ? 'captured' : 'returned'] += Number(line.amount)
    }
    const last = lines.at(-1)
    if (last === undefined) break
    yield lines.map(rowOf).join('')
    after = { at: Number(last.at), id: last.id }
  }
  const { lines, captured, returned } = totals
  yield `total,${day},${state},${lines},${captured},${returned},${captured - returned}\r\n`
}

async function readLines(
  tx: Tx,
  shopId: Id<'shop'>,
  after: { readonly at: number; readonly id: string },
  toMs: number,
  atOnce: number,
): Promise<Line[]> {
  return sql<Line>(
    tx.em,
    `select movement.id as id, movement.at_ms as at, movement.kind as kind, movement.redemption_id as redemptionId,
        redemption.ref as ref, movement.till_id as tillId, movement.amount_fen as amount
      from redemption_movement movement join redemption on redemption.id = movement.redemption_id
      where movement.shop_id = ? and movement.at_ms >= ? and movement.at_ms < ?
        and (movement.at_ms > ? or movement.id > ?)
      order by movement.at_ms, movement.id limit ?`,
    [shopId, after.at, toMs, after.at, after.id, atOnce],
  )
}

function rowOf(line: Line): string {
  const amount = line.kind === 'capture' ? Number(line.amount) : -Number(line.amount)
  const cells = [line.id, chinaTime(Number(line.at)), line.kind, line.redemptionId, line.ref ?? '', line.tillId, amount]
  return `${cells.map((cell) => quoted(String(cell))).join(',')}\r\n`
}

/** 2026-11-23T12:00:00.123+08:00 */
function chinaTime(ms: number): string {
  const { day } = wallAt(ms, CHINA)
  return `${day}T${new Date(ms + 8 * 3_600_000).toISOString().slice(11, 23)}+08:00`
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

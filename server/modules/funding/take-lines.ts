import type { Lang } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import type { StatementEntry } from '../../../contract/statement-entry.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertIgnore } from '../../kernel/sql.ts'
import { bookDebits } from './book-debits.ts'
import { bookLines } from './book-lines.ts'
import { enqueueOwnPosition } from './book-withdrawal.ts'
import { payerIndexOf, sealLinePayer, type LineOrigin, type NewLine } from './line-origin.ts'
import { StatementLine } from './tables.ts'

/** Lines booked in one transaction: each may settle a payment with a dozen writes, and SQLite's only writer must move on. */
export const LINES_AT_ONCE = 50

/**
 * Inserts the lines whose serial is new, in the order of the serials, and books exactly those: what came in
 * (book-lines.ts) and what went out (book-debits.ts).
 */
export async function takeLines(
  tx: Tx,
  statementId: Id<'statement'>,
  origin: LineOrigin,
  entries: readonly StatementEntry[],
): Promise<void> {
  const sorted = [...entries].sort((a, b) => (a.serial < b.serial ? -1 : 1))
  const lines: NewLine[] = sorted.map((entry) => ({ ...entry, id: tx.newId('statementLine') }))
  await insertIgnore(
    tx.em,
    'statement_line',
    lines.map((line) => ({
      id: line.id,
      statement_id: statementId,
      serial: line.serial,
      direction: line.direction,
      source: origin.source,
      mchid: origin.mchid,
      amount_fen: line.amountFen,
      arrived_at_ms: line.arrivedAtMs,
      payer_index: payerIndexOf(tx, line.payerAccount),
      payer_sealed: sealLinePayer(tx, line.id, {
        holder: line.payerName,
        account: line.payerAccount,
        memo: line.memo,
      }),
      outcome: line.direction === 'in' ? 'unmatched' : 'outgoing',
    })),
  )
  const where = { id: { $in: lines.map((line) => line.id) } }
  const stored = await tx.em.find(StatementLine, where, { fields: ['id'], disableIdentityMap: true })
  const fresh = new Set(stored.map((line) => line.id))
  const own = lines.filter((line) => fresh.has(line.id))
  await bookLines(
    tx,
    origin,
    own.filter((line) => line.direction === 'in'),
  )
  const out = own.filter((line) => line.direction === 'out')
  await bookDebits(tx, origin, out)
  if (origin.source === 'wechat_income' && own.length > 0) await enqueueOwnPosition(tx, own[0]!.id)
  // Payouts and refunds by the bank look for theirs at once.
  if (out.length > 0) await enqueue(tx, [{ kind: 'payouts.match', key: `payouts.match:${out[0]!.id}`, args: {} }])
}

type Words = Readonly<Record<Lang, string>>

/**
 * The first line whose serial is known with another amount, direction or day, and what is wrong; null when all fit. A
 * bank does not give one serial to two movements: one of the files is wrong, or the bank begins its numbers anew each
 * day, and a person must look.
 */
export async function findContradiction(
  tx: Tx,
  entries: readonly StatementEntry[],
): Promise<(Words & { readonly row: number }) | null> {
  const where = { serial: { $in: entries.map((entry) => entry.serial) } }
  const fields = ['serial', 'amountFen', 'direction', 'arrivedAtMs'] as const
  const known = await tx.em.find(StatementLine, where, { fields, disableIdentityMap: true })
  const bySerial = new Map(known.map((line) => [line.serial, line]))
  for (const entry of entries) {
    const line = bySerial.get(entry.serial)
    if (!line) continue
    if (line.amountFen !== entry.amountFen || line.direction !== entry.direction)
      return {
        row: entry.row,
        zh: '流水号已导入过，但金额不同',
        en: 'this serial was imported before with another amount',
      }
    if (dayOf(line.arrivedAtMs, CHINA) !== dayOf(entry.arrivedAtMs, CHINA))
      return {
        row: entry.row,
        zh: '流水号已导入过，但日期不同',
        en: 'this serial was imported before with another day',
      }
  }
  return null
}

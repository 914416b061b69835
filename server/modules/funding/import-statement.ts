import { createHash } from 'node:crypto'
import type { Lang } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import type { StatementEntry } from '../../../contract/statement-entry.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { insertIgnore, sql } from '../../kernel/sql.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { bookLines, type NewLine } from './book-lines.ts'
import { BankStatement, StatementLine } from './tables.ts'

type Words = Readonly<Record<Lang, string>>

/** A statement file as a parser read it. Whatever is wrong with it is said in both languages, by row where it has one. */
export interface ReadStatement {
  readonly entries: readonly StatementEntry[]
  readonly faults: readonly (Words & { readonly row: number })[]
  readonly refusal: Words | null
}

export interface StatementSummary {
  readonly id: Id<'statement'>
  readonly lines: number
  /** Lines that an earlier statement had brought. */
  readonly knownLines: number
  readonly payments: number
  readonly topUps: number
  readonly unmatched: number
}

/** Lines booked in one transaction: each may settle a payment with a dozen writes, and SQLite's only writer must move on. */
const LINES_AT_ONCE = 50
const LOOK_AT_ONCE = 500

/**
 * Books a bank statement. Each line's serial number is booked once, over all files and however often a file comes: the
 * same bytes give the same answer, and a run that was stopped is finished by the next. Nothing is booked of a file
 * that has a fault, or whose line contradicts one that is known: refuses with `statement_refused`, row and reason.
 */
export async function importStatement(
  edge: Edge,
  file: { readonly fileName: string; readonly bytes: Uint8Array; readonly read: ReadStatement },
  lang: Lang,
): Promise<StatementSummary> {
  const { entries, faults, refusal } = file.read
  if (refusal) refuse('statement_refused', { detail: refusal[lang] })
  const [fault] = faults
  if (fault) refuse('statement_refused', { row: fault.row, detail: sayFaults(faults, lang) })
  if (entries.length === 0)
    refuse('statement_refused', { detail: lang === 'zh' ? '没有收入行' : 'no line of incoming money' })
  for (let from = 0; from < entries.length; from += LOOK_AT_ONCE) {
    const some = entries.slice(from, from + LOOK_AT_ONCE)
    await edge.read((tx) => mustNotContradict(tx, some, lang))
  }
  const statementId = await edge.tx((tx) => recordStatement(tx, file.fileName, file.bytes, entries.length))
  for (let from = 0; from < entries.length; from += LINES_AT_ONCE)
    await edge.tx(async (tx) => {
      const some = entries.slice(from, from + LINES_AT_ONCE)
      await bookEntries(tx, statementId, some)
      // Another file may have brought the same serials since we looked.
      await mustNotContradict(tx, some, lang)
    })
  return edge.read((tx) => summarise(tx, statementId))
}

function sayFaults(faults: ReadStatement['faults'], lang: Lang): string {
  const say = ({ row, [lang]: text }: ReadStatement['faults'][number]) =>
    lang === 'zh' ? `第 ${row} 行${text}` : `row ${row}: ${text}`
  const more = faults.length > 20 ? ` … (${faults.length})` : ''
  return faults.slice(0, 20).map(say).join('; ') + more
}

/** A bank does not give one serial to two amounts: one of the files is wrong, and a person must look. */
async function mustNotContradict(tx: Tx, entries: readonly StatementEntry[], lang: Lang): Promise<void> {
  const where = { serial: { $in: entries.map((entry) => entry.serial) } }
  const known = await tx.em.find(StatementLine, where, { fields: ['serial', 'amountFen'], disableIdentityMap: true })
  const amounts = new Map(known.map((line) => [line.serial, line.amountFen]))
  const wrong = entries.find((entry) => (amounts.get(entry.serial) ?? entry.amountFen) !== entry.amountFen)
  if (!wrong) return
  const detail = lang === 'zh' ? '流水号已导入过，但金额不同' : 'this serial was imported before with another amount'
  refuse('statement_refused', { row: wrong.row, detail })
}

/** The statement's row, found again by its bytes. */
async function recordStatement(
  tx: Tx,
  fileName: string,
  bytes: Uint8Array,
  lineCount: number,
): Promise<Id<'statement'>> {
  const contentIndex = tx.house.seal.blindIndex('bank-statement', createHash('sha256').update(bytes).digest('hex'))
  const id = tx.newId('statement')
  const nameSealed = tx.house.seal.seal({ table: 'bank_statement', column: 'name_sealed', rowId: id }, fileName)
  const row = { id, content_index: contentIndex, name_sealed: nameSealed, line_count: lineCount }
  await insertIgnore(tx.em, 'bank_statement', [
    { ...row, imported_by: actorName(tx.actor), imported_at_ms: tx.clock.now() },
  ])
  const held = await tx.em.findOneOrFail(BankStatement, { contentIndex }, { disableIdentityMap: true })
  if (held.id === id) await trail(tx, { objectId: id, act: 'bank_statement.imported', note: `${lineCount} lines` })
  return held.id
}

/** Inserts the lines whose serial is new, in the order of the serials, and books exactly those. */
async function bookEntries(tx: Tx, statementId: Id<'statement'>, entries: readonly StatementEntry[]): Promise<void> {
  const sorted = [...entries].sort((a, b) => (a.serial < b.serial ? -1 : 1))
  const lines: NewLine[] = sorted.map((entry) => ({ id: tx.newId('statementLine'), ...entry }))
  await insertIgnore(
    tx.em,
    'statement_line',
    lines.map((line) => ({
      id: line.id,
      statement_id: statementId,
      serial: line.serial,
      amount_fen: line.amountFen,
      arrived_at_ms: line.arrivedAtMs,
      payer_sealed: tx.house.seal.seal(
        { table: 'statement_line', column: 'payer_sealed', rowId: line.id },
        JSON.stringify({ holder: line.payerName, account: line.payerAccount, memo: line.memo }),
      ),
      outcome: 'unmatched',
    })),
  )
  const where = { id: { $in: lines.map((line) => line.id) } }
  const stored = await tx.em.find(StatementLine, where, { fields: ['id'], disableIdentityMap: true })
  const fresh = new Set(stored.map((line) => line.id))
  await bookLines(
    tx,
    lines.filter((line) => fresh.has(line.id)),
  )
}

async function summarise(tx: Tx, id: Id<'statement'>): Promise<StatementSummary> {
  const { lineCount } = await tx.em.findOneOrFail(BankStatement, { id }, { disableIdentityMap: true })
  const rows = await sql<{ outcome: string; total: unknown }>(
    tx.em,
    'select outcome, count(*) as total from statement_line where statement_id = ? group by outcome',
    [id],
  )
  const count = (outcome: string) => readSum(rows.find((row) => row.outcome === outcome)?.total)
  const [payments, topUps, unmatched] = [count('payment'), count('top_up'), count('unmatched')]
  return { id, lines: lineCount, knownLines: lineCount - payments - topUps - unmatched, payments, topUps, unmatched }
}

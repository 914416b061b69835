import { createHash } from 'node:crypto'
import type { Lang } from '../../../contract/error-codes.ts'
import type { Id } from '../../../contract/ids.ts'
import type { StatementEntry } from '../../../contract/statement-entry.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { insertIgnore, sql } from '../../kernel/sql.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { BankStatement } from './tables.ts'
import { findContradiction, LINES_AT_ONCE, takeLines } from './take-lines.ts'

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
  /** Lines where money went out. */
  readonly outgoing: number
}

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
    refuse('statement_refused', { detail: lang === 'zh' ? '没有收入或支出行' : 'no line of money that moved' })
  for (let from = 0; from < entries.length; from += LOOK_AT_ONCE) {
    const some = entries.slice(from, from + LOOK_AT_ONCE)
    await edge.read((tx) => mustNotContradict(tx, some, lang))
  }
  const statementId = await edge.tx((tx) => recordStatement(tx, file.fileName, file.bytes, entries.length))
  for (let from = 0; from < entries.length; from += LINES_AT_ONCE)
    await edge.tx(async (tx) => {
      const some = entries.slice(from, from + LINES_AT_ONCE)
      await takeLines(tx, statementId, { source: 'bank', mchid: null }, some)
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

async function mustNotContradict(tx: Tx, entries: readonly StatementEntry[], lang: Lang): Promise<void> {
  const wrong = await findContradiction(tx, entries)
  if (wrong) refuse('statement_refused', { row: wrong.row, detail: wrong[lang] })
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

async function summarise(tx: Tx, id: Id<'statement'>): Promise<StatementSummary> {
  const { lineCount } = await tx.em.findOneOrFail(BankStatement, { id }, { disableIdentityMap: true })
  const rows = await sql<{ outcome: string; total: unknown }>(
    tx.em,
    'select outcome, count(*) as total from statement_line where statement_id = ? group by outcome',
    [id],
  )
  const count = (...outcomes: string[]) =>
    rows.reduce((sum, row) => (outcomes.includes(row.outcome) ? sum + readSum(row.total) : sum), 0)
  const whole = rows.reduce((sum, row) => sum + readSum(row.total), 0)
  return {
    id,
    lines: lineCount,
    knownLines: lineCount - whole,
    payments: count('payment'),
    topUps: count('top_up'),
    unmatched: count('unmatched', 'not_ours', 'sent_back'),
    outgoing: count('outgoing', 'paid_out', 'returned'),
  }
}

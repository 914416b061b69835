import type { Id } from '../../../contract/ids.ts'
import { differenceMoves } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import type { Difference } from './rules.ts'
import type { BillRow } from './tables.ts'

type Compared = Pick<BillRow, 'id' | 'mchid' | 'kind' | 'day'>
interface Kept {
  readonly id: Id<'billDifference'>
  readonly billId: Id<'bill'>
  readonly subject: string
  readonly kind: string
  readonly guess: string
  readonly state: 'open' | 'closed'
  readonly closedBy: string | null
  readonly billRow: unknown
  readonly oursFen: unknown
  readonly theirsFen: unknown
}

/**
 * Writes what a comparison found, in place of what earlier ones found: a subject differs in one open row, with the latest
 * figures. What is known and agrees now is closed by the house (a notice that came late, or the bill of the day beside
 * it), and what another difference of the same subject has taken the place of too; the trail says which. What no side
 * knows of any more waits for a person. Comparisons of one bill come one after another.
 */
export async function keepDifferences(
  tx: Tx,
  bill: Compared,
  found: readonly Difference[],
  known: ReadonlySet<string>,
): Promise<void> {
  await change(tx.em, 'update bill set version = version + 1 where id = ?', [bill.id])
  const rows = await readKept(tx, bill)
  const own = new Map(rows.filter((row) => row.billId === bill.id).map((row) => [keyOf(row), row]))
  const open = rows.filter((row) => row.state === 'open')
  const named = new Set(open.flatMap((row) => (row.billId !== bill.id && row.billRow != null ? [row.subject] : [])))
  const standing: Difference[] = []
  const fresh: Difference[] = []
  for (const one of new Map(found.map((each) => [keyOf(each), each])).values()) {
    const row = own.get(keyOf(one))
    if (row === undefined) {
      // The bill of the day beside names it, and says how it differs.
      if (one.row === null && named.has(one.subject)) continue
      fresh.push(one)
    } else if (!(await bringUpToDate(tx, bill, row, one))) continue
    standing.push(one)
  }
  for (let from = 0; from < fresh.length; from += 500) await insert(tx, bill, fresh.slice(from, from + 500))
  await closeOthers(tx, bill, { open, found, standing, known })
}

const keyOf = ({ subject, kind }: { readonly subject: string; readonly kind: string }) => `${kind} ${subject}`

/** Rows of this bill, and open ones of the same merchant's other bills of the kind. */
const readKept = (tx: Tx, bill: Compared): Promise<Kept[]> =>
  sql<Kept>(
    tx.em,
    `select bill_difference.id as id, bill_difference.bill_id as billId, bill_difference.subject as subject,
        bill_difference.kind as kind, bill_difference.guess as guess, bill_difference.state as state,
        bill_difference.closed_by as closedBy, bill_difference.bill_row as billRow, bill_difference.ours_fen as oursFen,
        bill_difference.theirs_fen as theirsFen
      from bill_difference join bill on bill.id = bill_difference.bill_id
      where bill.mchid = ? and bill.kind = ? and (bill.id = ? or bill_difference.state = 'open')
      order by bill_difference.id`,
    [bill.mchid, bill.kind, bill.id],
  )

/** False where it stays closed: a person closed it as it is, or the bill of the day beside has it. */
async function bringUpToDate(tx: Tx, bill: Compared, row: Kept, now: Difference): Promise<boolean> {
  const same = isSame(row.oursFen, now.oursFen) && isSame(row.theirsFen, now.theirsFen)
  const set = { bill_row: now.row, ours_fen: now.oursFen, theirs_fen: now.theirsFen, guess: now.guess, ref: now.ref }
  if (row.state === 'open') {
    if (same) return true
    const columns = Object.keys(set).map((column) => `${column} = ?`)
    const values = [...Object.values(set), row.id]
    await change(tx.em, `update bill_difference set ${columns.join(', ')}, version = version + 1 where id = ?`, values)
    await trail(tx, { objectId: row.id, act: 'bill_difference.changed', note: `by the bill of ${bill.day}` })
    return true
  }
  const byHouse = row.closedBy === 'books'
  if (same && (!byHouse || row.guess === 'other_day')) return false
  const step = { table: 'bill_difference', id: row.id, from: 'closed', to: 'open', moves: differenceMoves }
  const again = { ...set, closed_by: null, closed_at_ms: null }
  await move(tx, { ...step, set: again, note: `differs again in the bill of ${bill.day}` })
  return true
}

const isSame = (before: unknown, now: number | null): boolean => (before == null ? null : Number(before)) === now

const insert = (tx: Tx, bill: Compared, found: readonly Difference[]) =>
  insertIgnore(
    tx.em,
    'bill_difference',
    found.map((one) => ({
      id: tx.newId('billDifference'),
      bill_id: bill.id,
      subject: one.subject,
      kind: one.kind,
      guess: one.guess,
      state: 'open',
      version: 1,
      bill_row: one.row,
      ours_fen: one.oursFen,
      theirs_fen: one.theirsFen,
      ref: one.ref,
      created_at_ms: tx.clock.now(),
    })),
  )

interface Outcome {
  readonly open: readonly Kept[]
  readonly found: readonly Difference[]
  /** Of what was found: what has an open row now. */
  readonly standing: readonly Difference[]
  readonly known: ReadonlySet<string>
}

async function closeOthers(tx: Tx, bill: Compared, { open, found, standing, known }: Outcome): Promise<void> {
  const broken = new Set(found.map((one) => one.subject))
  const keys = new Set(standing.map(keyOf))
  const here = new Set(standing.map((one) => one.subject))
  const inBill = new Set(standing.flatMap((one) => (one.row === null ? [] : [one.subject])))
  for (const row of open) {
    const { subject } = row
    const agrees = !broken.has(subject) && known.has(subject)
    const replaced =
      row.billId === bill.id ? here.has(subject) && !keys.has(keyOf(row)) : row.billRow == null && inBill.has(subject)
    if (!agrees && !replaced) continue
    const set = { closed_by: 'books', closed_at_ms: tx.clock.now() }
    const step = { table: 'bill_difference', id: row.id, from: 'open', to: 'closed', moves: differenceMoves, set }
    await move(tx, { ...step, note: `${agrees ? 'agrees with' : 'superseded by'} the bill of ${bill.day}` })
  }
}

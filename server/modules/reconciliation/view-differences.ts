import type { z } from 'zod'
import type { Bills, BillsInput, Differences, DifferencesInput } from '../../../contract/operator/reconciliation.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readOperator } from '../company/read-operator.ts'
import { openNote } from './close-difference.ts'
import { Bill, BillDifference } from './tables.ts'

/** Differences in one state, newest first, and how many are open at all. */
export async function viewDifferences(
  tx: Tx,
  input: z.output<typeof DifferencesInput>,
): Promise<z.input<typeof Differences>> {
  const { state, cursor, limit } = input
  const before = cursor === undefined ? {} : { id: { $lt: cursor as Id<'billDifference'> } }
  const options = { orderBy: { id: 'desc' }, limit: limit + 1, disableIdentityMap: true } as const
  const rows = await tx.em.find(BillDifference, { state, ...before }, options)
  const shown = rows.slice(0, limit)
  const billIds = [...new Set(shown.map((row) => row.billId))]
  const bills = new Map(
    (await tx.em.find(Bill, { id: { $in: billIds } }, { disableIdentityMap: true })).map((bill) => [bill.id, bill]),
  )
  const names = new Map<string, string | null>()
  for (const id of new Set(shown.flatMap((row) => row.ownerId ?? [])))
    names.set(id, (await readOperator(tx, id))?.name ?? null)
  const [open] = await sql<{ total: unknown }>(
    tx.em,
    "select count(*) as total from bill_difference where state = 'open'",
  )
  return {
    differences: shown.map((row) => {
      const bill = bills.get(row.billId)!
      return {
        id: row.id,
        day: bill.day,
        mchid: bill.mchid,
        bill: bill.kind,
        kind: row.kind,
        guess: row.guess,
        state: row.state,
        subject: row.subject,
        row: row.billRow ?? null,
        ref: row.ref ?? null,
        oursFen: row.oursFen ?? null,
        theirsFen: row.theirsFen ?? null,
        owner: row.ownerId ? (names.get(row.ownerId) ?? null) : null,
        note: row.noteSealed ? openNote(tx, row.id, row.noteSealed) : null,
        createdAtMs: row.createdAtMs,
        closedAtMs: row.closedAtMs ?? null,
      }
    }),
    open: readSum(open?.total),
    nextCursor: rows.length > limit ? shown.at(-1)!.id : null,
  }
}

/** Bills, newest first, with how many differences of each are open. */
export async function viewBills(tx: Tx, input: z.output<typeof BillsInput>): Promise<z.input<typeof Bills>> {
  const { cursor, limit } = input
  const before = cursor === undefined ? {} : { id: { $lt: cursor as Id<'bill'> } }
  const options = { orderBy: { id: 'desc' }, limit: limit + 1, disableIdentityMap: true } as const
  const rows = await tx.em.find(Bill, before, options)
  const shown = rows.slice(0, limit)
  const open = await countOpen(
    tx,
    shown.map((bill) => bill.id),
  )
  return {
    bills: shown.map((bill) => ({
      id: bill.id,
      mchid: bill.mchid,
      kind: bill.kind,
      day: bill.day,
      state: bill.state,
      lines: bill.lineCount,
      open: open.get(bill.id) ?? 0,
      problem: bill.problem ?? null,
      comparedAtMs: bill.comparedAtMs ?? null,
    })),
    nextCursor: rows.length > limit ? shown.at(-1)!.id : null,
  }
}

async function countOpen(tx: Tx, ids: readonly Id<'bill'>[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map()
  const rows = await sql<{ bill_id: string; total: unknown }>(
    tx.em,
    `select bill_id, count(*) as total from bill_difference where state = 'open' and bill_id in (${ids.map(() => '?').join(',')}) group by bill_id`,
    ids,
  )
  return new Map(rows.map((row) => [row.bill_id, readSum(row.total)]))
}

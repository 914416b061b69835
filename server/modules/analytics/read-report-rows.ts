import { can } from '../../../contract/abilities.ts'
import { fen } from '../../../contract/fen.ts'
import type { ReportRow, ReportRows, RowFigure } from '../../../contract/hr/report.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { openPeople } from '../staff/read-people.ts'
import { departmentOfHead, headTables, instantOfHead, measuresAt } from './report-measures.ts'
import type { ReportCampaign, ReportScope } from './report-scope.ts'

/** Where a page of rows begins: after this place of this order. */
export interface RowsAfter {
  readonly orderId: Id<'order'>
  readonly seq: number
}

/** One head of a report, with whom it was issued to. */
export interface HeadRow extends Omit<ReportRow, 'name' | 'cardTail'> {
  readonly at: RowsAfter
  readonly personId: Id<'person'>
  readonly cardNumber: string | null
}

/**
 * A page of what a figure is made of, by campaign, newest first, and in the order of its list. Of what somebody spends a row
 * says the sum alone, never where or when: that is the holder's own business (decision 0028). Whose row it is stands there for
 * whoever may read the staff. Refuses with `malformed_request` for a cursor that is none of ours.
 */
export async function readReportRows(
  tx: Tx,
  scope: ReportScope,
  page: { readonly figure: RowFigure; readonly cursor?: string | undefined; readonly limit: number },
): Promise<ReportRows> {
  const after = page.cursor === undefined ? null : readCursor(page.cursor, scope)
  const found = await readHeads(tx, scope, { figure: page.figure, after, limit: page.limit + 1 })
  const shown = found.slice(0, page.limit)
  const last = shown.at(-1)?.at
  return {
    rows: await nameRows(tx, shown, mayName(tx, 'roster.read')),
    nextCursor: found.length > page.limit && last !== undefined ? `${last.orderId}.${last.seq}` : null,
  }
}

/** Whether the member who acts may see whose card is whose. */
export const mayName = (tx: Pick<Tx, 'actor'>, ability: 'roster.read' | 'delivery.export'): boolean =>
  tx.actor.kind === 'member' && can('member', tx.actor.roles, ability)

/** The rows as people read them; without names and numbers unless `named`. */
export async function nameRows(tx: Tx, heads: readonly HeadRow[], named: boolean): Promise<ReportRow[]> {
  const ids = named ? heads.map(({ personId }) => personId) : []
  const names = new Map((await openPeople(tx, ids)).map(({ id, name }) => [id, name]))
  return heads.map(({ at: _at, personId, cardNumber, ...row }) => ({
    ...row,
    name: named ? (names.get(personId) ?? '') : null,
    cardTail: named ? (cardNumber?.slice(-4) ?? null) : null,
  }))
}

function readCursor(cursor: string, { campaigns }: ReportScope): RowsAfter {
  const [orderId, seq] = cursor.split('.')
  const known = isId('order', orderId) && campaigns.some((campaign) => campaign.orderId === orderId)
  if (!known || !/^\d{1,9}$/.test(seq ?? '')) refuse('malformed_request', { field: 'cursor' })
  return { orderId, seq: Number(seq) }
}

/** The heads of a report that a figure counts (all without one), after a place; campaign by campaign until the page is full. */
export async function readHeads(
  tx: Tx,
  scope: ReportScope,
  page: { readonly figure: RowFigure | null; readonly after: RowsAfter | null; readonly limit: number },
): Promise<HeadRow[]> {
  const { after, figure, limit } = page
  const begin = after === null ? 0 : scope.campaigns.findIndex(({ orderId }) => orderId === after.orderId)
  const rows: HeadRow[] = []
  for (const campaign of scope.campaigns.slice(begin)) {
    const afterSeq = campaign.orderId === after?.orderId ? after.seq : -1
    rows.push(...(await readHeadsOf(tx, scope, campaign, { figure, afterSeq, limit: limit - rows.length })))
    if (rows.length === limit) break
  }
  return rows
}

async function readHeadsOf(
  tx: Tx,
  scope: ReportScope,
  campaign: ReportCampaign,
  page: { readonly figure: RowFigure | null; readonly afterSeq: number; readonly limit: number },
): Promise<HeadRow[]> {
  const measures = measuresAt(scope.asOfMs)
  const where = ['item.order_id = ?', 'item.seq > ?', `${instantOfHead} >= ?`, `${instantOfHead} < ?`]
  const values: unknown[] = [campaign.orderId, page.afterSeq, scope.fromMs, scope.toMs]
  if (page.figure !== null) where.push(`${measures[page.figure].counts} = 1`)
  if (scope.department !== null) {
    where.push(`${departmentOfHead} = ?`)
    values.push(scope.department)
  }
  const rows = await sql<Record<string, unknown>>(
    tx.em,
    `select item.id as id, item.seq as seq, item.holder_id as personId, item.price_fen as price, item.face_fen as face,
        ${departmentOfHead} as ofDepartment, card.number as cardNumber, card.state as cardState,
        card.expires_at_ms as expiresAtMs, card.balance_fen as balance, ${measures.spent.fen} as spent,
        coalesce(delivery.state, 'planned') as deliveryState
      from ${headTables} where ${where.join(' and ')} order by item.seq limit ?`,
    [...values, page.limit],
  )
  return rows.map((row) => present(row, campaign))
}

function present(row: Record<string, unknown>, { orderId, title }: ReportCampaign): HeadRow {
  const cardState = row['cardState'] as HeadRow['cardState']
  const made = cardState !== null
  return {
    at: { orderId, seq: readSum(row['seq']) },
    id: row['id'] as Id<'orderItem'>,
    personId: row['personId'] as Id<'person'>,
    cardNumber: row['cardNumber'] as string | null,
    campaignTitle: title,
    department: row['ofDepartment'] as string,
    priceFen: fen(readSum(row['price'])),
    faceFen: fen(readSum(row['face'])),
    spentFen: made ? fen(readSum(row['spent'])) : null,
    balanceFen: made ? fen(readSum(row['balance'])) : null,
    cardState,
    deliveryState: row['deliveryState'] as HeadRow['deliveryState'],
    expiresAtMs: row['expiresAtMs'] === null ? null : readSum(row['expiresAtMs']),
  }
}

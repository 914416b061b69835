import type { z } from 'zod'
import { isId, type Id } from '../../../contract/ids.ts'
import type { PayoutDetail, Payouts, PayoutsInput } from '../../../contract/operator/settlement.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { readBrands } from '../catalog/read-template.ts'
import { readAllTerms } from '../catalog/read-terms.ts'
import { PayeeAccount, Payout, PayoutItem, type PayoutRow } from './tables.ts'

/** Open payees that a page shows: who is owed most, and who owes most, first. */
const MOST_OPEN = 200

/** A page of payouts, newest first, and what payees are owed that is on none. */
export async function viewPayouts(tx: Tx, wish: z.output<typeof PayoutsInput>): Promise<Payouts> {
  const { state, cursor, limit } = wish
  const where = { ...(state && { state }), ...(cursor && { id: { $lt: cursor as Id<'payout'> } }) }
  const options = { orderBy: { id: 'desc' }, limit: limit + 1, disableIdentityMap: true } as const
  const rows = await tx.em.find(Payout, where, options)
  const shown = rows.slice(0, limit)
  const open = await sql<{ payee: string; owed: unknown; items: unknown }>(
    tx.em,
    `select payee, sum(amount_fen) as owed, count(*) as items from payout_item where payout_id is null
      group by payee having sum(amount_fen) <> 0 order by abs(sum(amount_fen)) desc, payee limit ${MOST_OPEN}`,
  )
  const names = await readPayeeNames(
    tx,
    open.map((one) => one.payee),
  )
  return {
    payouts: await present(tx, shown),
    open: open.map(({ payee, owed, items }) => {
      return { payee, payeeName: names.get(payee) ?? '', owedFen: readSum(owed), items: readSum(items) }
    }),
    nextCursor: rows.length > limit ? shown.at(-1)!.id : null,
  }
}

/** One payout with its items. Refuses with `not_found`. */
export async function viewPayout(tx: Tx, id: Id<'payout'>): Promise<PayoutDetail> {
  const payout = (await tx.em.findOne(Payout, { id }, { disableIdentityMap: true })) ?? refuse('not_found')
  const [line] = await present(tx, [payout])
  const items = await tx.em.find(PayoutItem, { payoutId: id }, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  return {
    ...line!,
    statement: items.map((item) => ({
      id: item.id,
      kind: item.kind,
      orderId: item.orderId ?? null,
      amountFen: item.amountFen,
      createdAtMs: item.createdAtMs,
    })),
  }
}

async function present(tx: Tx, rows: readonly PayoutRow[]): Promise<Payouts['payouts']> {
  const payees = rows.map((row) => row.payee)
  const names = await readPayeeNames(tx, payees)
  const accounts = await tx.em.find(PayeeAccount, { payee: { $in: payees } }, { disableIdentityMap: true })
  const known = new Set(accounts.map((one) => one.payee))
  const items =
    rows.length === 0
      ? []
      : await sql<{ id: string; items: unknown }>(
          tx.em,
          `select payout_id as id, count(*) as items from payout_item where payout_id in (${rows.map(() => '?').join(',')}) group by payout_id`,
          rows.map((row) => row.id),
        )
  const counts = new Map(items.map((one) => [one.id, readSum(one.items)]))
  return rows.map((row) => ({
    id: row.id,
    payee: row.payee,
    payeeName: names.get(row.payee) ?? '',
    amountFen: row.amountFen,
    state: row.state,
    items: counts.get(row.id) ?? 0,
    hasAccount: known.has(row.payee),
    fileId: row.fileId ?? null,
    problem: row.problem ?? null,
    draftedAtMs: row.draftedAtMs,
    exportedAtMs: row.exportedAtMs ?? null,
    paidAtMs: row.paidAtMs ?? null,
  }))
}

/** Brands and channels by what they are called; a page names platform and refunds itself. */
async function readPayeeNames(tx: Tx, payees: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const brandOf = (payee: string) => payee.split('.')[0] ?? ''
  const ids = [...new Set(payees.map(brandOf))].filter((id): id is Id<'brand'> => isId('brand', id))
  const brands = new Map((await readBrands(tx, ids)).map((brand) => [brand.id as string, brand.name]))
  const names = new Map<string, string>()
  for (const payee of new Set(payees)) {
    const [brandId = '', code] = payee.split('.')
    const brand = brands.get(brandId)
    if (brand === undefined) continue
    const channel = code === undefined ? undefined : await readChannelName(tx, brandId as Id<'brand'>, code)
    names.set(payee, code === undefined ? brand : `${brand} · ${channel ?? code}`)
  }
  return names
}

const readChannelName = async (tx: Tx, brandId: Id<'brand'>, code: string): Promise<string | undefined> =>
  (await readAllTerms(tx, brandId)).flatMap((terms) => terms.channels).find((one) => one.code === code)?.name

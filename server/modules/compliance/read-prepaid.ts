import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import { CHINA, dayOf, startOfDay } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { account } from '../ledger/accounts.ts'

/** What moved on a brand's cards, in fen. What tills took back counts against what was redeemed. */
export interface Moved {
  readonly issuedFen: Fen
  readonly redeemedFen: number
  readonly refundedFen: Fen
}

/** Kinds of entry that move the value of cards, and as what. The proof finds any other. */
export const prepaidKinds = {
  issued: 'issued',
  refund_accepted: 'refunded',
  captured: 'redeemed',
  capture_refunded: 'redeemed',
} as const satisfies Record<string, 'issued' | 'refunded' | 'redeemed'>

const nothing: Moved = { issuedFen: fen(0), redeemedFen: 0, refundedFen: fen(0) }
const CARDS = account.cards('' as Id<'brand'>)

/**
 * What moved on the cards of every brand from one instant up to but without another, by brand: one pass over the entries
 * of that time, whatever the ledger holds beside. Throws on a kind of entry that is not known to move prepaid value.
 */
export async function readMoved(tx: Tx, fromMs: number, toMs: number): Promise<ReadonlyMap<Id<'brand'>, Moved>> {
  const rows = await sql<{ account: string; kind: string; total: unknown }>(
    tx.em,
    `select posting.account as account, entry.kind as kind, sum(posting.amount) as total
      from entry join posting on posting.entry_id = entry.id
      where entry.at_ms >= ? and entry.at_ms < ? and posting.unit = 'VALUE' and posting.account like '${CARDS}%'
      group by posting.account, entry.kind`,
    [fromMs, toMs],
  )
  const moved = new Map<Id<'brand'>, Moved>()
  for (const row of rows) {
    const brandId = row.account.slice(CARDS.length) as Id<'brand'>
    const as = prepaidKinds[row.kind as keyof typeof prepaidKinds] as 'issued' | 'refunded' | 'redeemed' | undefined
    if (as === undefined) throw new Error(`an entry of kind ${row.kind} moves prepaid value: no statement knows it`)
    const { issuedFen, redeemedFen, refundedFen } = moved.get(brandId) ?? nothing
    const total = readSum(row.total)
    moved.set(brandId, {
      issuedFen: fen(issuedFen + (as === 'issued' ? total : 0)),
      redeemedFen: redeemedFen - (as === 'redeemed' ? total : 0),
      refundedFen: fen(refundedFen - (as === 'refunded' ? total : 0)),
    })
  }
  return moved
}

/** The balance after a movement. */
export const afterMoved = (beginFen: Fen, { issuedFen, redeemedFen, refundedFen }: Moved = nothing): Fen =>
  fen(beginFen + issuedFen - redeemedFen - refundedFen)

interface Kept {
  readonly id: Id<'brand'>
  readonly createdAtMs: number
}

/**
 * The prepaid balance of brands just before an instant: what their cards hold, unspent. Rolled forward from the newest
 * statement before it, so that only what moved since is added up.
 */
export async function readPrepaidAt(
  tx: Tx,
  brands: readonly Kept[],
  atMs: number,
): Promise<ReadonlyMap<Id<'brand'>, Fen>> {
  if (brands.length === 0) return new Map()
  const rows = await sql<{ brandId: Id<'brand'>; toMs: unknown; fen: unknown }>(
    tx.em,
    `select statement.brand_id as brandId, statement.to_ms as toMs, statement.balance_fen as fen
      from custody_statement as statement join (select brand_id, max(day) as day from custody_statement
        where brand_id in (${brands.map(() => '?').join(',')}) and day < ? group by brand_id) as newest
      on newest.brand_id = statement.brand_id and newest.day = statement.day`,
    [...brands.map(({ id }) => id), dayOf(atMs, CHINA)],
  )
  const last = new Map(rows.map((row) => [row.brandId, { fromMs: Number(row.toMs), fen: fen(Number(row.fen)) }]))
  const starts = brands.map(({ id, createdAtMs }) => ({
    id,
    ...(last.get(id) ?? { fromMs: startOfDay(dayOf(createdAtMs, CHINA), CHINA), fen: fen(0) }),
  }))
  const balances = new Map<Id<'brand'>, Fen>()
  for (const [fromMs, some] of Map.groupBy(starts, (start) => start.fromMs)) {
    const moved = fromMs < atMs ? await readMoved(tx, fromMs, atMs) : new Map<Id<'brand'>, Moved>()
    for (const { id, fen: begin } of some) balances.set(id, afterMoved(begin, moved.get(id)))
  }
  return balances
}

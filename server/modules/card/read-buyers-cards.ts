import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** A usable card with a balance that a buyer holds. */
export interface BuyersCard {
  readonly id: Id<'card'>
  readonly holderId: Id<'buyer'>
  readonly balanceFen: Fen
  readonly expiresAtMs: number | null
}

interface Page {
  readonly afterId: string
  readonly limit: number
}

/** Holders are people of companies or buyers; ids of a kind stand together. */
const ofBuyers =
  "card.holder_id > 'byr_' and card.holder_id < 'byr_~' and card.state = 'active' and card.balance_fen > 0"

/** Cards of buyers that end after `fromMs` and no later than `toMs`, in the order of ids after `afterId`. */
export const readExpiringOfBuyers = (
  tx: Tx,
  { fromMs, toMs, ...page }: Page & { readonly fromMs: number; readonly toMs: number },
): Promise<BuyersCard[]> => readCards(tx, page, 'card.expires_at_ms > ? and card.expires_at_ms <= ?', [fromMs, toMs])

/**
 * Cards of buyers that something was spent from on `day` (20261123) or later and that have no more than `lowFen`, or a part of
 * their face, left; in the order of ids after `afterId`.
 */
export const readLowOfBuyers = (
  tx: Tx,
  { day, lowFen, part, ...page }: Page & { readonly day: number; readonly lowFen: number; readonly part: number },
): Promise<BuyersCard[]> =>
  readCards(
    tx,
    page,
    'card.spent_day >= ? and (card.balance_fen <= ? or card.balance_fen * ? <= card.face_fen) and (card.expires_at_ms is null or card.expires_at_ms > ?)',
    [day, lowFen, part, tx.clock.now()],
  )

async function readCards(tx: Tx, page: Page, where: string, values: readonly number[]): Promise<BuyersCard[]> {
  const rows = await sql<Omit<BuyersCard, 'balanceFen' | 'expiresAtMs'> & { balance: unknown; expires: unknown }>(
    tx.em,
    `select card.id as id, card.holder_id as holderId, card.balance_fen as balance, card.expires_at_ms as expires
      from card where ${ofBuyers} and ${where} and card.id > ? order by card.id limit ?`,
    [...values, page.afterId, page.limit],
  )
  return rows.map(({ id, holderId, balance, expires }) => ({
    id,
    holderId,
    balanceFen: fen(Number(balance)),
    expiresAtMs: expires === null ? null : Number(expires),
  }))
}

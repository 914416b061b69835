import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { keptReasons } from '../../../contract/refunds.ts'
import { cardMoves, type CardState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, insertRows, sql } from '../../kernel/sql.ts'
import { trailMany } from '../../kernel/trail.ts'

/** A card that was taken back whole. */
export interface RefundedCard {
  readonly cardId: Id<'card'>
  readonly orderItemId: Id<'orderItem'>
  readonly brandId: Id<'brand'>
  readonly faceFen: Fen
}
/**
 * Why a card stays with its holder. `card_spent`: part of it is used, `spentFen`; `card_held`: part is set aside for a
 * purchase; `card_ended`: refunded, void or used up before; `right_over`: the time for taking it back has passed.
 */
export interface KeptCard {
  readonly cardId: Id<'card'>
  readonly why: (typeof keptReasons)[number]
  readonly spentFen: Fen
}
export interface RefundOfCards {
  readonly refunded: readonly RefundedCard[]
  readonly kept: readonly KeptCard[]
}

/** States in which the whole face can be on a card that its holder may lose. */
const takable = ['active', 'frozen'] as const satisfies readonly CardState[]

/**
 * Takes cards back whose whole face is on them and of which nothing is held: the balance goes to 0 by an activity, the
 * card is refunded and never comes back. At most 1,000 of them, held in the order of their ids. With `inRight` only before
 * the instant at which their lock ends: at that instant itself it is too late. The others stay as they are, and the
 * answer says why. Cards that do not exist are in neither list. Posts nothing: the caller does, in the same transaction.
 */
export async function refundCards(
  tx: Tx,
  cardIds: readonly Id<'card'>[],
  refundId: Id<'refund'>,
  how: { readonly inRight?: boolean } = {},
): Promise<RefundOfCards> {
  const ids = [...new Set(cardIds)].sort()
  if (ids.length > limits.cardsPerSlice) throw new RangeError(`at most ${limits.cardsPerSlice} cards at once`)
  if (ids.length === 0) return { refunded: [], kept: [] }
  const slots = ids.map(() => '?').join(',')
  // A write that changes nothing holds the rows: nobody spends from them between our look and our move.
  await change(tx.em, `update card set held_fen = held_fen where id in (${slots})`, ids)
  const { free, kept } = await judgeCards(tx, ids, how.inRight === true)
  await emptyCards(tx, free, refundId, tx.clock.now())
  return { refunded: free.map(present), kept }
}

/** What `refundCards` would do with these cards as they stand now: nothing is held, and nothing changes. */
export async function previewRefundOfCards(tx: Tx, cardIds: readonly Id<'card'>[]): Promise<RefundOfCards> {
  const { free, kept } = await judgeCards(tx, [...new Set(cardIds)].sort(), false)
  return { refunded: free.map(present), kept }
}

const present = ({ id, orderItemId, brandId, face }: CardLook): RefundedCard => ({
  cardId: id,
  orderItemId,
  brandId,
  faceFen: fen(Number(face)),
})

async function judgeCards(
  tx: Tx,
  ids: readonly Id<'card'>[],
  inRight: boolean,
): Promise<{ readonly free: readonly CardLook[]; readonly kept: readonly KeptCard[] }> {
  const rows = await sql<CardLook>(
    tx.em,
    `select id, order_item_id as orderItemId, brand_id as brandId, state, face_fen as face, balance_fen as balance,
        held_fen as held, locked_until_ms as lockedUntilMs, activities as seq
      from card where id in (${ids.map(() => '?').join(',')}) order by id`,
    ids,
  )
  const judged = rows.map((row) => ({ row, kept: judge(row, inRight, tx.clock.now()) }))
  return {
    free: judged.filter(({ kept }) => kept === null).map(({ row }) => row),
    kept: judged.flatMap(({ kept }) => (kept === null ? [] : [kept])),
  }
}

interface CardLook {
  readonly id: Id<'card'>
  readonly orderItemId: Id<'orderItem'>
  readonly brandId: Id<'brand'>
  readonly state: CardState
  readonly face: unknown
  readonly balance: unknown
  readonly held: unknown
  readonly lockedUntilMs: unknown
  readonly seq: unknown
}

/** Null: it may be taken back. */
function judge(row: CardLook, inRight: boolean, nowMs: number): KeptCard | null {
  const spentFen = fen(Number(row.face) - Math.min(Number(row.balance), Number(row.face)))
  const keep = (why: KeptCard['why']): KeptCard => ({ cardId: row.id, why, spentFen })
  if (row.state === 'exhausted') return keep('card_spent')
  if (!(takable as readonly CardState[]).includes(row.state)) return { ...keep('card_ended'), spentFen: fen(0) }
  if (Number(row.balance) !== Number(row.face)) return keep('card_spent')
  if (Number(row.held) !== 0) return keep('card_held')
  return inRight && Number(row.lockedUntilMs) <= nowMs ? keep('right_over') : null
}

/** The guard stands in the statement again: what is not free rolls all of it back. */
async function emptyCards(tx: Tx, rows: readonly CardLook[], refundId: Id<'refund'>, atMs: number): Promise<void> {
  if (rows.length === 0) return
  for (const from of takable)
    if (!(cardMoves[from] as readonly CardState[]).includes('refunded'))
      throw new Error(`card: no move ${from} -> refunded`)
  const states = takable.map((state) => `'${state}'`).join(',')
  const changed = await change(
    tx.em,
    `update card set balance_fen = 0, state = 'refunded', version = version + 1, activities = activities + 1
      where state in (${states}) and balance_fen = face_fen and held_fen = 0 and id in (${rows.map(() => '?').join(',')})`,
    rows.map((row) => row.id),
  )
  if (changed !== rows.length) throw new Error(`refund ${refundId}: cards changed while they were held`)
  await insertRows(
    tx.em,
    'activity',
    rows.map((row) => ({
      card_id: row.id,
      seq: Number(row.seq) + 1,
      kind: 'refund',
      amount_fen: 0 - Number(row.balance),
      balance_fen: 0,
      ref: refundId,
      at_ms: atMs,
    })),
  )
  await trailMany(
    tx,
    rows.map((row) => ({
      objectId: row.id,
      act: 'card.refunded',
      fromState: row.state,
      toState: 'refunded',
      note: refundId,
    })),
  )
}

import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** Something that happened at a till, as its merchant may know it. */
export interface Happened {
  readonly event: 'redemption.captured' | 'redemption.refunded' | 'redemption.voided' | 'redemption.timed_out'
  /** What it is known by: a movement, or the purchase that ended without one. */
  readonly subjectId: string
  readonly merchantId: Id<'merchant'>
  readonly shopId: Id<'shop'>
  readonly tillId: string
  readonly redemptionId: Id<'redemption'>
  readonly ref: string | null
  readonly movementId: Id<'redemptionMovement'> | null
  /** What was taken or came back; of a purchase that took nothing, what was set aside. */
  readonly amountFen: Fen
  readonly atMs: number
}

type Row = Omit<Happened, 'event' | 'amountFen' | 'atMs'> & {
  readonly kind: string
  readonly amount: unknown
  readonly at: unknown
}
const slots = (values: readonly unknown[]): string => values.map(() => '?').join(',')

/** Movements at tills by id, and what ended without one by its purchase; whatever else they name is left out. */
export async function readHappened(
  tx: Tx,
  of: {
    readonly movementIds: readonly Id<'redemptionMovement'>[]
    readonly redemptionIds: readonly Id<'redemption'>[]
  },
): Promise<Happened[]> {
  const moved =
    of.movementIds.length === 0
      ? []
      : await sql<Row>(
          tx.em,
          `select movement.id as subjectId, movement.id as movementId, movement.kind as kind,
              movement.merchant_id as merchantId, movement.shop_id as shopId, movement.till_id as tillId,
              redemption.id as redemptionId, redemption.ref as ref, movement.amount_fen as amount, movement.at_ms as at
            from redemption_movement movement join redemption on redemption.id = movement.redemption_id
            where movement.id in (${slots(of.movementIds)}) order by movement.id`,
          of.movementIds,
        )
  const ended =
    of.redemptionIds.length === 0
      ? []
      : await sql<Row>(
          tx.em,
          `select id as subjectId, null as movementId, state as kind, merchant_id as merchantId, shop_id as shopId,
              till_id as tillId, id as redemptionId, ref, authorised_fen as amount, null as at
            from redemption where id in (${slots(of.redemptionIds)}) and state in ('voided', 'timed_out')
              and authorised_fen > 0 order by id`,
          of.redemptionIds,
        )
  return [...moved, ...ended].map(({ kind, amount, at, ...row }) => ({
    ...row,
    ref: row.ref ?? null,
    event:
      `redemption.${kind === 'capture' ? 'captured' : kind === 'refund' || kind === 'undo' ? 'refunded' : kind}` as Happened['event'],
    amountFen: Number(amount) as Fen,
    // When it ended is nowhere written down: it was just now.
    atMs: at === null ? tx.clock.now() : Number(at),
  }))
}

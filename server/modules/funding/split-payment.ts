import { cutPieces, MOST_PIECES } from '../../../contract/cut-pieces.ts'
import { sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { PayProduct } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { AppError, refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { chargeWechat, type PayBodies } from './charge-wechat.ts'
import { closePayment } from './close-payment.ts'
import { insertPayment } from './insert-payment.ts'
import { holdOwnOrder, watchLater } from './open-payment.ts'
import { preparePayment } from './prepare-payment.ts'
import { readNeeds, readOrderBrands } from './read-needs.ts'
import { findOwnPayment, readGroup } from './read-payment.ts'
import { cutParts } from './rules.ts'

/** How an amount is paid in several payments, each within a limit of the payer's bank. */
export interface SplitWish {
  readonly orderId: Id<'order'>
  readonly source: 'wechat_pay' | 'bank_transfer'
  /** A payment that cannot be paid in one: it is closed first. */
  readonly paymentId?: Id<'payment'> | undefined
  readonly amountFen: Fen
  /** What one payment carries at most; or each payment's own amount in `pieces`. */
  readonly mostFen?: Fen | undefined
  readonly pieces?: readonly Fen[] | undefined
  readonly brandId?: Id<'brand'> | undefined
  readonly product?: PayProduct | undefined
  readonly openid?: string | undefined
  readonly clientIp?: string | undefined
}

/** Each payment is three rows or four, and SQLite's only writer must move on. */
const MOST_PAYMENTS = 250
/** Credentials that are asked for at a time. */
const AT_ONCE = 5

/**
 * Pays an amount of an order in several payments: closes the payment that is stuck, once WeChat Pay says that it is
 * unpaid, and opens one payment for each piece in one transaction. The same key gives the same payments; a run that
 * stopped anywhere is finished by the next. Each piece of an order with several brands is a combined payment, whose first
 * payment stands in the answer. Refuses as `openPayment` does, with `too_many_pieces`, and with `state_conflict` when the
 * stuck payment was paid after all; throws OutsideError when nobody knows, and then nothing was opened.
 */
export async function splitPayment(edge: Edge, wish: SplitWish, key: string): Promise<Id<'payment'>[]> {
  const pieces = piecesOf(wish)
  if (wish.paymentId !== undefined) await closeStuck(edge, wish, wish.paymentId)
  const { clientIp: _, openid, ...input } = wish
  const ids = await edge.tx((tx) => {
    const payer = openid === undefined ? {} : { payer: tx.house.seal.blindIndex('payer-openid', openid) }
    const keyed = { ...input, ...payer, pieces }
    return once(tx, `payment.split:${companyOf(tx.actor)}`, key, keyed, () =>
      recordPieces(tx, wish, pieces, edge.ports.wechatPay),
    )
  })
  if (wish.source === 'wechat_pay') await prepareAll(edge, ids)
  return ids
}

function piecesOf({ amountFen, mostFen, pieces }: SplitWish): readonly Fen[] {
  if (pieces !== undefined) {
    if (pieces.length > MOST_PIECES) refuse('too_many_pieces', { field: 'pieces' })
    if (sumFen(pieces) !== amountFen || pieces.some((piece) => piece === 0))
      refuse('malformed_request', { field: 'pieces' })
    return pieces
  }
  if (mostFen === undefined || mostFen === 0) refuse('malformed_request', { field: 'mostFen' })
  return cutPieces(amountFen, mostFen) ?? refuse('too_many_pieces', { field: 'mostFen' })
}

async function closeStuck(edge: Edge, wish: SplitWish, paymentId: Id<'payment'>): Promise<void> {
  const stuck = await edge.read((tx) => findOwnPayment(tx, paymentId))
  if (stuck.orderId !== wish.orderId) refuse('malformed_request', { field: 'paymentId' })
  if (stuck.state === 'opened') await closePayment(edge, paymentId)
}

async function recordPieces(
  tx: Tx,
  wish: SplitWish,
  pieces: readonly Fen[],
  bodies: PayBodies,
): Promise<Id<'payment'>[]> {
  const order = await holdOwnOrder(tx, wish.orderId, wish.source)
  if (wish.paymentId !== undefined) {
    const group = await readGroup(tx, wish.paymentId)
    if (group.some((one) => one.state !== 'closed' && one.state !== 'failed')) refuse('state_conflict')
  }
  const brands = await readOrderBrands(tx, order.id)
  const missing = sumFen((await readNeeds(tx, order.id, brands)).map((need) => need.missingFen))
  if (wish.amountFen > missing) refuse('payment_over_needed', { field: 'amountFen' })
  const opened: Id<'payment'>[] = []
  let count = 0
  for (const amountFen of pieces) {
    const piece = { ...wish, amountFen }
    if (wish.source === 'bank_transfer') {
      const needs = await readNeeds(tx, order.id, brands)
      const seed = { id: tx.newId('payment'), source: wish.source, amountFen }
      opened.push((await insertPayment(tx, order, seed, cutParts(amountFen, needs))).id)
      continue
    }
    const rows = await chargeWechat(tx, order, brands, { ...piece, product: wish.product ?? 'native' }, bodies)
    count += rows.length
    if (count > MOST_PAYMENTS) refuse('too_many_pieces', { field: 'mostFen' })
    await watchLater(tx, rows[0]!)
    opened.push(rows[0]!.id)
  }
  return opened
}

/** Gets all credentials. A refusal is told when none could be had: otherwise the others can be paid. */
async function prepareAll(edge: Edge, ids: readonly Id<'payment'>[]): Promise<void> {
  const refusals: AppError[] = []
  for (let from = 0; from < ids.length; from += AT_ONCE)
    await Promise.all(
      ids.slice(from, from + AT_ONCE).map((id) =>
        preparePayment(edge, id).catch((error: unknown) => {
          if (!(error instanceof AppError)) throw error
          refusals.push(error)
        }),
      ),
    )
  if (refusals.length > 0 && refusals.length === ids.length) throw refusals[0]
}

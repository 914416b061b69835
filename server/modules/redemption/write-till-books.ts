import { sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertRows, updateRows } from '../../kernel/sql.ts'
import { trailMany } from '../../kernel/trail.ts'
import { changeCards } from '../card/change-cards.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post, type Line } from '../ledger/post.ts'
import { hasWebhook } from '../merchant/has-webhook.ts'
import type { CardNow, HoldNow, MovementNow, RedemptionNow, TillBooks } from './till-books.ts'

/** Writes what acts of tills came to: one statement a table, whatever their number. */
export async function writeTillBooks(tx: Tx, books: TillBooks): Promise<void> {
  await changeCards(
    tx,
    [...books.cards.values()].filter(isChanged).map(({ before, ...now }) => changeOf(before, now)),
  )
  const redemptions = [...books.redemptions.values()].filter((one) => one.changed)
  await writeRedemptions(tx, redemptions)
  await writeHolds(tx, redemptions)
  await writeMovements(tx, books.movements, books.nowMs)
  await tellEnds(tx, redemptions)
  await insertRows(
    tx.em,
    'used_code',
    books.newCodes
      .toSorted((a, b) => (a.code < b.code ? -1 : 1))
      .map(({ code, redemptionId }) => ({ code, redemption_id: redemptionId })),
  )
  await trailMany(
    tx,
    redemptions
      .filter((one) => !one.isNew && one.state !== one.stateBefore)
      .map((one) => ({
        objectId: one.id,
        act: `redemption.${one.state}`,
        fromState: one.stateBefore,
        toState: one.state,
        note: one.byTillId,
      })),
  )
}

const isChanged = ({ before, heldFen, activities, spends }: CardNow): boolean =>
  spends || activities.length > 0 || heldFen !== before.heldFen

const changeOf = (card: CardNow['before'], now: Omit<CardNow, 'before'>) => ({
  card,
  balanceFen: now.balanceFen as Fen,
  heldFen: now.heldFen as Fen,
  state: now.state,
  spentDay: now.spentDay,
  spentDayFen: now.spentDayFen as Fen,
  spentDayTimes: now.spentDayTimes,
  spends: now.spends,
  activities: now.activities,
})

async function writeRedemptions(tx: Tx, redemptions: readonly RedemptionNow[]): Promise<void> {
  const amounts = (one: RedemptionNow) => ({
    state: one.state,
    ref: one.ref,
    bill_fen: one.billFen,
    authorised_fen: one.authorisedFen,
    captured_fen: one.capturedFen,
    refunded_fen: one.refundedFen,
    moved_at_ms: one.movedAtMs,
    ends_at_ms: one.endsAtMs,
  })
  await insertRows(
    tx.em,
    'redemption',
    redemptions
      .filter((one) => one.isNew)
      .map((one) => ({
        id: one.id,
        brand_id: one.till.brandId,
        merchant_id: one.till.merchantId,
        shop_id: one.till.shopId,
        till_id: one.till.tillId,
        shift_id: one.till.shiftId,
        version: 1,
        created_at_ms: one.createdAtMs,
        ...amounts(one),
      })),
  )
  const known = redemptions.filter((one) => !one.isNew).toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const changed = await updateRows(
    tx.em,
    'redemption',
    known.map((one) => ({ id: one.id, ...amounts(one), state_before: one.stateBefore })),
    {
      set: `state = new_state, ref = new_ref, bill_fen = new_bill_fen, authorised_fen = new_authorised_fen,
        captured_fen = new_captured_fen, refunded_fen = new_refunded_fen, moved_at_ms = new_moved_at_ms,
        ends_at_ms = new_ends_at_ms, version = version + 1`,
      where: 'redemption.state = new_state_before',
    },
  )
  if (changed !== known.length) throw new Error('a purchase changed while it was held')
}

async function writeHolds(tx: Tx, redemptions: readonly RedemptionNow[]): Promise<void> {
  const all = redemptions.flatMap((redemption) => redemption.holds.map((hold) => ({ hold, redemption })))
  const amounts = (hold: HoldNow) => ({
    state: hold.state,
    captured_fen: hold.capturedFen,
    refunded_fen: hold.refundedFen,
  })
  await insertRows(
    tx.em,
    'hold',
    all
      .filter(({ hold }) => hold.isNew)
      .map(({ hold, redemption }) => ({
        id: hold.id,
        card_id: hold.card.before.id,
        amount_fen: hold.amountFen,
        version: 1,
        ref: redemption.id,
        created_at_ms: tx.clock.now(),
        ends_at_ms: redemption.endsAtMs,
        ...amounts(hold),
      })),
  )
  const known = all.filter(({ hold }) => !hold.isNew).map(({ hold }) => ({ id: hold.id, ...amounts(hold) }))
  const changed = await updateRows(
    tx.em,
    'hold',
    known.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    {
      set: 'state = new_state, captured_fen = new_captured_fen, refunded_fen = new_refunded_fen, version = version + 1',
      where: 'hold.captured_fen <= new_captured_fen and hold.refunded_fen <= new_refunded_fen',
    },
  )
  if (changed !== known.length) throw new Error('a hold changed while its purchase was held')
}

/** One entry for all that was taken and one for all that came back; each movement names its entry. */
async function writeMovements(tx: Tx, movements: readonly MovementNow[], atMs: number): Promise<void> {
  if (movements.length === 0) return
  const ids = movements.map(() => tx.newId('redemptionMovement'))
  const taken = movements.filter(({ kind }) => kind === 'capture')
  const back = movements.filter(({ kind }) => kind !== 'capture')
  const entries = [
    ...(taken.length > 0 ? [{ kind: 'captured', moved: taken }] : []),
    ...(back.length > 0 ? [{ kind: 'capture_refunded', moved: back }] : []),
  ]
  const entryIds = await post(
    tx,
    entries.map(({ kind, moved }) => ({ kind, ref: ids[movements.indexOf(moved[0]!)]!, lines: linesOf(kind, moved) })),
  )
  const entryOf = (movement: MovementNow): Id<'entry'> =>
    entryIds[entries.findIndex(({ kind }) => (kind === 'captured') === (movement.kind === 'capture'))]!
  await insertRows(
    tx.em,
    'redemption_movement',
    movements.map((movement, index) => ({
      id: ids[index]!,
      redemption_id: movement.redemption.id,
      kind: movement.kind,
      amount_fen: movement.amountFen,
      entry_id: entryOf(movement),
      merchant_id: movement.till.merchantId,
      shop_id: movement.till.shopId,
      till_id: movement.till.tillId,
      shift_id: movement.till.shiftId,
      at_ms: atMs,
    })),
  )
  const told = await hasWebhook(tx, [...new Set(movements.map(({ till }) => till.merchantId))])
  await enqueue(
    tx,
    movements.flatMap(({ till }, index) =>
      told.has(till.merchantId)
        ? [{ kind: 'webhook.note', key: `webhook.note:${ids[index]!}`, args: { movementId: ids[index]! } }]
        : [],
    ),
  )
}

/** What was set aside and came back untouched is no movement; a merchant who wants to hear of its tills hears of it too. */
async function tellEnds(tx: Tx, redemptions: readonly RedemptionNow[]): Promise<void> {
  const ended = redemptions.filter(
    (one) => (one.state === 'voided' || one.state === 'timed_out') && one.authorisedFen > 0,
  )
  const told = await hasWebhook(
    tx,
    ended.map((one) => one.till.merchantId),
  )
  await enqueue(
    tx,
    ended
      .filter((one) => told.has(one.till.merchantId))
      .map(({ id }) => ({ kind: 'webhook.note', key: `webhook.note:${id}`, args: { redemptionId: id } })),
  )
}

/** `VALUE` goes from the cards of a brand to the shop where it was spent, or back. */
function linesOf(kind: string, movements: readonly MovementNow[]): Line[] {
  const [onto, off] = kind === 'captured' ? [debit, credit] : [credit, debit]
  const sums = (nameOf: (movement: MovementNow) => string): [string, Fen][] =>
    [...Map.groupBy(movements, nameOf)].map(([name, own]) => [name, sumFen(own.map((one) => one.amountFen))])
  return [
    ...sums(({ till }) => till.shopId).map(([shopId, sum]) => onto(account.redeemed(shopId), sum, 'VALUE')),
    ...sums(({ till }) => till.brandId).map(([brandId, sum]) =>
      off(account.cards(brandId as Id<'brand'>), sum, 'VALUE'),
    ),
  ]
}

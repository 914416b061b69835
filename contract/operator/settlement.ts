import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { splitMoves, type PayoutState, type SplitReceiverState, type SplitState } from '../states.ts'

const states = <S extends string>(...all: readonly [S, ...S[]]) => z.enum(all)
const splitState = states<SplitState>('held', 'planned', 'sharing', 'unfreezing', 'finished', 'stuck')
const receiverState = states<SplitReceiverState>('pending', 'success', 'closed', 'returning', 'returned')
const payoutState = states<PayoutState>('drafted', 'exported', 'paid', 'failed', 'cancelled')
const signedFenField = z.int()

/** GET /operator/settlement: what waits, by state and collecting merchant, and how many calls planning has saved. */
export const Backlog = z.object({
  /** Orders whose money is still held: nobody has planned them yet. */
  held: z.object({ orders: z.int(), priceFen: fenField, nextAtMs: instantField.nullable() }),
  waiting: z.array(
    z.object({
      state: splitState,
      mchid: z.string(),
      splits: z.int(),
      /** What of their transactions is neither shared nor refunded yet. */
      frozenFen: fenField,
      oldestMs: z.int(),
    }),
  ),
  /** At what pace calls are made for one merchant. */
  callsPerSecond: z.int(),
  calls: z.object({
    splits: z.int(),
    made: z.int(),
    /** One call for each receiver and slice of an order, and one to unfreeze. */
    naive: z.int(),
    saved: z.int(),
    receivers: z.int(),
  }),
  payouts: z.array(z.object({ state: z.enum(['open', ...payoutState.options]), count: z.int(), fen: signedFenField })),
})
export type Backlog = z.input<typeof Backlog>

/** GET /operator/splits: newest first. */
export const SplitsInput = z.object({
  state: z.enum(Object.keys(splitMoves) as [SplitState, ...SplitState[]]).optional(),
  mchid: z.string().max(32).optional(),
  orderId: idField('order').optional(),
  cursor: cursorField,
  limit: limitField,
})
const SplitLine = z.object({
  id: idField('split'),
  orderId: idField('order'),
  paymentId: idField('payment'),
  brandName: z.string(),
  mchid: z.string(),
  collector: z.enum(['brand', 'platform']),
  state: splitState,
  paidFen: fenField,
  refundedFen: fenField,
  sharedFen: fenField,
  returnedFen: fenField,
  unfrozenFen: fenField.nullable(),
  feeFen: fenField.nullable(),
  problem: z.string().nullable(),
  plannedAtMs: instantField,
  finishedAtMs: instantField.nullable(),
  nextAtMs: instantField.nullable(),
})
export const Splits = z.object({ splits: z.array(SplitLine), nextCursor: z.string().nullable() })
export type SplitLine = z.input<typeof SplitLine>

/** GET /operator/splits/:id: its calls, and each receiver of each. */
export const SplitInput = z.object({ id: idField('split') })
export const SplitDetail = SplitLine.extend({
  calls: z.array(
    z.object({
      id: idField('splitCall'),
      kind: z.enum(['share', 'unfreeze']),
      state: z.enum(['planned', 'sent', 'processing', 'finished', 'lost']),
      outOrderNo: z.string(),
      tries: z.int(),
      polls: z.int(),
      error: z.string().nullable(),
      sentAtMs: instantField.nullable(),
      finishedAtMs: instantField.nullable(),
      receivers: z.array(
        z.object({
          id: idField('splitReceiver'),
          account: z.string(),
          party: z.enum(['platform', 'channel', 'brand']),
          amountFen: fenField,
          returnedFen: fenField,
          state: receiverState,
          failReason: z.string().nullable(),
        }),
      ),
    }),
  ),
  /** Receivers whose money goes by payout after all, and why. */
  leftToPayout: z.array(z.object({ account: z.string(), reason: z.string() })),
})
export type SplitDetail = z.input<typeof SplitDetail>
/** POST /operator/splits/:id/retry and /payout: a stuck split is tried again, or what is left goes by payout. */
export const SplitMoved = z.object({ state: splitState })

/** GET /operator/payouts: newest first. */
export const PayoutsInput = z.object({ state: payoutState.optional(), cursor: cursorField, limit: limitField })
const PayoutLine = z.object({
  id: idField('payout'),
  payee: z.string(),
  payeeName: z.string(),
  amountFen: fenField,
  state: payoutState,
  items: z.int(),
  hasAccount: z.boolean(),
  fileId: idField('payoutFile').nullable(),
  problem: z.string().nullable(),
  draftedAtMs: instantField,
  exportedAtMs: instantField.nullable(),
  paidAtMs: instantField.nullable(),
})
export const Payouts = z.object({
  payouts: z.array(PayoutLine),
  /** Payees with items that are on no payout yet: what they are owed, or owe (negative). */
  open: z.array(z.object({ payee: z.string(), payeeName: z.string(), owedFen: signedFenField, items: z.int() })),
  nextCursor: z.string().nullable(),
})
export type Payouts = z.input<typeof Payouts>
/** GET /operator/payouts/:id: its statement, item by item. */
export const PayoutInput = z.object({ id: idField('payout') })
export const PayoutDetail = PayoutLine.extend({
  statement: z.array(
    z.object({
      id: idField('payoutItem'),
      kind: z.enum(['settlement', 'refund', 'withdrawal']),
      orderId: idField('order').nullable(),
      amountFen: signedFenField,
      createdAtMs: instantField,
    }),
  ),
})
export type PayoutDetail = z.input<typeof PayoutDetail>

/** POST /operator/payouts/draft: one for every payee that is owed something. */
export const Drafted = z.object({ drafted: z.int() })
/** POST /operator/payouts/export: drafted payouts into a file for the bank; all, or those named. */
export const ExportPayoutsInput = z.object({ ids: z.array(idField('payout')).min(1).max(500).optional() })
export const ExportedPayouts = z.object({
  fileId: idField('payoutFile'),
  payouts: z.int(),
  totalFen: fenField,
  withoutAccount: z.array(z.string()),
})
/** GET /operator/payout-files/:id: the file, the same bytes each time. */
export const PayoutFileInput = z.object({ id: idField('payoutFile') })
/** POST /operator/payouts/:id/paid: the line of a statement that shows it. */
export const PayPayoutInput = z.object({ id: idField('payout'), lineId: idField('statementLine') })
/** POST /operator/payouts/:id/failed: what the bank said. */
export const FailPayoutInput = z.object({
  id: idField('payout'),
  problem: z.enum(['account_wrong', 'holder_wrong', 'account_closed', 'bank_refused', 'other']),
})
export const PayoutMoved = z.object({ state: payoutState })
/** PUT /operator/payees/:payee/account. */
export const PayeeAccountInput = z.object({
  payee: z.string().regex(/^[A-Za-z0-9_.:-]{1,60}$/),
  holder: z.string().trim().min(1).max(100),
  number: z
    .string()
    .trim()
    .regex(/^[0-9A-Za-z -]{5,40}$/),
  bank: z.string().trim().min(1).max(100),
})
export const PayeeAccountSet = z.object({ payee: z.string() })

import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { paidFenField, payCodesField, redemptionStates, RedemptionView } from '../till.ts'

export const merchantRoles = ['clerk', 'manager'] as const
/** What a sign-in link carries: 24 random bytes. */
export const clerkTokenField = z.string().regex(/^[A-Za-z0-9_-]{32}$/)

/** POST /merchant/sign-in: the token of a link, once. */
export const ClerkSignInInput = z.object({ token: clerkTokenField })

/** A clerk's time at a till. While it is open the sums are those of this moment; closed, those of its slip. */
export const ShiftView = z.object({
  id: idField('shift'),
  shopId: idField('shop'),
  shopName: z.string(),
  clerkName: z.string(),
  mine: z.boolean(),
  state: z.enum(['open', 'closed']),
  openedAtMs: instantField,
  closedAtMs: instantField.nullable(),
  capturedFen: fenField,
  returnedFen: fenField,
  purchases: z.int(),
})
export type ShiftView = z.infer<typeof ShiftView>

/** GET /merchant/session: who stands at this till, where, and their open shift. */
export const ClerkSession = z.object({
  clerk: z.object({ id: idField('clerk'), name: z.string(), role: z.enum(merchantRoles) }),
  merchantName: z.string(),
  brandName: z.string(),
  shop: z.object({ id: idField('shop'), name: z.string(), city: z.string() }),
  shift: ShiftView.nullable(),
  sandbox: z.boolean(),
})
export type ClerkSession = z.infer<typeof ClerkSession>

/** POST /merchant/shifts/:id/close. GET /merchant/shifts: the open ones of the merchant, then the newest of the shop. */
export const ShiftInput = z.object({ id: idField('shift') })
export const Shifts = z.object({ shifts: z.array(ShiftView) })
export type Shifts = z.infer<typeof Shifts>

/** GET /merchant/purchases: newest first; `shift`: of the open shift, `shop`: of everybody in the shop. */
export const PurchasesInput = z.object({
  of: z.enum(['shift', 'shop']).default('shift'),
  cursor: cursorField,
  limit: limitField,
})
export const PurchaseLine = z.object({
  id: idField('redemption'),
  state: z.enum(redemptionStates),
  billFen: fenField,
  capturedFen: fenField,
  refundedFen: fenField,
  createdAtMs: instantField,
  /** Whose till; null: a till that speaks to us by itself. */
  clerkName: z.string().nullable(),
})
export type PurchaseLine = z.infer<typeof PurchaseLine>
export const Purchases = z.object({ purchases: z.array(PurchaseLine), nextCursor: z.string().nullable() })
export type Purchases = z.infer<typeof Purchases>

/** GET /merchant/purchases/:id */
export const PurchaseInput = z.object({ id: idField('redemption') })
/** A purchase with what happened to it, and until when its clerk may undo it by our clock; null: not, or not any more. */
export const PurchaseDetail = RedemptionView.extend({
  clerkName: z.string().nullable(),
  undoUntilMs: instantField.nullable(),
  nowMs: instantField,
  movements: z.array(
    z.object({ kind: z.enum(['capture', 'refund', 'undo']), amountFen: fenField, atMs: instantField }),
  ),
})
export type PurchaseDetail = z.infer<typeof PurchaseDetail>

/** POST /merchant/scans: payment codes as a camera, a hand scanner or a person read them; they are used up. */
export const ScanInput = z.object({ codes: payCodesField })
/** POST /merchant/purchases/:id/redeem: takes the bill off the cards; with `partial` what they lack is paid in cash. */
export const RedeemInput = z.object({
  id: idField('redemption'),
  billFen: paidFenField,
  partial: z.boolean().default(false),
})
/** POST /merchant/purchases/:id/undo and /void (what was scanned and not taken). */
/** POST /merchant/purchases/:id/refund */
export const RefundPurchaseInput = z.object({ id: idField('redemption'), amountFen: paidFenField })

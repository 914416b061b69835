import { z } from 'zod'
import { MOST_PIECES } from '../cut-pieces.ts'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { paymentOutcomes } from '../states.ts'

const paymentSources = ['wallet', 'wechat_pay', 'bank_transfer', 'credit_line'] as const
const payProducts = ['native', 'jsapi', 'h5'] as const
const paymentStates = ['opened', 'paid', 'refunding', 'part_refunded', 'refunded', 'closed', 'failed'] as const
const orderStates = [
  'placing',
  'awaiting_funds',
  'funded',
  'issuing',
  'issued',
  'refunding',
  'refunded',
  'cancelled',
  'closed',
] as const
export const BankAccountView = z.object({ holder: z.string(), number: z.string(), bank: z.string() })

export const PaymentView = z.object({
  id: idField('payment'),
  source: z.enum(paymentSources),
  state: z.enum(paymentStates),
  amountFen: fenField,
  paidFen: fenField.nullable(),
  outcome: z.enum(paymentOutcomes).nullable(),
  brand: z.object({ id: idField('brand'), name: z.string() }).nullable(),
  /** WeChat Pay: how the payer meets it. */
  product: z.enum(payProducts).nullable(),
  /** While it can be paid: the text of the QR code, or the address to send a phone's browser to (good for 5 minutes). */
  codeUrl: z.string().nullable(),
  h5Url: z.string().nullable(),
  /** Signed arguments of `getBrandWCPayRequest`, in the answer to opening and asking only. */
  jsapi: z
    .object({
      appId: z.string(),
      timeStamp: z.string(),
      nonceStr: z.string(),
      package: z.string(),
      signType: z.literal('RSA'),
      paySign: z.string(),
    })
    .nullable(),
  /** One charge that pays several brands: all its payments, and what the payer pays in all. */
  combined: z.object({ paymentIds: z.array(idField('payment')), amountFen: fenField }).nullable(),
  expiresAtMs: instantField.nullable(),
  transactionId: z.string().nullable(),
  /** Bank transfer: what to write on it. */
  reference: z.string().nullable(),
  openedAtMs: instantField,
  paidAtMs: instantField.nullable(),
  parts: z.array(z.object({ brandId: idField('brand'), brandName: z.string(), amountFen: fenField })),
})
export type PaymentView = z.infer<typeof PaymentView>

export const OrderIdInput = z.object({ id: idField('order') })
/** GET /hr/orders/:id: what is owed, what arrived, what is missing, and which ways are open. */
export const OrderView = z.object({
  id: idField('order'),
  campaignId: idField('campaign').nullable(),
  campaignTitle: z.string().nullable(),
  state: z.enum(orderStates),
  totalFen: fenField,
  securedFen: fenField,
  missingFen: fenField,
  /** Asked for in open payments that have not arrived. */
  openFen: fenField,
  brands: z.array(
    z.object({ id: idField('brand'), name: z.string(), priceFen: fenField, takesWechatPay: z.boolean() }),
  ),
  /** One charge by WeChat Pay may pay all brands that take it. */
  combinedWechat: z.boolean(),
  payments: z.array(PaymentView),
  routes: z.array(
    z.object({
      source: z.enum(paymentSources),
      allowed: z.boolean(),
      text: z.string().nullable(),
      rule: z.string().nullable(),
    }),
  ),
  walletFen: fenField,
  /** What the company may still buy on credit; null where it has no credit line. */
  creditFen: fenField.nullable(),
  bankAccount: BankAccountView,
})
export type OrderView = z.infer<typeof OrderView>

/**
 * POST /hr/orders/:id/payments, Idempotency-Key. WeChat Pay of an order with several brands pays one of them (`brandId`)
 * or all in one combined payment. `openid` is asked for by JSAPI.
 */
export const OpenPaymentInput = z.object({
  id: idField('order'),
  source: z.enum(paymentSources),
  amountFen: fenField.refine((value) => value > 0, { message: 'at least 1 fen' }),
  brandId: idField('brand').optional(),
  product: z.enum(payProducts).optional(),
  openid: z.string().min(1).max(128).optional(),
})
/**
 * POST /hr/orders/:id/payments/split, Idempotency-Key: several payments in place of one that the payer's bank does not
 * let through. Either `mostFen`, what one payment carries at most, or each one's amount in `pieces`.
 */
export const SplitPaymentInput = z.object({
  id: idField('order'),
  source: z.enum(['wechat_pay', 'bank_transfer']).default('wechat_pay'),
  /** The payment that is stuck: it is closed first. */
  paymentId: idField('payment').optional(),
  amountFen: fenField.refine((value) => value > 0, { message: 'at least 1 fen' }),
  mostFen: fenField.refine((value) => value > 0, { message: 'at least 1 fen' }).optional(),
  pieces: z.array(fenField).min(1).max(MOST_PIECES).optional(),
  brandId: idField('brand').optional(),
  product: z.enum(payProducts).optional(),
  openid: z.string().min(1).max(128).optional(),
})
/** One a piece; of a combined payment its first. */
export const SplitPayments = z.object({ payments: z.array(PaymentView) })
export const PaymentIdInput = z.object({ id: idField('payment') })

/** GET /hr/payments: all of the company's payments, newest first. */
export const PaymentListInput = z.object({ cursor: cursorField, limit: limitField })
export const PaymentList = z.object({
  payments: z.array(PaymentView.extend({ orderId: idField('order'), campaignTitle: z.string().nullable() })),
  nextCursor: z.string().nullable(),
})

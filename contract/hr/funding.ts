import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { paymentOutcomes } from '../states.ts'

const paymentSources = ['wallet', 'wechat_pay', 'bank_transfer'] as const
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
const BankAccountView = z.object({ holder: z.string(), number: z.string(), bank: z.string() })

export const PaymentView = z.object({
  id: idField('payment'),
  source: z.enum(paymentSources),
  state: z.enum(paymentStates),
  amountFen: fenField,
  paidFen: fenField.nullable(),
  outcome: z.enum(paymentOutcomes).nullable(),
  brand: z.object({ id: idField('brand'), name: z.string() }).nullable(),
  /** WeChat Pay: the text of the QR code while it can be paid, and until when. */
  codeUrl: z.string().nullable(),
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
  bankAccount: BankAccountView,
})
export type OrderView = z.infer<typeof OrderView>

/** POST /hr/orders/:id/payments, Idempotency-Key. `brandId` only for WeChat Pay where the order has several brands. */
export const OpenPaymentInput = z.object({
  id: idField('order'),
  source: z.enum(paymentSources),
  amountFen: fenField.refine((value) => value > 0, { message: 'at least 1 fen' }),
  brandId: idField('brand').optional(),
})
export const PaymentIdInput = z.object({ id: idField('payment') })

/** GET /hr/wallet */
export const WalletView = z.object({
  balanceFen: fenField,
  /** To write on a transfer that tops it up. */
  reference: z.string(),
  bankAccount: BankAccountView,
  movements: z.array(
    z.object({
      id: idField('walletMovement'),
      kind: z.enum(['top_up', 'spent', 'refunded']),
      amountFen: z.int(),
      balanceAfterFen: fenField,
      atMs: instantField,
    }),
  ),
})
export type WalletView = z.infer<typeof WalletView>
/** GET /hr/payments: all of the company's payments, newest first. */
export const PaymentListInput = z.object({ cursor: cursorField, limit: limitField })
export const PaymentList = z.object({
  payments: z.array(PaymentView.extend({ orderId: idField('order'), campaignTitle: z.string().nullable() })),
  nextCursor: z.string().nullable(),
})

import { z } from 'zod'
import { fen } from '../../../contract/fen.ts'
import type { RefundFacts, RefundWish, WechatPayMerchant } from '../wechatpay-port.ts'
import { malformed, readJson } from './answer.ts'
import { ask, look, part, type Caller } from './call.ts'
import { time } from './trade.ts'

const PATH = '/v3/refund/domestic/refunds'
const statuses = z.enum(['PROCESSING', 'SUCCESS', 'CLOSED', 'ABNORMAL'])
const common = {
  out_refund_no: z.string().min(1).max(64),
  refund_id: z.string().min(1).max(32),
  transaction_id: z.string().min(1).max(32),
  success_time: time.optional(),
  amount: z.object({ refund: z.int().positive() }),
}
const answer = z
  .object({ ...common, create_time: time.optional(), status: statuses })
  .transform(({ status, ...told }): RefundFacts => factsOf(status, told))
/** Of a body that was made here: what its answer must repeat. */
const sentBody = z.object({
  out_refund_no: z.string(),
  transaction_id: z.string(),
  amount: z.object({ refund: z.int() }),
})
const told = z.object({ ...common, mchid: z.string().min(1).max(32), refund_status: statuses })

/** The body of a refund; the address of its notice is always in it (protocols wechat-pay 4.1). */
export function refundBody(notifyUrl: string, wish: RefundWish): string {
  return JSON.stringify({
    transaction_id: wish.transactionId,
    out_refund_no: wish.outRefundNo,
    ...(wish.reason === '' ? {} : { reason: wish.reason }),
    notify_url: notifyUrl,
    amount: { refund: wish.refund, total: wish.total, currency: 'CNY' },
  })
}

/** Asks for a refund. A 200 says only that it was accepted. */
export async function refund(caller: Caller, merchant: WechatPayMerchant, body: string): Promise<RefundFacts> {
  const sent = sentBody.parse(readJson(body))
  const facts = await ask(caller, { merchant, path: PATH, body, area: 'refund' }, answer)
  if (facts.outRefundNo !== sent.out_refund_no || facts.transactionId !== sent.transaction_id) throw malformed()
  if (facts.refund !== sent.amount.refund) throw malformed()
  return facts
}

/** The refund of a number, null where there is none. */
export async function queryRefund(
  caller: Caller,
  merchant: WechatPayMerchant,
  outRefundNo: string,
): Promise<RefundFacts | null> {
  const facts = await look(caller, { merchant, path: `${PATH}/${part(outRefundNo)}` }, answer)
  if (facts !== null && facts.outRefundNo !== outRefundNo) throw malformed()
  return facts
}

/** Sends an abnormal refund to the merchant's own bank card. */
export async function refundToMerchant(
  caller: Caller,
  merchant: WechatPayMerchant,
  refundId: string,
  outRefundNo: string,
): Promise<RefundFacts> {
  const path = `${PATH}/${part(refundId)}/apply-abnormal-refund`
  const body = JSON.stringify({ out_refund_no: outRefundNo, type: 'MERCHANT_BANK_CARD' })
  const facts = await ask(caller, { merchant, path, body, area: 'refund' }, answer)
  if (facts.outRefundNo !== outRefundNo) throw malformed()
  return facts
}

/** Reads a refund out of a notice, where its fields have other names; null when it is none. */
export function readRefundNotice(value: unknown): (RefundFacts & { readonly mchid: string }) | null {
  const parsed = told.safeParse(value)
  if (!parsed.success) return null
  return { ...factsOf(parsed.data.refund_status, parsed.data), mchid: parsed.data.mchid }
}

type Body = z.output<z.ZodObject<typeof common>> & { readonly create_time?: string | undefined }

function factsOf(status: RefundFacts['status'], body: Body): RefundFacts {
  return {
    outRefundNo: body.out_refund_no,
    refundId: body.refund_id,
    transactionId: body.transaction_id,
    status,
    refund: fen(body.amount.refund),
    createdAtMs: body.create_time === undefined ? null : Date.parse(body.create_time),
    successAtMs: body.success_time === undefined ? null : Date.parse(body.success_time),
  }
}

import { z } from 'zod'
import { fen } from '../../../contract/fen.ts'
import type { WechatPayTrade } from '../ports.ts'

const tradeBody = z.object({
  appid: z.string().min(1).max(32),
  mchid: z.string().min(1).max(32),
  out_trade_no: z.string().min(1).max(32),
  transaction_id: z.string().max(32).optional(),
  trade_state: z.enum(['NOTPAY', 'SUCCESS', 'REFUND', 'CLOSED', 'REVOKED', 'USERPAYING', 'PAYERROR']),
  success_time: z.iso.datetime({ offset: true }).optional(),
  bank_type: z.string().max(32).optional(),
  payer: z.object({ openid: z.string().max(128).optional() }).optional(),
  amount: z.object({ total: z.number().int().nonnegative(), currency: z.literal('CNY').optional() }),
})

/** Reads the trade of a query or a notice (protocols wechat-pay 2.3); null when it is not one. */
export function readTrade(value: unknown): WechatPayTrade | null {
  const parsed = tradeBody.safeParse(value)
  if (!parsed.success) return null
  const body = parsed.data
  return {
    mchid: body.mchid,
    appid: body.appid,
    outTradeNo: body.out_trade_no,
    transactionId: body.transaction_id ?? null,
    state: body.trade_state,
    total: fen(body.amount.total),
    successAtMs: body.success_time === undefined ? null : Date.parse(body.success_time),
    bankType: body.bank_type ?? null,
    openid: body.payer?.openid ?? null,
  }
}

/** JSON of a text, or undefined when it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

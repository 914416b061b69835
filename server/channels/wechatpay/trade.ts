import { z } from 'zod'
import { fen } from '../../../contract/fen.ts'
import type { WechatPayTrade } from '../wechatpay-port.ts'

const states = z.enum(['NOTPAY', 'SUCCESS', 'REFUND', 'CLOSED', 'REVOKED', 'USERPAYING', 'PAYERROR'])
const amount = z.int().nonnegative()
const payer = z.object({ openid: z.string().max(128).optional() }).optional()
/** Empty where something is not there yet. */
const maybe = (most: number) => z.string().max(most).optional()

/** RFC 3339 with an offset; combined payments tell milliseconds too. */
export const time = z.iso.datetime({ offset: true })

const tradeBody = z.object({
  appid: z.string().min(1).max(32),
  mchid: z.string().min(1).max(32),
  out_trade_no: z.string().min(1).max(32),
  transaction_id: maybe(32),
  trade_state: states,
  success_time: time.optional(),
  bank_type: maybe(32),
  payer,
  amount: z.object({ total: amount, currency: z.literal('CNY').optional() }),
})

const combinedBody = z.object({
  combine_appid: z.string().min(1).max(32),
  combine_mchid: z.string().min(1).max(32),
  combine_out_trade_no: z.string().min(1).max(32),
  combine_payer_info: payer,
  sub_orders: z
    .array(
      z.object({
        mchid: z.string().min(1).max(32),
        out_trade_no: z.string().min(1).max(32),
        transaction_id: maybe(32),
        trade_state: states,
        success_time: time.optional(),
        bank_type: maybe(32),
        amount: z.object({ total_amount: amount, currency: z.literal('CNY').optional() }),
      }),
    )
    .min(1)
    .max(50),
})

/** The trade of a query or a notice (protocols wechat-pay 2.3). */
export const tradeAnswer = tradeBody.transform(({ appid, amount: paid, payer: person, ...body }): WechatPayTrade =>
  tradeOf({ ...body, appid, total: paid.total, openid: person?.openid }),
)

/** A combined payment, each sub-order as a trade (protocols wechat-pay 3). */
export const combinedAnswer = combinedBody.transform(
  ({ combine_appid: appid, combine_payer_info: person, sub_orders: orders, ...body }) => ({
    mchid: body.combine_mchid,
    combineNo: body.combine_out_trade_no,
    trades: orders.map(({ amount: paid, ...order }) =>
      tradeOf({ ...order, appid, total: paid.total_amount, openid: person?.openid }),
    ),
  }),
)

type Told = Omit<z.output<typeof combinedBody>['sub_orders'][number], 'amount'> & {
  readonly appid: string
  readonly total: number
  readonly openid: string | undefined
}

function tradeOf(told: Told): WechatPayTrade {
  return {
    mchid: told.mchid,
    appid: told.appid,
    outTradeNo: told.out_trade_no,
    transactionId: told.transaction_id || null,
    state: told.trade_state,
    total: fen(told.total),
    successAtMs: told.success_time === undefined ? null : Date.parse(told.success_time),
    bankType: told.bank_type || null,
    openid: told.openid ?? null,
  }
}

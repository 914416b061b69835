import { expect } from 'vitest'
import { MINUTE, type MoneyWorld, type Told } from './money.ts'
import { brand, channel } from './pay-box.ts'

export type Row = Record<string, unknown>
export const REFUNDS = '/v3/refund/domestic/refunds'

/** A receiver's line of a sharing call. */
export const row = (account: string, amount: number, more: Row = {}): Row => ({
  type: 'MERCHANT_ID',
  account,
  amount,
  description: '推广服务费',
  ...more,
})
/** The receivers of an answer. */
export const rowsOf = (told: Told): Row[] => told.body['receivers'] as Row[]

/** What the brand may ask of its money, each call under a number of its own where none is named. */
export interface MoneyCalls {
  share(transactionId: string, receivers: unknown[], more?: Row): Promise<Told>
  unfreeze(transactionId: string, no?: string): Promise<Told>
  queryShare(no: unknown, transactionId: string): Promise<Told>
  unsplit(transactionId: string): Promise<unknown>
  /** Of an order of 10,000 fen, or of `total`; `from` goes into the amount. */
  refund(transactionId: string, amount: number, more?: Row): Promise<Told>
  queryRefund(told: Told): Promise<Told>
  /** A sharing with the channel that must be accepted. */
  shared(transactionId: string, amount: number, unfreezeRest?: boolean): Promise<void>
  /** A flagged order that is old enough to be shared. */
  ripe(total?: number): Promise<string>
}

export function moneyCalls(m: MoneyWorld): MoneyCalls {
  let serial = 0
  const newNo = (kind: string): string => `${kind}-${(serial += 1)}`
  const calls: MoneyCalls = {
    share: (transactionId, receivers, more = {}) => {
      const body = { transaction_id: transactionId, out_order_no: newNo('S'), receivers, unfreeze_unsplit: false }
      return m.call(brand, 'POST', '/v3/profitsharing/orders', { ...body, ...more })
    },
    unfreeze: (transactionId, no = newNo('U')) => {
      const body = { transaction_id: transactionId, out_order_no: no, description: '解冻' }
      return m.call(brand, 'POST', '/v3/profitsharing/orders/unfreeze', body)
    },
    queryShare: (no, transactionId) =>
      m.call(brand, 'GET', `/v3/profitsharing/orders/${String(no)}?transaction_id=${transactionId}`),
    unsplit: async (transactionId) =>
      (await m.call(brand, 'GET', `/v3/profitsharing/transactions/${transactionId}/amounts`)).body['unsplit_amount'],
    refund: (transactionId, amount, more = {}) => {
      const { total = 10_000, from, ...rest } = more
      const money = { refund: amount, total, currency: 'CNY', ...(from === undefined ? {} : { from }) }
      const body = { transaction_id: transactionId, out_refund_no: newNo('R'), amount: money }
      return m.call(brand, 'POST', REFUNDS, { ...body, ...rest })
    },
    queryRefund: (told) => m.call(brand, 'GET', `${REFUNDS}/${String(told.body['out_refund_no'])}`),
    shared: async (transactionId, amount, unfreezeRest = false) => {
      const told = await calls.share(transactionId, [row(channel, amount)], { unfreeze_unsplit: unfreezeRest })
      expect(told.status).toBe(200)
    },
    ripe: async (total = 10_000) => {
      const id = await m.paid(brand, total)
      await m.wait(MINUTE)
      return id
    },
  }
  return calls
}

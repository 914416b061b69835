import { describe, expect, test } from 'vitest'
import {
  brand,
  channel,
  notifyUrl,
  openPayBox,
  otherBrand,
  platform,
  signedBy,
  type PayAnswer,
  type PayBox,
} from '../testing/pay-box.ts'

const orders = '/v3/pay/transactions'
const combine = '/v3/combine-transactions'
const sharing = '/v3/profitsharing'
const refunds = '/v3/refund/domestic/refunds'

/** One call that changes something, and how to see what it changed. */
interface Operation {
  readonly path: string
  readonly mchid: string
  readonly body: object
  readonly seen: () => Promise<unknown>
}
const order = (no: string, more: object = {}) => ({
  appid: 'wx1',
  mchid: brand,
  description: '福利卡',
  out_trade_no: no,
  notify_url: notifyUrl,
  amount: { total: 10_000 },
  settle_info: { profit_sharing: true },
  ...more,
})
const scene = { payer_client_ip: '203.0.113.7' }
const h5 = { scene_info: { ...scene, h5_info: { type: 'Wap' } } }
const combined = (no: string, more: object = {}) => ({
  combine_appid: 'wx1',
  combine_mchid: platform,
  combine_out_trade_no: no,
  sub_orders: [brand, otherBrand].map((mchid, index) => ({
    mchid,
    out_trade_no: `${no}-${index}`,
    description: '福利卡',
    attach: 'a',
    amount: { total_amount: 100, currency: 'CNY' },
  })),
  scene_info: scene,
  notify_url: notifyUrl,
  ...more,
})
const receiver = { appid: 'wx1', type: 'MERCHANT_ID', account: channel }

/** A paid order whose money may be shared by now. */
async function aPaidOrder(box: PayBox): Promise<string> {
  await box.call(brand, 'POST', `${orders}/native`, order('PAID-0001'))
  const { transactionId } = (await box.pay(brand, 'PAID-0001')) as { transactionId: string }
  await box.clock.advance(120_000)
  await box.call(brand, 'POST', `${sharing}/receivers/add`, { ...receiver, relation_type: 'DISTRIBUTOR' })
  return transactionId
}
const shareOf = (transactionId: string) => ({
  transaction_id: transactionId,
  out_order_no: 'SHARE-1',
  receivers: [{ type: 'MERCHANT_ID', account: channel, amount: 100, description: '佣金' }],
  unfreeze_unsplit: false,
})

const operations: Record<string, (box: PayBox) => Promise<Operation> | Operation> = {
  native: (box) => placing(box, `${orders}/native`, brand, order('ORDER-0001')),
  jsapi: (box) => placing(box, `${orders}/jsapi`, brand, order('ORDER-0001', { payer: { openid: 'o' } })),
  h5: (box) => placing(box, `${orders}/h5`, brand, order('ORDER-0001', h5)),
  close: async (box) => {
    await box.call(brand, 'POST', `${orders}/native`, order('ORDER-0001'))
    const seen = () => told(box, brand, `${orders}/out-trade-no/ORDER-0001?mchid=${brand}`)
    return { path: `${orders}/out-trade-no/ORDER-0001/close`, mchid: brand, body: { mchid: brand }, seen }
  },
  'combined native': (box) => placing(box, `${combine}/native`, platform, combined('COMB-0001')),
  'combined jsapi': (box) =>
    placing(box, `${combine}/jsapi`, platform, combined('COMB-0001', { combine_payer_info: { openid: 'o' } })),
  'combined h5': (box) => placing(box, `${combine}/h5`, platform, combined('COMB-0001', h5)),
  'combined close': async (box) => {
    const body = combined('COMB-0001')
    await box.call(platform, 'POST', `${combine}/native`, body)
    const parts = body.sub_orders.map(({ mchid, out_trade_no }) => ({ mchid, out_trade_no }))
    const path = `${combine}/out-trade-no/COMB-0001`
    const seen = () => told(box, platform, path)
    return { path: `${path}/close`, mchid: platform, body: { combine_appid: 'wx1', sub_orders: parts }, seen }
  },
  'receiver added': (box) => {
    const body = { ...receiver, relation_type: 'DISTRIBUTOR' }
    return { path: `${sharing}/receivers/add`, mchid: brand, body, seen: () => receivers(box) }
  },
  'receiver deleted': async (box) => {
    await aPaidOrder(box)
    return { path: `${sharing}/receivers/delete`, mchid: brand, body: receiver, seen: () => receivers(box) }
  },
  share: async (box) => {
    const body = shareOf(await aPaidOrder(box))
    return { path: `${sharing}/orders`, mchid: brand, body, seen: () => money(box) }
  },
  unfreeze: async (box) => {
    const body = { transaction_id: await aPaidOrder(box), out_order_no: 'FREE-1', description: '解冻' }
    return { path: `${sharing}/orders/unfreeze`, mchid: brand, body, seen: () => money(box) }
  },
  return: async (box) => {
    await box.ctl('money-rules', { mchid: channel, acceptReturns: true })
    await box.call(brand, 'POST', `${sharing}/orders`, shareOf(await aPaidOrder(box)))
    await box.clock.advance(60_000)
    const body = {
      out_order_no: 'SHARE-1',
      out_return_no: 'RETURN-1',
      return_mchid: channel,
      amount: 40,
      description: '退回',
    }
    return { path: `${sharing}/return-orders`, mchid: brand, body, seen: () => money(box) }
  },
  refund: async (box) => {
    const amount = { refund: 1_000, total: 10_000, currency: 'CNY' }
    const body = { transaction_id: await aPaidOrder(box), out_refund_no: 'REFUND-1', amount }
    return { path: refunds, mchid: brand, body, seen: () => money(box) }
  },
  'abnormal refund': async (box) => {
    await box.ctl('money-outcomes', { of: 'refund', outcome: 'abnormal' })
    const amount = { refund: 1_000, total: 10_000, currency: 'CNY' }
    const asked = { transaction_id: await aPaidOrder(box), out_refund_no: 'REFUND-1', amount }
    const { json } = await box.call(brand, 'POST', refunds, asked)
    await box.clock.advance(60_000)
    const body = { out_refund_no: 'REFUND-1', type: 'MERCHANT_BANK_CARD' }
    const seen = () => told(box, brand, `${refunds}/REFUND-1`)
    return { path: `${refunds}/${String(json['refund_id'])}/apply-abnormal-refund`, mchid: brand, body, seen }
  },
}

function placing(box: PayBox, path: string, mchid: string, body: object): Operation {
  const seen = () =>
    Promise.resolve([...box.world.trades.values()].map((one) => [one.outTradeNo, one.state, one.total]))
  return { path, mchid, body, seen }
}
const told = async (box: PayBox, mchid: string, path: string) => (await box.call(mchid, 'GET', path)).json
const receivers = (box: PayBox) => Promise.resolve([...box.world.money.receivers.values()].map((one) => one.deleted))

/** What stands on all accounts, once everything that was asked for has happened. */
async function money(box: PayBox): Promise<unknown> {
  await box.clock.advance(60_000)
  const { ok } = await box.ctl('conserved', {}, 'GET')
  return [ok, [...box.world.money.balances], [...box.world.money.frozenOf]]
}

/** A call as a caller meets it: its answer, or that there was none. */
const attempt = async (box: PayBox, { mchid, path, body }: Operation): Promise<PayAnswer | 'no answer'> => {
  try {
    return await box.call(mchid, 'POST', path, body)
  } catch (error) {
    if (error instanceof TypeError) return 'no answer'
    throw error
  }
}
const afterEffect = {
  status500_after: 500,
  status502_after: 502,
  status429_after: 429,
  cut_after: 'no answer',
  timeout_after: 'no answer',
  truncated_after: 'no answer',
  broken_response_signature: 'broken',
} as const
const beforeEffect = {
  status429: 429,
  status500_before: 500,
  status502_before: 502,
  cut_before: 'no answer',
  timeout_before: 'no answer',
} as const

describe.each(Object.keys(operations))('%s', (name) => {
  async function faulted(kind: string): Promise<{ box: PayBox; operation: Operation; before: unknown; met: unknown }> {
    const box = await openPayBox()
    const operation = await operations[name]!(box)
    const before = await operation.seen()
    await box.ctl('faults', { kind, path: operation.path })
    const met = await attempt(box, operation)
    return { box, operation, before, met }
  }

  test.each(Object.entries(afterEffect))(
    '%s: done once, and the same call again changes nothing',
    async (kind, how) => {
      const { box, operation, before, met } = await faulted(kind)
      if (how === 'broken') {
        const answer = met as PayAnswer
        expect(answer.status).toBeLessThan(300)
        expect(signedBy((one) => answer.headers.get(one), answer.text, box.world.key.publicPem)).toBe(false)
      } else if (how === 'no answer') expect(met).toBe(how)
      else
        expect([(met as PayAnswer).status, (met as PayAnswer).headers.get('wechatpay-signature')]).toEqual([how, null])
      const after = await operation.seen()
      expect(after).not.toEqual(before)
      const again = (await attempt(box, operation)) as PayAnswer
      expect(again.status).toBeLessThan(300)
      expect(await operation.seen()).toEqual(after)
    },
  )

  test.each(Object.entries(beforeEffect))(
    '%s: nothing happened, and the same call again does it',
    async (kind, how) => {
      const { box, operation, before, met } = await faulted(kind)
      expect(met === 'no answer' ? met : (met as PayAnswer).status).toBe(how)
      expect(await operation.seen()).toEqual(before)
      expect(((await attempt(box, operation)) as PayAnswer).status).toBeLessThan(300)
      expect(await operation.seen()).not.toEqual(before)
    },
  )
})

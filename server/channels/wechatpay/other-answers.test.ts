// Answers that are signed as they must be and tell of something else than was asked: WeChat Pay does not send them, and
// none may be taken for the truth about our number.
import { createCipheriv, generateKeyPairSync, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { failureOf } from '../../testing/pay-stage.ts'
import type { WechatPayPort } from '../wechatpay-port.ts'
import { wechatPayAdapter } from './adapter.ts'
import { signNow } from '../../testing/sign-now.ts'
import { answerText } from './crypto.ts'

const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const merchant = { mchid: '1900000001', appid: 'wx1' }

/** The adapter where every call is answered with this. */
function answered(body: unknown): WechatPayPort {
  const raw = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const seconds = String(Math.floor(Date.now() / 1000))
  const headers = {
    'wechatpay-timestamp': seconds,
    'wechatpay-nonce': 'n',
    'wechatpay-serial': 'PUB_KEY_ID_1',
    'wechatpay-signature': signNow(answerText(seconds, 'n', raw).toString('utf8'), pair.privateKey),
  }
  return wechatPayAdapter({
    baseUrl: 'https://api.mch.weixin.qq.com',
    merchants: [{ ...merchant, certSerial: 'AA', privateKeyPem: pair.privateKey, apiV3Key: 'k'.repeat(32) }],
    platformKeys: { PUB_KEY_ID_1: pair.publicKey },
    notifyUrl: 'https://fuli.example.com/notify/wechatpay',
    now: () => Date.now(),
    random: randomBytes,
    fetch: () => Promise.resolve(new Response(raw, { headers })),
  })
}

interface Case {
  readonly name: string
  readonly true: Record<string, unknown>
  readonly ask: (pay: WechatPayPort) => Promise<unknown>
  /** Each makes it tell of something else. */
  readonly false: readonly Record<string, unknown>[]
}

const trade = { appid: 'wx1', mchid: merchant.mchid, out_trade_no: 'P1', trade_state: 'NOTPAY', amount: { total: 5 } }
const part = { mchid: '2', out_trade_no: 'S1', trade_state: 'NOTPAY', amount: { total_amount: 5 } }
const combined = { combine_appid: 'wx1', combine_mchid: merchant.mchid, combine_out_trade_no: 'C1', sub_orders: [part] }
const refund = {
  refund_id: 'I1',
  out_refund_no: 'R1',
  transaction_id: 'T1',
  status: 'PROCESSING',
  amount: { refund: 5 },
}
const share = { transaction_id: 'T1', out_order_no: 'O1', order_id: 'I1', state: 'PROCESSING', receivers: [] }
const back = { out_return_no: 'B1', return_id: 'I1', amount: 5, result: 'PROCESSING' }
const refundWish = { transactionId: 'T1', outRefundNo: 'R1', reason: '', refund: fen(5), total: fen(5) }
const receivers = [{ account: '2', amount: fen(5), description: 'd' }]
const returnWish = { outOrderNo: 'O1', outReturnNo: 'B1', account: '2', amount: fen(5), description: 'd' }

const cases: readonly Case[] = [
  {
    name: 'query',
    true: trade,
    ask: (pay) => pay.query(merchant, 'P1'),
    false: [
      { out_trade_no: 'P2' },
      { mchid: '2' },
      { trade_state: 'HEARD_OF' },
      { amount: { total: 5.5 } },
      { amount: { total: 5, currency: 'USD' } },
      { success_time: 'yesterday' },
    ],
  },
  {
    name: 'queryCombined',
    true: combined,
    ask: (pay) => pay.queryCombined(merchant, 'C1'),
    false: [
      { combine_out_trade_no: 'C2' },
      { combine_mchid: '2' },
      { sub_orders: [] },
      { sub_orders: [{ ...part, amount: {} }] },
    ],
  },
  {
    name: 'refund',
    true: refund,
    ask: (pay) => pay.refund(merchant, pay.refundBody(refundWish)),
    false: [
      { out_refund_no: 'R2' },
      { transaction_id: 'T2' },
      { status: 'DONE' },
      { amount: { refund: 0 } },
      { amount: { refund: 6 } },
    ],
  },
  {
    name: 'queryRefund',
    true: refund,
    ask: (pay) => pay.queryRefund(merchant, 'R1'),
    false: [{ out_refund_no: 'R2' }],
  },
  {
    name: 'refundToMerchant',
    true: refund,
    ask: (pay) => pay.refundToMerchant(merchant, 'I1', 'R1'),
    false: [{ out_refund_no: 'R2' }],
  },
  {
    name: 'share',
    true: share,
    ask: (pay) =>
      pay.share(merchant, pay.shareBody({ transactionId: 'T1', outOrderNo: 'O1', receivers, unfreezeRest: false })),
    false: [
      { out_order_no: 'O2' },
      { transaction_id: 'T2' },
      { state: 'DONE' },
      { receivers: [{ account: '2', amount: -1, result: 'SUCCESS' }] },
    ],
  },
  {
    name: 'queryShare',
    true: share,
    ask: (pay) => pay.queryShare(merchant, 'T1', 'O1'),
    false: [{ out_order_no: 'O2' }, { transaction_id: 'T2' }],
  },
  {
    name: 'unfreeze',
    true: share,
    ask: (pay) => pay.unfreeze(merchant, pay.unfreezeBody({ transactionId: 'T1', outOrderNo: 'O1', description: 'd' })),
    false: [{ out_order_no: 'O2' }, { transaction_id: 'T2' }],
  },
  {
    name: 'unsplitAmount',
    true: { transaction_id: 'T1', unsplit_amount: 5 },
    ask: (pay) => pay.unsplitAmount(merchant, 'T1'),
    false: [{ transaction_id: 'T2' }, { unsplit_amount: -1 }, { unsplit_amount: '5' }],
  },
  {
    name: 'returnShare',
    true: back,
    ask: (pay) => pay.returnShare(merchant, pay.returnBody(returnWish)),
    false: [{ out_return_no: 'B2' }, { amount: 6 }, { result: 'DONE' }],
  },
  {
    name: 'queryReturn',
    true: back,
    ask: (pay) => pay.queryReturn(merchant, 'O1', 'B1'),
    false: [{ out_return_no: 'B2' }],
  },
  {
    name: 'addReceiver',
    true: { account: '2' },
    ask: (pay) => pay.addReceiver(merchant, { account: '2', relation: 'BRAND' }),
    false: [{ account: '3' }],
  },
  {
    name: 'maxRatioBp',
    true: { sub_mchid: '2', max_ratio: 3_000 },
    ask: (pay) => pay.maxRatioBp(merchant, '2'),
    false: [{ sub_mchid: '3' }, { max_ratio: 10_001 }],
  },
  {
    name: 'readIncome',
    true: { total_count: 0, data: [] },
    ask: (pay) => pay.readIncome(merchant, '2026-11-22'),
    false: [
      { total_count: -1 },
      { data: [{ income_record_id: 'X', amount: 0, success_time: '2026-11-22T00:00:00+08:00' }] },
    ],
  },
  {
    name: 'prepare',
    true: { code_url: 'weixin://x' },
    ask: (pay) => pay.prepare(merchant, 'native', '{}'),
    false: [{ code_url: '' }, { code_url: undefined, prepay_id: 'x' }],
  },
]

test.each(cases)('$name believes nothing that is about something else', async ({ true: body, ask, false: others }) => {
  await ask(answered(body))
  for (const other of others)
    expect([other, await failureOf(ask(answered({ ...body, ...other })))]).toEqual([other, 'unknown MALFORMED'])
  for (const nothing of ['', '{', 'null', '[]', '"x"'])
    expect([nothing, await failureOf(ask(answered(nothing)))]).toEqual([nothing, 'unknown MALFORMED'])
})

test('what is empty or of 1970 is not there', async () => {
  const epoch = '1970-01-01T08:00:00+08:00'
  const row = { account: '2', amount: 5, result: 'PENDING', finish_time: epoch, fail_reason: '', detail_id: '' }
  const found = await answered({ ...share, receivers: [row] }).queryShare(merchant, 'T1', 'O1')
  expect(found?.receivers).toEqual([
    {
      account: '2',
      amount: 5,
      description: '',
      result: 'PENDING',
      failReason: null,
      detailId: null,
      finishedAtMs: null,
    },
  ])
  expect(await answered({ ...trade, transaction_id: '', bank_type: '' }).query(merchant, 'P1')).toMatchObject({
    transactionId: null,
    bankType: null,
  })
})

/** A notice that is signed as it must be, with this inside. */
function notice(plain: string, more: { eventType?: string; originalType?: string; algorithm?: string } = {}) {
  const nonce = randomBytes(6).toString('hex')
  const cipher = createCipheriv('aes-256-gcm', Buffer.from('k'.repeat(32)), Buffer.from(nonce))
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  const {
    eventType: event_type = 'TRANSACTION.SUCCESS',
    originalType: original_type,
    algorithm = 'AEAD_AES_256_GCM',
  } = more
  const resource = { algorithm, nonce, ciphertext: sealed.toString('base64'), original_type }
  const raw = Buffer.from(JSON.stringify({ id: 'EV-1', event_type, resource }))
  const seconds = String(Math.floor(Date.now() / 1000))
  const headers = {
    'wechatpay-timestamp': seconds,
    'wechatpay-nonce': 'n',
    'wechatpay-serial': 'PUB_KEY_ID_1',
    'wechatpay-signature': signNow(answerText(seconds, 'n', raw).toString('utf8'), pair.privateKey),
  }
  return answered('').openNotice(headers, raw)
}

test('a notice is what its event and its content are together', async () => {
  const paid = JSON.stringify({ ...trade, trade_state: 'SUCCESS', transaction_id: 'T1' })
  const refunded = JSON.stringify({ ...refund, mchid: '1', refund_status: 'CLOSED' })
  const shared = JSON.stringify({ mchid: '1', transaction_id: 'T1', out_order_no: 'O1', receiver: {} })
  const kinds = async (plain: string, eventType: string, originalType?: string): Promise<string> => {
    const told = await notice(plain, { eventType, ...(originalType === undefined ? {} : { originalType }) })
    return [told.trades.length > 0 ? 'trades' : '', told.refund ? 'refund' : '', told.share ? 'share' : ''].join('')
  }
  for (const [plain, event, type, expected] of [
    [paid, 'TRANSACTION.SUCCESS', 'transaction', 'trades'],
    [paid, 'TRANSACTION.SUCCESS', undefined, 'trades'],
    [` ${paid}`, 'TRANSACTION.SUCCESS', 'transaction', 'trades'],
    [JSON.stringify(combined), 'TRANSACTION.SUCCESS', 'transaction', 'trades'],
    [refunded, 'REFUND.CLOSED', 'refund', 'refund'],
    [refunded, 'REFUND.CLOSED', undefined, 'refund'],
    [shared, 'PROFITSHARING.SUCCESS', 'profitsharing', 'share'],
    [shared, 'PROFITSHARING.RETURN', undefined, 'share'],
    [shared, 'TRANSACTION.SUCCESS', 'profitsharing', 'share'],
    [paid, 'TRANSACTION.PAYSCORE', 'transaction', ''],
    [paid, 'REFUND.SUCCESS', 'transaction', ''],
    [refunded, 'TRANSACTION.SUCCESS', 'refund', ''],
    [shared, 'REFUND.SUCCESS', 'profitsharing', ''],
    [shared, 'MCHTRANSFER.BILL.FINISHED', 'mch_payment', ''],
  ] as const)
    expect([event, type, await kinds(plain, event, type)]).toEqual([event, type, expected])
})

test('a notice that is signed and yet no notice is refused', async () => {
  for (const plain of ['', 'null', '[]', '{}', '{"mchid":"1"}', JSON.stringify({ ...combined, sub_orders: [] })])
    await expect(notice(plain)).rejects.toThrow('malformed')
  await expect(notice('{}', { eventType: 'REFUND.SUCCESS' })).rejects.toThrow('malformed')
  await expect(notice('{}', { originalType: 'profitsharing' })).rejects.toThrow('malformed')
  await expect(notice(JSON.stringify(trade), { algorithm: 'AEAD_SM4_GCM' })).rejects.toThrow('cipher_wrong')
})

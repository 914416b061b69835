import { createCipheriv, createHash } from 'node:crypto'
import { rulesOf } from './accounts.ts'
import type { Refund, Share, ShareReturn, ShareRow } from './money-state.ts'
import { sealNotice, sendLetter } from './notices.ts'
import type { Content, Notice } from './notices.ts'
import { chinaTime } from './state.ts'
import type { World } from './state.ts'

/** Tells a receiver that it got a share: only merchants that have a key here and named an address (protocol sheet 5.7). */
export function announceShare(world: World, share: Share, row: ShareRow, atMs: number): void {
  if (row.type !== 'MERCHANT_ID') return
  const { type, account, amount, description } = row
  const receiver = { type, account, amount, description }
  tellReceiver(world, account, share, { eventType: 'PROFITSHARING.SUCCESS', summary: '分账', receiver, atMs })
}

/** Tells a receiver that a share was taken back: `receiver` is then who shared. */
export function announceReturn(world: World, share: Share, one: ShareReturn, atMs: number): void {
  const { mchid: account, amount, description } = one
  const receiver = { type: 'MERCHANT_ID', account, amount, description }
  tellReceiver(world, one.returnMchid, share, {
    eventType: 'PROFITSHARING.RETURN',
    summary: '分账回退',
    receiver,
    atMs,
  })
}

interface Movement {
  readonly eventType: string
  readonly summary: string
  readonly receiver: Record<string, unknown>
  readonly atMs: number
}

function tellReceiver(world: World, mchid: string, share: Share, movement: Movement): void {
  const merchant = world.merchants.get(mchid)
  const url = rulesOf(world, mchid).shareNotifyUrl
  if (!merchant || url === null) return
  const { eventType, summary, receiver, atMs } = movement
  const plain = {
    mchid,
    transaction_id: share.transactionId,
    order_id: share.orderId,
    out_order_no: share.outOrderNo,
    receiver,
    success_time: chinaTime(atMs),
  }
  const content: Content = { originalType: 'profitsharing', eventType, summary, plain }
  const build = (id: string, mutate?: Parameters<typeof sealNotice>[4]): Notice =>
    sealNotice(world, merchant, content, id, mutate)
  sendLetter(world, { url, about: share.outOrderNo, build })
}

const summaries = { SUCCESS: '退款成功', CLOSED: '退款关闭', ABNORMAL: '退款异常' }

/** Tells a merchant what became of its refund: to the refund's address, else in the old form to the console's. */
export function announceRefund(world: World, refund: Refund): void {
  const merchant = world.merchants.get(refund.mchid)
  if (!merchant || refund.status === 'PROCESSING') return
  const about = refund.outRefundNo
  if (refund.notifyUrl === null) {
    const { refundNotifyUrl: url, apiV2Key } = rulesOf(world, refund.mchid)
    if (url === null || apiV2Key === null) return
    const body = oldRefundNotice(world, refund, apiV2Key)
    return sendLetter(world, { url, about, build: () => ({ headers: { 'content-type': 'text/xml' }, body }) })
  }
  const content: Content = {
    originalType: 'refund',
    eventType: `REFUND.${refund.status}`,
    summary: summaries[refund.status],
    plain: refundPlain(refund),
  }
  const build = (id: string, mutate?: Parameters<typeof sealNotice>[4]): Notice =>
    sealNotice(world, merchant, content, id, mutate)
  sendLetter(world, { url: refund.notifyUrl, about, build })
}

const receivedBy = { payer: '支付用户零钱', payer_card: '用户银行卡', merchant_card: '商户银行卡' }

function refundPlain(refund: Refund): Record<string, unknown> {
  const { total, amount } = refund
  return {
    mchid: refund.mchid,
    transaction_id: refund.transactionId,
    out_trade_no: refund.outTradeNo,
    refund_id: refund.refundId,
    out_refund_no: refund.outRefundNo,
    refund_status: refund.status,
    ...(refund.successAtMs === null ? {} : { success_time: chinaTime(refund.successAtMs) }),
    user_received_account: receivedBy[refund.received],
    amount: { total, refund: amount, payer_total: total, payer_refund: amount },
  }
}

const oldStates = { SUCCESS: 'SUCCESS', CLOSED: 'REFUNDCLOSE', ABNORMAL: 'CHANGE', PROCESSING: '' }

/** The form of before v3: what matters is encrypted under the MD5 of the older key (protocol sheet 4.1). */
function oldRefundNotice(world: World, refund: Refund, apiV2Key: string): string {
  const xml = (root: string, fields: Record<string, string>): string => {
    const lines = Object.entries(fields).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`)
    return `<${root}>${lines.join('')}</${root}>`
  }
  const secret = createHash('md5').update(apiV2Key).digest('hex')
  const cipher = createCipheriv('aes-256-ecb', Buffer.from(secret), null)
  const info = xml('root', {
    transaction_id: refund.transactionId,
    out_trade_no: refund.outTradeNo,
    refund_id: refund.refundId,
    out_refund_no: refund.outRefundNo,
    total_fee: String(refund.total),
    refund_fee: String(refund.amount),
    settlement_refund_fee: String(refund.amount),
    refund_status: oldStates[refund.status],
    success_time: refund.successAtMs === null ? '' : chinaTime(refund.successAtMs).slice(0, 19).replace('T', ' '),
    refund_recv_accout: receivedBy[refund.received],
    refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS',
    refund_request_source: 'API',
  })
  return xml('xml', {
    return_code: 'SUCCESS',
    appid: refund.appid,
    mch_id: refund.mchid,
    nonce_str: world.random(16).toString('hex'),
    req_info: Buffer.concat([cipher.update(info, 'utf8'), cipher.final()]).toString('base64'),
  })
}

import { createCipheriv, randomBytes, sign } from 'node:crypto'

/** What signs and encrypts the notices of a run, and what the servers verify and open them with. */
export interface NoticeKeys {
  readonly mchid: string
  readonly appid: string
  readonly apiV3Key: string
  readonly platformKeyId: string
  readonly platformPrivatePem: string
  readonly platformPublicPem: string
}

/** A payment that waits for its notice. */
export interface Expected {
  readonly outTradeNo: string
  readonly totalFen: number
}

/** The path of the notice endpoint. */
export const NOTICE_PATH = '/notify/wechatpay'

/** A whole HTTP request with the notice of a payment, signed now: good for five minutes (protocols wechat-pay 1.3, 2.5). */
export async function noticeRequest(keys: NoticeKeys, expected: Expected, number: number): Promise<Buffer> {
  const body = noticeBody(keys, expected, number)
  const seconds = String(Math.floor(Date.now() / 1000))
  const nonce = randomBytes(16).toString('hex')
  const signature = await signed(`${seconds}\n${nonce}\n${body}\n`, keys.platformPrivatePem)
  const head = [
    `POST ${NOTICE_PATH} HTTP/1.1`,
    'Host: 127.0.0.1',
    'User-Agent: Mozilla/4.0',
    'Accept: */*',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Wechatpay-Timestamp: ${seconds}`,
    `Wechatpay-Nonce: ${nonce}`,
    `Wechatpay-Signature: ${signature}`,
    `Wechatpay-Serial: ${keys.platformKeyId}`,
    'Wechatpay-Signature-Type: WECHATPAY2-SHA256-RSA2048',
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function noticeBody(keys: NoticeKeys, { outTradeNo, totalFen }: Expected, number: number): string {
  const now = new Date().toISOString().replace('Z', '+00:00')
  const trade = {
    mchid: keys.mchid,
    appid: keys.appid,
    out_trade_no: outTradeNo,
    transaction_id: `42000${String(number).padStart(23, '0')}`,
    trade_type: 'NATIVE',
    trade_state: 'SUCCESS',
    trade_state_desc: '支付成功',
    bank_type: 'OTHERS',
    attach: '',
    success_time: now,
    payer: { openid: `o${String(number).padStart(27, '0')}` },
    amount: { total: totalFen, payer_total: totalFen, currency: 'CNY', payer_currency: 'CNY' },
  }
  const nonce = randomBytes(6).toString('hex')
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(keys.apiV3Key), Buffer.from(nonce))
  cipher.setAAD(Buffer.from('transaction'))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(trade)), cipher.final(), cipher.getAuthTag()])
  const resource = {
    original_type: 'transaction',
    algorithm: 'AEAD_AES_256_GCM',
    ciphertext: sealed.toString('base64'),
    associated_data: 'transaction',
    nonce,
  }
  return JSON.stringify({
    id: `EV-2026${String(number).padStart(29, '0')}`,
    create_time: now,
    resource_type: 'encrypt-resource',
    event_type: 'TRANSACTION.SUCCESS',
    summary: '支付成功',
    resource,
  })
}

/** On the pool's threads: signing takes several times as long as verifying. */
const signed = (text: string, privateKeyPem: string): Promise<string> =>
  new Promise((resolve, reject) => {
    sign('RSA-SHA256', Buffer.from(text), privateKeyPem, (error, signature) =>
      error ? reject(error) : resolve(signature.toString('base64')),
    )
  })

import { createDecipheriv, createSign, createVerify, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startWechatPaySandbox, type WechatPaySandbox } from '../wechatpay/server.ts'

/** A notice as a merchant by the protocol sheet sees it. */
export interface SeenNotice {
  readonly signed: boolean
  readonly probe: boolean
  /** How old the signature is, in ms. */
  readonly ageMs: number
  readonly outTradeNo: string
}

/** A merchant beside its own sandbox, written from the protocol sheet and apart from the product's client. */
export interface TestMerchant {
  readonly sandbox: WechatPaySandbox
  readonly seen: SeenNotice[]
  /** The answers to the next notices; 204 when none is left. */
  readonly answers: number[]
  call(method: string, path: string, value?: unknown, atMs?: number): Promise<Response>
  /** Places an order and answers its number. */
  order(): Promise<string>
  pay(outTradeNo: string): Promise<void>
  ctl(path: string, value?: unknown): Promise<Record<string, unknown>>
  close(): Promise<void>
}

const mchid = '1900000001'
const apiV3Key = 'k'.repeat(32)

/** Starts both. Waits between tries of a notice are as published. */
export async function startMerchant(): Promise<TestMerchant> {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const sandbox = await startWechatPaySandbox()
  const seen: SeenNotice[] = []
  const answers: number[] = []
  const listener = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push(readNotice(sandbox, request.headers as Record<string, string>, Buffer.concat(chunks).toString('utf8')))
      response.writeHead(answers.shift() ?? 204).end()
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const notifyUrl = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/notice`
  const call: TestMerchant['call'] = (method, path, value, atMs = Date.now()) => {
    const body = value === undefined ? '' : JSON.stringify(value)
    const seconds = Math.floor(atMs / 1000)
    const signature = createSign('RSA-SHA256')
      .update(`${method}\n${path}\n${seconds}\nN1\n${body}\n`)
      .sign(pair.privateKey, 'base64')
    const authorization = `WECHATPAY2-SHA256-RSA2048 signature="${signature}",mchid="${mchid}",nonce_str="N1",timestamp="${seconds}",serial_no="AA"`
    const headers = { authorization, connection: 'close' }
    return fetch(sandbox.baseUrl + path, { method, headers, ...(value === undefined ? {} : { body }) })
  }
  const ctl: TestMerchant['ctl'] = async (path, value) => {
    const request = value === undefined ? {} : { method: 'POST', body: JSON.stringify(value) }
    const answer = await fetch(`${sandbox.baseUrl}/__ctl/${path}`, request)
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
  const shortName = '好味'
  await ctl('merchants', { mchid, appid: 'wx1', certSerial: 'AA', publicKeyPem: pair.publicKey, apiV3Key, shortName })
  let serial = 0
  return {
    sandbox,
    seen,
    answers,
    call,
    ctl,
    order: async () => {
      const outTradeNo = `ORDER-${String((serial += 1)).padStart(4, '0')}`
      const body = { appid: 'wx1', mchid, description: '福利卡', out_trade_no: outTradeNo, notify_url: notifyUrl }
      const answer = await call('POST', '/v3/pay/transactions/native', { ...body, amount: { total: 100 } })
      if (answer.status !== 200) throw new Error(await answer.text())
      return outTradeNo
    },
    pay: async (outTradeNo) => void (await ctl('pay', { mchid, outTradeNo, outcome: 'success' })),
    close: async () => {
      await sandbox.close()
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

function readNotice(sandbox: WechatPaySandbox, headers: Record<string, string>, body: string): SeenNotice {
  const get = (name: string): string => headers[`wechatpay-${name}`] ?? ''
  const lines = `${get('timestamp')}\n${get('nonce')}\n${body}\n`
  const verify = createVerify('RSA-SHA256').update(lines)
  const { resource } = JSON.parse(body) as { resource: { ciphertext: string; nonce: string } }
  const sealed = Buffer.from(resource.ciphertext, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(resource.nonce))
  decipher.setAAD(Buffer.from('transaction')).setAuthTag(sealed.subarray(-16))
  const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('utf8')
  return {
    signed: verify.verify(sandbox.platformPublicKeyPem, get('signature'), 'base64'),
    probe: get('signature').startsWith('WECHATPAY/SIGNTEST/'),
    ageMs: Date.now() - Number(get('timestamp')) * 1000,
    outTradeNo: (JSON.parse(plain) as { out_trade_no: string }).out_trade_no,
  }
}

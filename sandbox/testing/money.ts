import { createSign, generateKeyPairSync } from 'node:crypto'
import { expect } from 'vitest'
import { conserved } from '../wechatpay/conserved.ts'
import type { World } from '../wechatpay/state.ts'
import { wechatPayInProcess, type InProcessPay } from './in-process.ts'

/** What the API answered. */
export interface Told {
  readonly status: number
  readonly code: string | undefined
  readonly body: Record<string, unknown>
}

/** A notice that came to somebody, as it was sent. */
export interface Letter {
  readonly url: string
  readonly headers: Headers
  readonly body: string
}

/** WeChat Pay with four merchants on a virtual clock; after every call all money is looked at. */
export interface MoneyWorld {
  readonly pay: InProcessPay
  readonly world: World
  readonly letters: Letter[]
  /** Statuses with which the next notices are answered; 204 when none is left. */
  readonly answers: number[]
  call(mchid: string, method: string, path: string, value?: unknown, headers?: Record<string, string>): Promise<Told>
  ctl(path: string, value?: unknown, method?: string): Promise<Record<string, unknown>>
  /** A paid order of a merchant, and its transaction id. */
  paid(mchid: string, total: number, flagged?: boolean): Promise<string>
  /** A receiver of a merchant. */
  add(mchid: string, account: string, kind?: 'MERCHANT_ID' | 'PERSONAL_OPENID'): Promise<void>
  wait(ms: number): Promise<void>
  /** What a merchant has: available and frozen. */
  has(mchid: string): Promise<[available: number, frozen: number]>
}

export const MINUTE = 60_000
export const START_MS = Date.parse('2026-09-01T02:00:00Z')
export const [brand, channel, platform, other] = ['1900000001', '1900000002', '1900000003', '1900000004'] as const
const pair = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
/** The APIv3 key of a merchant of this world. */
export const keyOf = (mchid: string): string => mchid.padEnd(32, 'k')

function signed(mchid: string, method: string, path: string, body: string, atMs: number): string {
  const seconds = Math.floor(atMs / 1000)
  const text = `${method}\n${path}\n${seconds}\nN1\n${body}\n`
  const signature = createSign('RSA-SHA256').update(text).sign(pair.privateKey, 'base64')
  return `WECHATPAY2-SHA256-RSA2048 signature="${signature}",mchid="${mchid}",nonce_str="N1",timestamp="${seconds}",serial_no="AA"`
}

/** Starts one. */
export async function startMoneyWorld(): Promise<MoneyWorld> {
  const letters: Letter[] = []
  const answers: number[] = []
  const pay = wechatPayInProcess(START_MS, {
    post: (url, init) => {
      letters.push({ url, headers: new Headers(init.headers), body: String(init.body) })
      return Promise.resolve(new Response(null, { status: answers.shift() ?? 204 }))
    },
  })
  const { world, clock } = pay
  const host = 'http://pay.local'
  const whole = (): void => expect(conserved(world)).toEqual([])
  const call: MoneyWorld['call'] = async (mchid, method, path, value, headers = {}) => {
    const body = value === undefined ? '' : JSON.stringify(value)
    const authorization = signed(mchid, method, path, body, clock.wall())
    const init = { method, headers: { authorization, 'user-agent': 'test', ...headers } }
    const response = await pay.fetch(host + path, value === undefined ? init : { ...init, body })
    const told = (await response.json()) as Record<string, unknown>
    whole()
    return { status: response.status, code: told['code'] as string | undefined, body: told }
  }
  const ctl: MoneyWorld['ctl'] = async (path, value, method = value === undefined ? 'GET' : 'POST') => {
    const init = value === undefined ? { method } : { method, body: JSON.stringify(value) }
    const response = await pay.fetch(`${host}/__ctl/${path}`, init)
    const told = (await response.json()) as Record<string, unknown>
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${JSON.stringify(told)}`)
    whole()
    return told
  }
  for (const mchid of [brand, channel, platform, other]) {
    const merchant = { mchid, appid: 'wx1', certSerial: 'AA', publicKeyPem: pair.publicKey }
    await ctl('merchants', { ...merchant, apiV3Key: keyOf(mchid), shortName: mchid })
  }
  let serial = 0
  return {
    pay,
    world,
    letters,
    answers,
    call,
    ctl,
    paid: async (mchid, total, flagged = true) => {
      const outTradeNo = `ORDER-${String((serial += 1)).padStart(4, '0')}`
      const settle = flagged ? { settle_info: { profit_sharing: true } } : {}
      const order = {
        appid: 'wx1',
        mchid,
        description: '福利卡',
        out_trade_no: outTradeNo,
        amount: { total },
        ...settle,
      }
      const told = await call(mchid, 'POST', '/v3/pay/transactions/native', { ...order, notify_url: `${host}/paid` })
      if (told.status !== 200) throw new Error(JSON.stringify(told))
      return String((await ctl('pay', { mchid, outTradeNo, outcome: 'success' }))['transactionId'])
    },
    add: async (mchid, account, kind = 'MERCHANT_ID') => {
      const receiver = { appid: 'wx1', type: kind, account, relation_type: 'SERVICE_PROVIDER' }
      expect((await call(mchid, 'POST', '/v3/profitsharing/receivers/add', receiver)).status).toBe(200)
    },
    wait: async (ms) => {
      await clock.advance(ms)
      await ctl('balances?mchid=0')
    },
    has: async (mchid) => {
      const told = await ctl(`balances?mchid=${mchid}`)
      return [Number(told['available']), Number(told['frozen'])]
    },
  }
}

import { expect } from 'vitest'
import { conserved } from '../wechatpay/conserved.ts'
import { notifyUrl, openPayBox, type PayBox } from './pay-box.ts'

/** What the API answered. */
export interface Told {
  readonly status: number
  readonly code: string | undefined
  readonly body: Record<string, unknown>
}

/** The box of `pay-box.ts` as tests of money use it: after every call all money is looked at. */
export interface MoneyWorld extends Pick<PayBox, 'world' | 'clock' | 'heard' | 'answers' | 'fetch'> {
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

/** Starts one. */
export async function startMoneyWorld(): Promise<MoneyWorld> {
  const box = await openPayBox()
  const { world, clock, heard, answers } = box
  const whole = (): void => expect(conserved(world)).toEqual([])
  const call: MoneyWorld['call'] = async (mchid, method, path, value, headers = {}) => {
    const { status, json } = await box.call(mchid, method, path, value, {
      headers: { 'user-agent': 'test', ...headers },
    })
    whole()
    return { status, code: json['code'] as string | undefined, body: json }
  }
  const ctl: MoneyWorld['ctl'] = async (path, value, method = value === undefined ? 'GET' : 'POST') => {
    const told = await box.ctl(path, value, method)
    whole()
    return told
  }
  let serial = 0
  return {
    world,
    clock,
    heard,
    answers,
    fetch: box.fetch,
    call,
    ctl,
    paid: async (mchid, total, flagged = true) => {
      const outTradeNo = `ORDER-${String((serial += 1)).padStart(4, '0')}`
      const settle = flagged ? { settle_info: { profit_sharing: true } } : {}
      const order = { appid: 'wx1', mchid, description: '福利卡', out_trade_no: outTradeNo, amount: { total } }
      const body = { ...order, ...settle, notify_url: notifyUrl }
      const told = await call(mchid, 'POST', '/v3/pay/transactions/native', body)
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

import { randomUUID } from 'node:crypto'
import { chinaTime, note, takeFault, tradeBody } from './state.ts'
import type { Fault, Merchant, Trade, World } from './state.ts'
import { makePlatformKey, sealResource, signedHeaders } from './seal.ts'

/** How a notice that is sent on demand differs from a true one. */
export const mutations = [
  'amount',
  'merchant',
  'unknown_order',
  'signature',
  'probe',
  'stale',
  'serial',
  'cipher',
  'body',
] as const
export type Mutation = (typeof mutations)[number]

/** The published intervals between tries, in milliseconds. */
const RETRY_MS = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600].map(
  (seconds) => seconds * 1000,
)
/** How long a notice is held back for others that are to be sent before it. */
const HOLD_MS = 10_000
let strangerKey: string | undefined

interface Notice {
  readonly headers: Record<string, string>
  readonly body: string
}

/** Whose clock and key a notice carries. */
export type Sender = Pick<World, 'key' | 'now'> & { readonly clock: Pick<World['clock'], 'wall'> }

/** Builds a notice about a trade: encrypted and signed, or broken in one named way. */
export function buildNotice(world: Sender, merchant: Merchant, trade: Trade, id: string, mutate?: Mutation): Notice {
  const plain = tradeBody(trade)
  if (mutate === 'amount') plain['amount'] = { total: trade.total + 1, payer_total: trade.total + 1, currency: 'CNY' }
  if (mutate === 'merchant') plain['mchid'] = '1900000000'
  if (mutate === 'unknown_order') plain['out_trade_no'] = `NONE${randomUUID().replaceAll('-', '').slice(0, 20)}`
  const apiV3Key = mutate === 'cipher' ? 'x'.repeat(32) : merchant.apiV3Key
  const body = JSON.stringify({
    id,
    create_time: chinaTime(world.now()),
    resource_type: 'encrypt-resource',
    event_type: 'TRANSACTION.SUCCESS',
    summary: '支付成功',
    resource: sealResource(apiV3Key, JSON.stringify(plain)),
  })
  const atMs = world.clock.wall() - (mutate === 'stale' ? 301_000 : 0)
  strangerKey ??= makePlatformKey('stranger').privatePem
  const key = mutate === 'signature' ? { ...world.key, privatePem: strangerKey } : world.key
  const headers = signedHeaders(key, body, atMs)
  if (mutate === 'probe') headers['Wechatpay-Signature'] = `WECHATPAY/SIGNTEST/${headers['Wechatpay-Signature']}`
  if (mutate === 'serial') headers['Wechatpay-Serial'] = 'PUB_KEY_ID_UNKNOWN'
  return { headers, body: mutate === 'body' ? `${body} ` : body }
}

/** Posts a notice once; the status received, or 0 when there was no answer within five seconds. */
export async function postNotice(world: World, url: string, notice: Notice): Promise<number> {
  let status = 0
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'Mozilla/4.0', ...notice.headers },
      body: notice.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(5000),
    })
    await response.arrayBuffer()
    status = response.status
  } catch {
    status = 0
  }
  note(world, { kind: 'notice', url, status })
  return status
}

/** Starts telling the merchant that a trade was paid, with the retries of the protocol, in the background. */
export function announce(world: World, merchant: Merchant, trade: Trade): void {
  const id = randomUUID()
  const delay = takeFault(world, ['notice_delay'], trade.notifyUrl)?.delayMs ?? 0
  world.clock.later(delay, () => begin(world, trade, () => attempt(world, merchant, trade, id, 0)))
}

/** Sends now, or holds back until as many as the dial says are there, and sends those the newest first. */
async function begin(world: World, trade: Trade, send: () => Promise<void>): Promise<void> {
  const fault = takeFault(world, ['notice_reorder'], trade.notifyUrl)
  if (!fault) return send()
  world.held.push(send)
  note(world, { kind: 'notice_held', outTradeNo: trade.outTradeNo })
  if (fault.times <= 0) return release(world)
  world.clock.later(HOLD_MS, () => release(world))
}

async function release(world: World): Promise<void> {
  const held = world.held.splice(0).reverse()
  for (const send of held) await send()
}

async function attempt(world: World, merchant: Merchant, trade: Trade, id: string, tries: number): Promise<void> {
  if (await tryOnce(world, merchant, trade, id)) return
  const wait = RETRY_MS[tries]
  if (wait === undefined) return
  world.clock.later(wait * world.noticeRetryScale, () => attempt(world, merchant, trade, id, tries + 1))
}

const crookedKinds = ['notice_wrong_signature', 'notice_wrong_signature_probe', 'notice_stale'] as const
const crookedAs: Partial<Record<Fault['kind'], Mutation>> = {
  notice_wrong_signature: 'signature',
  notice_wrong_signature_probe: 'probe',
  notice_stale: 'stale',
}

/** One try; true when there is nothing more to send. */
async function tryOnce(world: World, merchant: Merchant, trade: Trade, id: string): Promise<boolean> {
  const url = trade.notifyUrl
  if (takeFault(world, ['notice_lose'], url)) {
    note(world, { kind: 'notice_lost', outTradeNo: trade.outTradeNo })
    return true
  }
  const crooked = takeFault(world, crookedKinds, url)
  if (crooked) {
    const mutate = crookedAs[crooked.kind] ?? 'probe'
    await postNotice(world, url, buildNotice(world, merchant, trade, id, mutate))
    return false
  }
  const copies = takeFault(world, ['notice_repeat'], url)?.copies ?? 1
  const notice = buildNotice(world, merchant, trade, id)
  const statuses = await Promise.all(Array.from({ length: copies }, () => postNotice(world, url, notice)))
  return statuses.some((status) => status === 200 || status === 204)
}

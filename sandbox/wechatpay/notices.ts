import { randomBytes } from 'node:crypto'
import { chinaTime, combinedBody, note, partsOf, takeFault, tradeBody } from './state.ts'
import type { Combined, Fault, Merchant, Trade, World } from './state.ts'
import { makePlatformKey, sealText, signedHeaders } from './seal.ts'

/** How a notice differs from a true one so that nobody may believe it. */
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
/** Notices that are signed rightly and still are not what they seem: another app, another event, an old form. */
export const oddities = ['appid', 'event', 'profitsharing', 'xml'] as const
export const allMutations = [...mutations, ...oddities] as const
export type Mutation = (typeof allMutations)[number]

/** The published intervals between tries, in milliseconds. */
const RETRY_MS = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600].map(
  (seconds) => seconds * 1000,
)
/** How long a notice is held back for others that are to be sent before it. */
const HOLD_MS = 10_000
let strangerKey: string | undefined

/** A notice as it goes over the wire. */
export interface Notice {
  readonly headers: Record<string, string>
  readonly body: string
}

/** What is told to an address until it is acknowledged. */
export interface Letter {
  readonly url: string
  /** Whose number it is about, for the log. */
  readonly about: string
  /** Builds a try: all tries of one letter have one id. */
  readonly build: (id: string, mutate?: Mutation) => Notice
}

/** What a notice says, before it is encrypted. */
export interface Content {
  readonly originalType: 'transaction' | 'refund' | 'profitsharing'
  readonly eventType: string
  readonly summary: string
  readonly plain: Record<string, unknown>
}

/** Whose clock and key a notice carries. */
export type Sender = Pick<World, 'key' | 'now'> & {
  readonly clock: Pick<World['clock'], 'wall'>
  readonly random?: World['random']
}
/** Whose APIv3 key a notice is encrypted with. */
export type Addressee = Pick<Merchant, 'apiV3Key'>

/** As a notice to this merchant is signed now. */
export function senderFor(world: World, merchant: Merchant): Sender {
  return { key: world.keyFor(merchant), now: world.now, clock: world.clock, random: world.random }
}

/** Encrypts for a merchant and signs, or breaks it in one named way. */
export function sealNotice(
  world: Sender,
  merchant: Addressee,
  content: Content,
  id: string,
  mutate?: Mutation,
): Notice {
  const random = world.random ?? randomBytes
  const plain = crooked(content.plain, mutate, random)
  const apiV3Key = mutate === 'cipher' ? 'x'.repeat(32) : merchant.apiV3Key
  const originalType = mutate === 'profitsharing' ? 'profitsharing' : content.originalType
  const sealed = sealText(apiV3Key, JSON.stringify(plain), originalType, random)
  const body = JSON.stringify({
    id,
    create_time: chinaTime(world.now()),
    resource_type: 'encrypt-resource',
    event_type: mutate === 'event' ? 'TRANSACTION.UNHEARD_OF' : content.eventType,
    summary: content.summary,
    resource: { original_type: originalType, ...sealed },
  })
  const atMs = world.clock.wall() - (mutate === 'stale' ? 301_000 : 0)
  strangerKey ??= makePlatformKey('stranger').privatePem
  const key = mutate === 'signature' ? { ...world.key, privatePem: strangerKey } : world.key
  const headers = signedHeaders(key, body, atMs, random)
  if (mutate === 'probe') headers['Wechatpay-Signature'] = `WECHATPAY/SIGNTEST/${headers['Wechatpay-Signature']}`
  if (mutate === 'serial') headers['Wechatpay-Serial'] = 'PUB_KEY_ID_UNKNOWN'
  return { headers, body: mutate === 'body' ? `${body} ` : body }
}

/** The plain text with one fact changed; of a combined order its own names, and the amount of its first part. */
function crooked(
  plain: Record<string, unknown>,
  mutate: Mutation | undefined,
  random: World['random'],
): Record<string, unknown> {
  const parts = plain['sub_orders'] as Record<string, unknown>[] | undefined
  const name = (field: string): string => (parts ? `combine_${field}` : field)
  if (mutate === 'merchant') return { ...plain, [name('mchid')]: '1900000999' }
  if (mutate === 'appid') return { ...plain, [name('appid')]: 'wxsomebodyelses' }
  if (mutate === 'unknown_order') return { ...plain, [name('out_trade_no')]: `NONE${random(10).toString('hex')}` }
  if (mutate !== 'amount') return plain
  if (!parts) return { ...plain, amount: dearer(plain['amount']) }
  const [first, ...others] = parts
  return { ...plain, sub_orders: [{ ...first, amount: dearer(first?.['amount']) }, ...others] }
}

/** Every amount one fen more. */
function dearer(amount: unknown): Record<string, unknown> {
  const more = (value: unknown): unknown => (typeof value === 'number' ? value + 1 : value)
  return Object.fromEntries(Object.entries(amount as object).map(([key, value]) => [key, more(value)]))
}

const paidContent = (plain: Record<string, unknown>): Content => ({
  originalType: 'transaction',
  eventType: 'TRANSACTION.SUCCESS',
  summary: '支付成功',
  plain,
})

/** A notice about a paid trade: encrypted and signed, or broken in one named way. */
export function buildNotice(world: Sender, merchant: Addressee, trade: Trade, id: string, mutate?: Mutation): Notice {
  if (mutate === 'xml') return oldNotice(trade)
  return sealNotice(world, merchant, paidContent(tradeBody({ ...trade, refundAsked: false })), id, mutate)
}

/** The one notice about a combined order that was paid. */
export function combinedLetter(world: World, merchant: Merchant, combined: Combined): Letter {
  const plain = combinedBody(combined, partsOf(world, combined))
  return {
    url: combined.notifyUrl,
    about: combined.outTradeNo,
    build: (id, mutate) =>
      mutate === 'xml'
        ? oldNotice(partsOf(world, combined)[0])
        : sealNotice(senderFor(world, merchant), merchant, paidContent(plain), id, mutate),
  }
}

/** The notice about an order that was paid. */
export function tradeLetter(world: World, merchant: Merchant, trade: Trade): Letter {
  const { notifyUrl: url, outTradeNo: about } = trade
  return { url, about, build: (id, mutate) => buildNotice(senderFor(world, merchant), merchant, trade, id, mutate) }
}

/** The form of before v3, which nobody here has a key for. */
function oldNotice(trade: Trade | undefined): Notice {
  const fields = {
    return_code: 'SUCCESS',
    result_code: 'SUCCESS',
    appid: trade?.appid ?? '',
    mch_id: trade?.mchid ?? '',
    out_trade_no: trade?.outTradeNo ?? '',
    transaction_id: trade?.transactionId ?? '',
    total_fee: String(trade?.total ?? 0),
    sign: '0'.repeat(32),
  }
  const lines = Object.entries(fields).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`)
  return { headers: { 'content-type': 'text/xml' }, body: `<xml>${lines.join('')}</xml>` }
}

/** Posts a notice once; the status received, or 0 when there was no answer within five seconds. */
export async function postNotice(world: World, url: string, notice: Notice): Promise<number> {
  let status = 0
  try {
    const response = await world.post(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'Mozilla/4.0', ...notice.headers },
      body: notice.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(5000),
    })
    status = response.status
  } catch {
    status = 0
  }
  note(world, { kind: 'notice', url, status })
  return status
}

/** Starts telling something, with the retries of the protocol, in the background. */
export function sendLetter(world: World, letter: Letter): void {
  const id = newNoticeId(world)
  const delay = takeFault(world, ['notice_delay'], letter.url)?.delayMs ?? 0
  world.clock.later(delay, () => begin(world, letter, () => attempt(world, letter, id, 0)))
}

/** Tells something at once; the promise is kept after the first try. */
export function sendLetterNow(world: World, letter: Letter): Promise<void> {
  return attempt(world, letter, newNoticeId(world), 0)
}

/** The id of a notice: 36 characters. */
export function newNoticeId(world: Pick<World, 'random'>): string {
  return world
    .random(16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Sends now, or holds back until as many as the dial says are there, and sends those the newest first. */
async function begin(world: World, letter: Letter, send: () => Promise<void>): Promise<void> {
  const fault = takeFault(world, ['notice_reorder'], letter.url)
  if (!fault) return send()
  world.held.push(send)
  note(world, { kind: 'notice_held', outTradeNo: letter.about })
  if (fault.times <= 0) return release(world)
  world.clock.later(HOLD_MS, () => release(world))
}

async function release(world: World): Promise<void> {
  const held = world.held.splice(0).reverse()
  for (const send of held) await send()
}

async function attempt(world: World, letter: Letter, id: string, tries: number): Promise<void> {
  if (await tryOnce(world, letter, id)) return
  const wait = RETRY_MS[tries]
  if (wait === undefined) return
  world.clock.later(wait * world.noticeRetryScale, () => attempt(world, letter, id, tries + 1))
}

/** The faults that break one try of a notice, and how. */
const crookedAs: Partial<Record<Fault['kind'], Mutation>> = {
  notice_wrong_signature: 'signature',
  notice_wrong_signature_probe: 'probe',
  notice_stale: 'stale',
  notice_serial: 'serial',
  notice_cipher: 'cipher',
  notice_body: 'body',
  notice_merchant: 'merchant',
  notice_appid: 'appid',
  notice_amount: 'amount',
  notice_unknown_order: 'unknown_order',
  notice_event: 'event',
  notice_profitsharing: 'profitsharing',
  notice_xml: 'xml',
}
const crookedKinds = Object.keys(crookedAs) as Fault['kind'][]

/** One try; true when there is nothing more to send. A crooked one is followed by a straight one, taken or not. */
async function tryOnce(world: World, letter: Letter, id: string): Promise<boolean> {
  const { url } = letter
  if (takeFault(world, ['notice_lose'], url)) {
    note(world, { kind: 'notice_lost', outTradeNo: letter.about })
    return true
  }
  const fault = takeFault(world, crookedKinds, url)
  if (fault) {
    await postNotice(world, url, letter.build(id, crookedAs[fault.kind]))
    return false
  }
  const notice = letter.build(id)
  const copies = takeFault(world, ['notice_repeat'], url)?.copies ?? 1
  const statuses = await Promise.all(Array.from({ length: copies }, () => postNotice(world, url, notice)))
  const again = takeFault(world, ['notice_again'], url)?.copies ?? 0
  for (let i = 0; i < again; i += 1) statuses.push(await postNotice(world, url, letter.build(id)))
  return statuses.some((status) => status === 200 || status === 204)
}

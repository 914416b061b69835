import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { fakeId, takeFault, type CallbackKeys, type Corp, type Delivery, type Fault, type WecomState } from './state.ts'

/** WeCom waits a second for the echo of a verification and five for an event (protocol sheet 2.4 and 2.5). */
const ECHO_MS = 1_000
const ANSWER_MS = 5_000
/** Three tries after the first; how far apart they are is not published. */
const RETRY_MS = [5_000, 5_000, 5_000]
const HOLD_MS = 10_000
const STALE_MS = 3_600_000
const MOST_DELIVERIES = 100

/** The events that can be sent by hand. */
export const eventNames = [
  'enter_agent',
  'click',
  'view',
  'template_card_event',
  'subscribe',
  'unsubscribe',
  'sandbox_unknown',
] as const
export type EventName = (typeof eventNames)[number]

/** Signs and encrypts a text as the protocol says (2.2, 2.3): query for the address, and the encrypted text. */
export function sealCallback(
  keys: CallbackKeys,
  plain: string,
  receiveId: string,
  wallMs: number,
): { readonly query: { msg_signature: string; timestamp: string; nonce: string }; readonly encrypted: string } {
  const key = Buffer.from(`${keys.encodingAesKey}=`, 'base64')
  const text = Buffer.from(plain, 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  const body = Buffer.concat([randomBytes(16), length, text, Buffer.from(receiveId, 'utf8')])
  const pad = 32 - (body.length % 32)
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  const padded = Buffer.concat([body, Buffer.alloc(pad, pad)])
  const encrypted = Buffer.concat([cipher.update(padded), cipher.final()]).toString('base64')
  const [timestamp, nonce] = [String(Math.floor(wallMs / 1000)), String(randomBytes(5).readUIntBE(0, 5))]
  const sorted = [keys.token, timestamp, nonce, encrypted].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  )
  return {
    query: { msg_signature: createHash('sha1').update(sorted.join('')).digest('hex'), timestamp, nonce },
    encrypted,
  }
}

/** Why a callback address was not saved. */
export type CallbackRefusal = 'no_answer' | 'wrong_status' | 'wrong_echo'

/** Verifies an address and saves it only when it answered the plain text; else says what was wrong. */
export async function saveCallback(
  state: WecomState,
  corp: Corp,
  form: CallbackKeys & { readonly url: string },
): Promise<CallbackRefusal | null> {
  const echo = String(randomBytes(6).readUIntBE(0, 6))
  const { query, encrypted } = sealCallback(form, echo, corp.corpId, state.clock.wall())
  let answer: { status: number; text: string }
  try {
    answer = await ask(addressOf(form.url, { ...query, echostr: encrypted }), null, ECHO_MS)
  } catch {
    return 'no_answer'
  }
  if (answer.status !== 200) return 'wrong_status'
  if (answer.text !== echo) return 'wrong_echo'
  corp.callback = { ...form, verifiedAtMs: state.now() }
  return null
}

/** Puts an event on its way, in the background; null while the company has no callback address. */
export function sendEvent(state: WecomState, corp: Corp, event: EventName, userid: string): Delivery | null {
  if (!corp.callback) return null
  const delivery: Delivery = { id: fakeId('EVENT', 8), event, userid, atMs: state.now(), tries: [], state: 'waiting' }
  corp.deliveries.unshift(delivery)
  corp.deliveries.length = Math.min(corp.deliveries.length, MOST_DELIVERIES)
  const plain = eventXml(corp, event, userid, state.clock.wall())
  const wait = takeFault(state, ['callback_delay'], null)?.delayMs ?? 0
  state.clock.later(wait, () => begin(state, corp, delivery, plain))
  return delivery
}

async function begin(state: WecomState, corp: Corp, delivery: Delivery, plain: string): Promise<void> {
  const held = takeFault(state, ['callback_reorder'], null)
  if (!held) return attempt(state, corp, delivery, plain, 0)
  state.held.push(() => attempt(state, corp, delivery, plain, 0))
  if (held.left <= 0) return release(state)
  state.clock.later(HOLD_MS, () => release(state))
}

/** Sends what was held back, the newest first. */
async function release(state: WecomState): Promise<void> {
  const held = state.held.splice(0).reverse()
  for (const send of held) await send()
}

/** One try, and the next one later when it failed. The text stays the same, the signature is new each time. */
async function attempt(state: WecomState, corp: Corp, delivery: Delivery, plain: string, tries: number): Promise<void> {
  const { callback } = corp
  if (takeFault(state, ['callback_lose'], null) || !callback) {
    delivery.state = 'lost'
    return
  }
  const crooked = takeFault(state, ['callback_wrong_signature', 'callback_stale', 'callback_wrong_receiver'], null)
  const copies = takeFault(state, ['callback_repeat'], null)?.copies ?? 1
  const sent = Array.from({ length: copies }, () => postEvent(state, corp, callback, plain, crooked?.kind ?? null))
  const answers = await Promise.all(sent)
  delivery.tries.push(...answers)
  if (answers.some((one) => one.status === 200)) delivery.state = 'taken'
  else if (RETRY_MS[tries] === undefined) delivery.state = 'given up'
  else state.clock.later(RETRY_MS[tries], () => attempt(state, corp, delivery, plain, tries + 1))
}

async function postEvent(
  state: WecomState,
  corp: Corp,
  callback: CallbackKeys & { readonly url: string },
  plain: string,
  crooked: Fault['kind'] | null,
): Promise<Delivery['tries'][number]> {
  const receiveId = crooked === 'callback_wrong_receiver' ? 'wwsomebodyelse' : corp.corpId
  const wallMs = state.clock.wall() - (crooked === 'callback_stale' ? STALE_MS : 0)
  const { query, encrypted } = sealCallback(callback, plain, receiveId, wallMs)
  if (crooked === 'callback_wrong_signature') query.msg_signature = createHash('sha1').update(encrypted).digest('hex')
  const body = `<xml><ToUserName><![CDATA[${corp.corpId}]]></ToUserName><AgentID><![CDATA[${corp.agentId}]]></AgentID><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`
  const began = performance.now()
  const status = await ask(addressOf(callback.url, query), body, ANSWER_MS).then(
    (answer) => answer.status,
    () => 0,
  )
  return { status, tookMs: Math.round(performance.now() - began), crooked }
}

/** The plain event (2.10). Userids and company ids hold no mark that could end the CDATA. */
function eventXml(corp: Corp, event: EventName, userid: string, wallMs: number): string {
  const extra: Record<EventName, string> = {
    enter_agent: '<EventKey><![CDATA[]]></EventKey>',
    click: '<EventKey><![CDATA[my_cards]]></EventKey>',
    view: '<EventKey><![CDATA[https://example.com/pack/]]></EventKey>',
    template_card_event: `<EventKey><![CDATA[received]]></EventKey><TaskId><![CDATA[task1]]></TaskId><CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[${fakeId('RESPONSE', 12)}]]></ResponseCode>`,
    subscribe: '',
    unsubscribe: '',
    sandbox_unknown: '<Surprise><![CDATA[1]]></Surprise>',
  }
  return `<xml><ToUserName><![CDATA[${corp.corpId}]]></ToUserName><FromUserName><![CDATA[${userid}]]></FromUserName><CreateTime>${Math.floor(wallMs / 1000)}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[${event}]]></Event>${extra[event]}<AgentID>${corp.agentId}</AgentID></xml>`
}

function addressOf(url: string, query: Record<string, string>): string {
  const address = new URL(url)
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value)
  return address.href
}

async function ask(url: string, body: string | null, timeoutMs: number): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === null ? {} : { method: 'POST', body, headers: { 'content-type': 'text/xml' } }),
  })
  return { status: answer.status, text: (await answer.text()).slice(0, 10_000) }
}

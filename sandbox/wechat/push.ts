import { createHash, randomBytes } from 'node:crypto'
import { sealCallback } from '../wecom/callback-seal.ts'
import { writeXml, type XmlElements } from '../wecom/event-xml.ts'
import { ask, withQuery } from '../wecom/send-event.ts'
import { fakeId } from '../wecom/state.ts'
import { openidOf } from './ids.ts'
import { takeFault, type Person, type Push, type WechatApp, type WechatState } from './state.ts'

const ANSWER_MS = 5_000
/** Three tries in all (11). */
const MOST_TRIES = 3
const STALE_MS = 3_600_000
const MOST_PUSHES = 10_000
const ECHO_MS = 1_000

/** `gh_…`, as accounts are called in pushes. */
export const originalIdOf = (app: WechatApp): string =>
  `gh_${createHash('sha256').update(app.appid).digest('hex').slice(0, 12)}`

/** Checks an address with a signed echo, and keeps it when the echo comes back unchanged; else says what was wrong. */
export async function saveCallback(state: WechatState, app: WechatApp, url: string): Promise<string | null> {
  if (app.callback === null) return 'the account has no token and key'
  const echostr = String(randomBytes(6).readUIntBE(0, 6))
  try {
    const query = { ...signed(app.callback.token, state.clock.wall()), echostr }
    const answer = await ask(withQuery(url, query), null, ECHO_MS)
    if (answer.status !== 200) return `it answered ${answer.status}`
    if (answer.text !== echostr) return 'it did not answer with the echo'
  } catch {
    return 'it gave no answer'
  }
  app.callback.url = url
  return null
}

/** The signature of the query, which covers no body. */
function signed(token: string, wallMs: number): { signature: string; timestamp: string; nonce: string } {
  const [timestamp, nonce] = [String(Math.floor(wallMs / 1000)), String(randomBytes(5).readUIntBE(0, 5))]
  const signature = createHash('sha1').update([token, timestamp, nonce].sort().join('')).digest('hex')
  return { signature, timestamp, nonce }
}

/** Tells an account of something that a person did: sealed, in the background, three times when nobody takes it. */
export function tellAccount(
  state: WechatState,
  app: WechatApp,
  person: Person,
  event: string,
  more: XmlElements,
): void {
  if (!app.callback?.url) return
  const plain = writeXml({
    ToUserName: originalIdOf(app),
    FromUserName: openidOf(app, person),
    CreateTime: Math.floor(state.clock.wall() / 1000),
    MsgType: 'event',
    Event: event,
    ...more,
  })
  const push: Push = {
    id: fakeId('PUSH', 8),
    event,
    appid: app.appid,
    plain,
    atMs: state.now(),
    statuses: [],
    state: 'waiting',
  }
  state.pushes.unshift(push)
  if (state.pushes.length > MOST_PUSHES) state.pushes.length = MOST_PUSHES
  const wait = takeFault(state, ['push_delay'], null)?.delayMs ?? 0
  state.clock.later(wait, () => attempt(state, app, openidOf(app, person), push, 1))
}

async function attempt(state: WechatState, app: WechatApp, openid: string, push: Push, tries: number): Promise<void> {
  if (takeFault(state, ['push_lose'], null)) {
    push.state = 'lost'
    return
  }
  const copies = takeFault(state, ['push_repeat'], null)?.copies ?? 1
  const crooked = takeFault(state, ['push_wrong_signature', 'push_stale', 'push_plain'], null)?.kind ?? null
  const sent = Array.from({ length: copies }, () => post(state, app, openid, push, crooked))
  const statuses = await Promise.all(sent)
  push.statuses.push(...statuses)
  if (statuses.includes(200)) push.state = 'taken'
  else if (tries < MOST_TRIES) state.clock.later(ANSWER_MS, () => attempt(state, app, openid, push, tries + 1))
  else push.state = 'given up'
}

async function post(
  state: WechatState,
  app: WechatApp,
  openid: string,
  push: Push,
  crooked: string | null,
): Promise<number> {
  const { token, encodingAesKey, url } = app.callback!
  const wallMs = state.clock.wall() - (crooked === 'push_stale' ? STALE_MS : 0)
  const { query, encrypted } = sealCallback({ token, encodingAesKey }, push.plain, app.appid, wallMs)
  const sorted = [token, query.timestamp, query.nonce].sort().join('')
  const plainQuery = {
    signature: createHash('sha1').update(sorted).digest('hex'),
    timestamp: query.timestamp,
    nonce: query.nonce,
    openid,
  }
  const wrong = crooked === 'push_wrong_signature' ? { msg_signature: '0'.repeat(40) } : {}
  const whole = { ...plainQuery, encrypt_type: 'aes', msg_signature: query.msg_signature, ...wrong }
  const body = crooked === 'push_plain' ? push.plain : writeXml({ ToUserName: originalIdOf(app), Encrypt: encrypted })
  return ask(withQuery(url!, crooked === 'push_plain' ? plainQuery : whole), body, ANSWER_MS).then(
    ({ status }) => status,
    () => 0,
  )
}

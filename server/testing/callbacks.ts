import { encrypt, getSignature } from '@wecom/crypto'
import { Secret } from '../kernel/log.ts'
import type { WecomSuite } from '../kernel/house.ts'

export interface CallbackKeys {
  readonly token: string
  readonly encodingAesKey: string
}

/** A callback as WeCom sends it: what to add to the address, and the body. */
export interface SealedCallback {
  readonly query: Readonly<Record<string, string>>
  readonly body: string
}

let sent = 0

/** Seals a plain text for a receiver, under a nonce of its own: a repeat has another signature and the same text. */
export function sealedCallback(
  keys: CallbackKeys,
  message: string,
  receiveId: string,
  atMs: number = Date.now(),
): SealedCallback {
  sent += 1
  const [timestamp, nonce] = [String(Math.floor(atMs / 1000)), `n${sent}`]
  const cipher = encrypt(keys.encodingAesKey, message, receiveId)
  const msg_signature = getSignature(keys.token, timestamp, nonce, cipher)
  return {
    query: { msg_signature, timestamp, nonce },
    body: `<xml><ToUserName><![CDATA[${receiveId}]]></ToUserName><Encrypt><![CDATA[${cipher}]]></Encrypt></xml>`,
  }
}

/** Posts a callback to an address; the answer's status and text. */
export async function postCallback(address: string, { query, body }: SealedCallback): Promise<[number, string]> {
  const url = `${address}?${new URLSearchParams(query).toString()}`
  const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'text/xml' } })
  return [answer.status, await answer.text()]
}

/** A text of elements, each in CDATA. */
export const xmlOf = (fields: Readonly<Record<string, string | number>>): string =>
  `<xml>${Object.entries(fields)
    .map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`)
    .join('')}</xml>`

/** A suite of ours with keys of its own. */
export function aSuite(suiteId: string, keys: CallbackKeys, kind: WecomSuite['kind'] = 'third_party'): WecomSuite {
  const { token, encodingAesKey } = keys
  return { suiteId, kind, name: '福利卡', token: new Secret(token), encodingAesKey: new Secret(encodingAesKey) }
}

import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'
import { NoticeRefused } from './outside.ts'
import { readEvent } from './push-xml.ts'

/** What one callback address expects. `receiveIds`: the ids that its messages may be meant for. */
export interface PushKeys {
  readonly token: string
  /** The 43 characters of EncodingAESKey. */
  readonly aesKey: string
  readonly receiveIds: readonly string[]
}

/** An opened callback: the plain text as it was sent and the id it was meant for. */
export interface OpenedPush {
  readonly message: string
  readonly receiveId: string
}

interface PushQuery {
  readonly msg_signature?: string | undefined
  readonly timestamp?: string | undefined
  readonly nonce?: string | undefined
}

const BLOCK = 32
/** Marks that an envelope may hold: it has three elements, and is read before anybody knows who sent it. */
const MOST_MARKS = 100
const MARK = '<'.charCodeAt(0)
/** Oldest and newest accepted timestamp, from now. */
const FRESH_MS = 5 * 60_000

/** Checks signature, age, encryption and addressee of an encrypted text of WeCom or WeChat. Throws NoticeRefused. */
export function openPush(keys: PushKeys, query: PushQuery, encrypted: string, nowMs?: number): OpenedPush {
  checkSignature(keys.token, query, query.msg_signature, [encrypted], nowMs)
  const opened = decrypt(keys.aesKey, encrypted)
  if (!keys.receiveIds.includes(opened.receiveId)) throw new NoticeRefused('cipher_wrong')
  return opened
}

/** Checks who signed these parts, and when. Throws NoticeRefused. */
export function checkSignature(
  token: string,
  { timestamp, nonce }: PushQuery,
  given: string | undefined,
  parts: readonly string[],
  nowMs?: number,
): void {
  if (!given || !timestamp || !nonce) throw new NoticeRefused('signature_missing')
  const wanted = Buffer.from(signatureOf([token, timestamp, nonce, ...parts]))
  const got = Buffer.from(given)
  if (got.length !== wanted.length || !timingSafeEqual(got, wanted)) throw new NoticeRefused('signature_wrong')
  if (!/^\d{1,12}$/.test(timestamp)) throw new NoticeRefused('malformed')
  const age = nowMs === undefined ? 0 : Math.abs(nowMs - Number(timestamp) * 1000)
  if (age > FRESH_MS) throw new NoticeRefused('stale')
}

const signatureOf = (parts: readonly string[]): string =>
  createHash('sha1').update(parts.toSorted().join('')).digest('hex')

/** What a sealed body holds under `Encrypt`. Throws NoticeRefused. */
export function encryptedPart(rawBody: Buffer): string {
  if (rawBody.filter((byte) => byte === MARK).length > MOST_MARKS) throw new NoticeRefused('malformed')
  const encrypted = readEvent(rawBody.toString('utf8'))['Encrypt']
  if (typeof encrypted !== 'string' || encrypted === '') throw new NoticeRefused('malformed')
  return encrypted
}

/** Done here and not by a library: those that are offered neither refuse bad padding nor check the length field. */
function decrypt(aesKey: string, encrypted: string): OpenedPush {
  const key = Buffer.from(`${aesKey}=`, 'base64')
  if (!/^[A-Za-z0-9]{43}$/.test(aesKey) || key.length !== 32)
    throw new RangeError('EncodingAESKey is not 43 characters')
  const cipher = Buffer.from(encrypted, 'base64')
  if (cipher.length === 0 || cipher.length % 16 !== 0) throw new NoticeRefused('cipher_wrong')
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false)
  const padded = Buffer.concat([decipher.update(cipher), decipher.final()])
  const pad = padded[padded.length - 1]!
  if (pad < 1 || pad > BLOCK || pad > padded.length) throw new NoticeRefused('cipher_wrong')
  if (!padded.subarray(padded.length - pad).every((byte) => byte === pad)) throw new NoticeRefused('cipher_wrong')
  const plain = padded.subarray(0, padded.length - pad)
  if (plain.length < 20) throw new NoticeRefused('cipher_wrong')
  const end = 20 + plain.readUInt32BE(16)
  if (end > plain.length) throw new NoticeRefused('cipher_wrong')
  return { message: plain.toString('utf8', 20, end), receiveId: plain.toString('utf8', end) }
}

import { createDecipheriv, timingSafeEqual } from 'node:crypto'
import { getSignature } from '@wecom/crypto'
import { NoticeRefused } from '../../kernel/outside.ts'
import type { WecomCallbackQuery } from '../ports.ts'
import { readEvent } from './events.ts'

/** What one callback address expects. `receiveIds`: the ids that its messages may be meant for. */
export interface CallbackConfig {
  readonly token: string
  /** The 43 characters of EncodingAESKey. */
  readonly aesKey: string
  readonly receiveIds: readonly string[]
  /** Oldest and newest accepted timestamp, from now. Default five minutes. */
  readonly freshMs?: number
}

/** An opened callback: the plain XML as it was sent and the id it was meant for. */
export interface OpenedCallback {
  readonly message: string
  readonly receiveId: string
}

const BLOCK = 32
/** Marks that an envelope may hold: it has three elements, and is read before anybody knows who sent it. */
const MOST_MARKS = 100
const MARK = '<'.charCodeAt(0)
const DEFAULT_FRESH_MS = 5 * 60_000
/** Answers the verification of a callback address: the exact plain text to send back. Throws NoticeRefused. */
export function verifyUrl(config: CallbackConfig, query: WecomCallbackQuery, nowMs?: number): string {
  if (query.echostr === undefined || query.echostr === '') throw new NoticeRefused('malformed')
  return open(config, query, query.echostr, nowMs).message
}

/** Checks signature, age, encryption and addressee of a callback over its raw body. Throws NoticeRefused. */
export function openCallback(
  config: CallbackConfig,
  query: WecomCallbackQuery,
  rawBody: Buffer,
  nowMs: number,
): OpenedCallback {
  return open(config, query, encryptedPart(rawBody), nowMs)
}

function open(config: CallbackConfig, query: WecomCallbackQuery, encrypted: string, nowMs?: number): OpenedCallback {
  const { msg_signature: given, timestamp, nonce } = query
  if (!given || !timestamp || !nonce) throw new NoticeRefused('signature_missing')
  const wanted = Buffer.from(getSignature(config.token, timestamp, nonce, encrypted))
  const got = Buffer.from(given)
  if (got.length !== wanted.length || !timingSafeEqual(got, wanted)) throw new NoticeRefused('signature_wrong')
  if (!/^\d{1,12}$/.test(timestamp)) throw new NoticeRefused('malformed')
  const age = nowMs === undefined ? 0 : Math.abs(nowMs - Number(timestamp) * 1000)
  if (age > (config.freshMs ?? DEFAULT_FRESH_MS)) throw new NoticeRefused('stale')
  const opened = decrypt(config.aesKey, encrypted)
  if (!config.receiveIds.includes(opened.receiveId)) throw new NoticeRefused('cipher_wrong')
  return opened
}

/** Done here and not by the library, which neither refuses bad padding nor checks the length field. */
function decrypt(aesKey: string, encrypted: string): OpenedCallback {
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

function encryptedPart(rawBody: Buffer): string {
  if (rawBody.filter((byte) => byte === MARK).length > MOST_MARKS) throw new NoticeRefused('malformed')
  const encrypted = readEvent(rawBody.toString('utf8'))['Encrypt']
  if (typeof encrypted !== 'string' || encrypted === '') throw new NoticeRefused('malformed')
  return encrypted
}

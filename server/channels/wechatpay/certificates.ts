import { X509Certificate, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import { readJson, refusal } from './answer.ts'
import { answerText, openResource, readPublicKey, verifyText } from './crypto.ts'
import { exchange } from './exchange.ts'
import type { Means, WechatPayOptions } from './options.ts'
import type { HttpAnswer } from './plain-http.ts'

/** A key of WeChat Pay's and the id under which it is named. */
export interface PlatformKey {
  readonly serial: string
  readonly key: KeyObject
}

/** WeChat Pay's keys: public keys and certificates of the configuration, and certificates that were fetched. No certificate is believed once it is over. */
export interface PlatformKeys {
  /** The key of a serial as far as it is known now. */
  readonly known: (serial: string) => KeyObject | null
  /** The same; certificates of these merchants are fetched when a serial that could be one is not known. */
  readonly find: (serial: string, mchids: Iterable<string>) => Promise<KeyObject | null>
  /**
   * `Wechatpay-Serial` of a merchant's requests: answers are then signed with its public key while it moves from
   * certificates to it (protocols wechat-pay 1.1). Null where it has none.
   */
  readonly publicKeyId: (merchant: Means) => string | null
  /** What fields are sealed with: a public key, else the certificate that started last. Throws OutsideError. */
  readonly sealing: (mchid: string) => Promise<PlatformKey>
}

/** Certificates are not asked for again before this, whatever serial somebody names. */
const RELOAD_MS = 5 * 60_000
/** An answer is missing: sooner. */
const RETRY_MS = 10_000
/** Sealing wants certificates that are younger than this (protocols wechat-pay 1.4). */
const REFRESH_MS = 12 * 3_600_000
const MAX_SKEW_MS = 5 * 60_000
const PATH = '/v3/certificates'

interface Certificate extends PlatformKey {
  readonly startsAtMs: number
  readonly endsAtMs: number
}
type Found = readonly Certificate[] | 'none'
interface Load {
  readonly atMs: number
  state: 'running' | 'done' | 'failed'
  work: Promise<void>
}

const listBody = z.object({
  data: z.array(
    z.object({
      serial_no: z.string(),
      effective_time: z.iso.datetime({ offset: true }),
      expire_time: z.iso.datetime({ offset: true }),
      encrypt_certificate: z.object({
        algorithm: z.literal('AEAD_AES_256_GCM'),
        nonce: z.string(),
        associated_data: z.string().optional(),
        ciphertext: z.string(),
      }),
    }),
  ),
})

/** Keeps the keys of one adapter. Nothing is fetched before a serial that nobody knows comes in. */
export function platformKeys(options: WechatPayOptions, meansOf: (mchid: string) => Means): PlatformKeys {
  const named = new Map<string, Certificate>()
  for (const [serial, pem] of Object.entries(options.platformKeys)) {
    const key = readPublicKey(pem)
    if (key !== null) named.set(serial, { serial, key, ...lifeOf(pem) })
  }
  const fetched = new Map<string, Certificate>()
  /** Which of them a merchant's list had. */
  const lists = new Map<string, ReadonlySet<string>>()
  const loads = new Map<string, Load>()
  const holds = (one: Certificate): boolean => one.endsAtMs > options.now()
  const known = (serial: string): KeyObject | null => {
    const one = named.get(serial) ?? fetched.get(serial)
    return one && holds(one) ? one.key : null
  }
  const load = (mchid: string, maxAgeMs: number): Promise<void> => {
    const last = loads.get(mchid)
    const again = last && { running: Infinity, done: last.atMs + maxAgeMs, failed: last.atMs + RETRY_MS }[last.state]
    if (last && again !== undefined && options.now() < again) return last.work
    const entry: Load = { atMs: options.now(), state: 'running', work: Promise.resolve() }
    loads.set(mchid, entry)
    entry.work = fetchCertificates(options, meansOf, mchid, known).then(
      (found) => {
        entry.state = 'done'
        if (found === 'none') return
        for (const one of found) fetched.set(one.serial, one)
        lists.set(mchid, new Set(found.map((one) => one.serial)))
      },
      () => {
        entry.state = 'failed'
      },
    )
    return entry.work
  }
  const publicKeyOf = ({ credentials }: Means): PlatformKey | null => {
    const own = credentials.platformKeyId
    const serial = own === undefined ? [...named.keys()].find((one) => !couldBeCertificate(one)) : own
    return serial && !couldBeCertificate(serial) ? (named.get(serial) ?? null) : null
  }
  const newest = (mchid: string): PlatformKey | null => {
    const configured = [...named.values()].filter((one) => couldBeCertificate(one.serial))
    return [...configured, ...[...fetched.values()].filter((one) => lists.get(mchid)?.has(one.serial))]
      .filter(holds)
      .reduce<Certificate | null>((best, one) => (best && best.startsAtMs >= one.startsAtMs ? best : one), null)
  }
  return {
    known,
    publicKeyId: (merchant) => publicKeyOf(merchant)?.serial ?? null,
    find: async (serial, mchids) => {
      if (!couldBeCertificate(serial)) return known(serial)
      for (const mchid of mchids) {
        const key = known(serial)
        if (key !== null) return key
        await load(mchid, RELOAD_MS)
      }
      return known(serial)
    },
    sealing: async (mchid) => {
      const merchant = meansOf(mchid)
      const publicKey = publicKeyOf(merchant)
      if (publicKey !== null) return publicKey
      await load(mchid, REFRESH_MS)
      const key = newest(mchid)
      if (key === null) throw new OutsideError('broken', 'PLATFORM_KEY', 'no key of WeChat Pay to seal a field with')
      return key
    },
  }
}

/** How long a key of the configuration holds: a certificate says it, a public key has no end. */
function lifeOf(pem: string): Pick<Certificate, 'startsAtMs' | 'endsAtMs'> {
  if (!pem.includes('BEGIN CERTIFICATE')) return { startsAtMs: 0, endsAtMs: Infinity }
  const { validFromDate, validToDate } = new X509Certificate(pem)
  return { startsAtMs: validFromDate.getTime(), endsAtMs: validToDate.getTime() }
}

/** Serials of certificates are hex; a public key's id is not, and no call would bring it. */
function couldBeCertificate(serial: string): boolean {
  return /^[0-9A-F]{8,64}$/i.test(serial)
}

/**
 * Fetches a merchant's platform certificates; `none` where it has only the public key. The first answer is signed with a
 * key that it brings itself: what was sealed with the merchant's APIv3 key is WeChat Pay's, so it may vouch for the rest.
 */
async function fetchCertificates(
  options: WechatPayOptions,
  meansOf: (mchid: string) => Means,
  mchid: string,
  known: (serial: string) => KeyObject | null,
): Promise<Found> {
  const merchant = meansOf(mchid)
  const { status, headers, raw } = await exchange(options, merchant, { method: 'GET', path: PATH, body: '' }, null)
  if (status !== 200) {
    const error = refusal(status, raw, headers.get('retry-after'))
    if (error.code === 'RESOURCE_NOT_EXISTS') return 'none'
    throw error
  }
  const parsed = listBody.safeParse(trimmed(readJson(raw.toString('utf8'))))
  if (!parsed.success) throw new OutsideError('unknown', 'MALFORMED', 'the list of certificates cannot be read')
  const found = parsed.data.data.flatMap((row) => openCertificate(merchant.credentials.apiV3Key, row))
  const own = new Map(found.map(({ serial, key }) => [serial, key]))
  if (!isSigned(headers, raw, (serial) => known(serial) ?? own.get(serial) ?? null, options.now()))
    throw new OutsideError('unknown', 'RESPONSE_SIGNATURE', 'the list of certificates is not signed as it must be')
  return found
}

function openCertificate(apiV3Key: string, row: z.output<typeof listBody>['data'][number]): Certificate[] {
  const pem = openResource(apiV3Key, row.encrypt_certificate)
  if (pem === null) return []
  try {
    const certificate = new X509Certificate(pem)
    if (withoutZeros(certificate.serialNumber) !== withoutZeros(row.serial_no)) return []
    const [startsAtMs, endsAtMs] = [Date.parse(row.effective_time), Date.parse(row.expire_time)]
    return [{ serial: row.serial_no, key: certificate.publicKey, startsAtMs, endsAtMs }]
  } catch {
    return []
  }
}

/** Verifies the headers over the raw bytes of an answer (protocols wechat-pay 1.3). */
export function isSigned(
  headers: HttpAnswer['headers'],
  raw: Buffer,
  keyOf: (serial: string) => KeyObject | null,
  nowMs: number,
): boolean {
  const seconds = headers.get('wechatpay-timestamp') ?? ''
  const key = keyOf(headers.get('wechatpay-serial') ?? '')
  if (key === null || !/^\d{1,12}$/.test(seconds)) return false
  if (Math.abs(nowMs - Number(seconds) * 1000) >= MAX_SKEW_MS) return false
  const text = answerText(seconds, headers.get('wechatpay-nonce') ?? '', raw)
  return verifyText(text, headers.get('wechatpay-signature') ?? '', key)
}

const withoutZeros = (serial: string): string => serial.toUpperCase().replace(/^0+/, '')

/** The documented samples have keys with a space at their end (protocols wechat-pay 1.4). */
function trimmed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(trimmed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.trim(), trimmed(inner)]))
}

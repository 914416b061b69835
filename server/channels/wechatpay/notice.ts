import { z } from 'zod'
import { NoticeRefused } from '../../kernel/outside.ts'
import type { WechatPayNotice } from '../ports.ts'
import { answerText, openResource, verifyText } from './crypto.ts'
import { readJson, readTrade } from './trade.ts'

const MAX_AGE_MS = 5 * 60_000

const noticeBody = z.object({
  id: z.string().min(1).max(64),
  event_type: z.string().min(1).max(64),
  resource: z.object({
    original_type: z.string().optional(),
    algorithm: z.string(),
    ciphertext: z.string(),
    associated_data: z.string().optional(),
    nonce: z.string(),
  }),
})

/** What it takes to open a notice. */
export interface NoticeKeys {
  /** Public keys of WeChat Pay by the id in `Wechatpay-Serial`; two at a time during a rotation. */
  readonly platformKeys: Readonly<Record<string, string>>
  /**
   * APIv3 keys to try, one after the other. A notice does not name its merchant in clear, and each merchant has its
   * own key; the signature was checked before, so only true notices cost a try.
   */
  readonly apiV3Keys: Iterable<string>
  readonly nowMs: number
}

/**
 * Verifies the raw bytes of a notice, then opens it. Header names are in lower case. Throws NoticeRefused.
 * A probe (`WECHATPAY/SIGNTEST/…`) is a wrong signature like any other. Whether merchant, amount and number fit the
 * stored order is for the caller to compare: the trade is returned as it was told.
 */
export function openNotice(
  headers: Readonly<Record<string, string | undefined>>,
  raw: Buffer,
  keys: NoticeKeys,
): WechatPayNotice {
  const [seconds, nonce] = [headers['wechatpay-timestamp'], headers['wechatpay-nonce']]
  const [signature, serial] = [headers['wechatpay-signature'], headers['wechatpay-serial']]
  if (!seconds || !nonce || !signature || !serial) throw new NoticeRefused('signature_missing')
  if (!/^\d{1,12}$/.test(seconds)) throw new NoticeRefused('malformed')
  if (Math.abs(keys.nowMs - Number(seconds) * 1000) >= MAX_AGE_MS) throw new NoticeRefused('stale')
  const key = Object.hasOwn(keys.platformKeys, serial) ? keys.platformKeys[serial] : undefined
  if (key === undefined) throw new NoticeRefused('serial_unknown')
  if (!verifyText(answerText(seconds, nonce, raw), signature, key)) throw new NoticeRefused('signature_wrong')
  return openBody(raw, keys.apiV3Keys)
}

function openBody(raw: Buffer, apiV3Keys: Iterable<string>): WechatPayNotice {
  const parsed = noticeBody.safeParse(readJson(raw.toString('utf8')))
  if (!parsed.success) throw new NoticeRefused('malformed')
  const { id, event_type: eventType, resource } = parsed.data
  if (resource.algorithm !== 'AEAD_AES_256_GCM') throw new NoticeRefused('cipher_wrong')
  const plain = firstOpened(apiV3Keys, resource)
  if (plain === null) throw new NoticeRefused('cipher_wrong')
  if (eventType !== 'TRANSACTION.SUCCESS' || (resource.original_type ?? 'transaction') !== 'transaction') {
    return { id, eventType, trade: null }
  }
  const trade = readTrade(readJson(plain))
  if (trade === null) throw new NoticeRefused('malformed')
  return { id, eventType, trade }
}

function firstOpened(apiV3Keys: Iterable<string>, resource: z.infer<typeof noticeBody>['resource']): string | null {
  for (const apiV3Key of new Set(apiV3Keys)) {
    const plain = openResource(apiV3Key, resource)
    if (plain !== null) return plain
  }
  return null
}

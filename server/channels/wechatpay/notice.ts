import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { NoticeRefused } from '../../kernel/outside.ts'
import type { WechatPayNotice } from '../wechatpay-port.ts'
import { readJson } from './answer.ts'
import { answerText, openResource, verifyText, type FitsObject } from './crypto.ts'
import { readRefundNotice } from './refunds.ts'
import { combinedAnswer, tradeAnswer } from './trade.ts'

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
const shareBody = z
  .object({
    mchid: z.string().min(1).max(32),
    out_order_no: z.string().min(1).max(64),
    transaction_id: z.string().min(1).max(32),
  })
  .transform((told) => ({ mchid: told.mchid, outOrderNo: told.out_order_no, transactionId: told.transaction_id }))

/** A merchant's APIv3 key, with what tells cheaply that a notice is not for it. */
export interface NoticeKey {
  readonly apiV3Key: KeyObject
  readonly fits: FitsObject
}

/** What it takes to open a notice. */
export interface NoticeKeys {
  /** WeChat Pay's key by the id in `Wechatpay-Serial`; two at a time during a rotation. */
  readonly platformKey: (serial: string) => Promise<KeyObject | null> | KeyObject | null
  /**
   * APIv3 keys to try, one after the other. A notice does not name its merchant in clear, and each merchant has its
   * own key; the signature was checked before, so only true notices cost a try. `hit` is told which one it was.
   */
  readonly apiV3Keys: Iterable<NoticeKey>
  readonly hit: (key: NoticeKey) => void
  readonly nowMs: number
}

/**
 * Verifies the raw bytes of a notice, then opens it. Header names are in lower case. Throws NoticeRefused.
 * A probe (`WECHATPAY/SIGNTEST/…`) is a wrong signature like any other, and the XML of API v2 is malformed. Whether
 * merchant, amount and number fit the stored order is for the caller to compare: it is returned as it was told.
 */
export async function openNotice(
  headers: Readonly<Record<string, string | undefined>>,
  raw: Buffer,
  keys: NoticeKeys,
): Promise<WechatPayNotice> {
  if (raw[0] === 0x3c) throw new NoticeRefused('malformed')
  const [seconds, nonce] = [headers['wechatpay-timestamp'], headers['wechatpay-nonce']]
  const [signature, serial] = [headers['wechatpay-signature'], headers['wechatpay-serial']]
  if (!seconds || !nonce || !signature || !serial) throw new NoticeRefused('signature_missing')
  if (!/^\d{1,12}$/.test(seconds)) throw new NoticeRefused('malformed')
  if (Math.abs(keys.nowMs - Number(seconds) * 1000) >= MAX_AGE_MS) throw new NoticeRefused('stale')
  const key = await keys.platformKey(serial)
  if (key === null) throw new NoticeRefused('serial_unknown')
  if (!verifyText(answerText(seconds, nonce, raw), signature, key)) throw new NoticeRefused('signature_wrong')
  return openBody(raw, keys)
}

function openBody(raw: Buffer, keys: NoticeKeys): WechatPayNotice {
  const parsed = noticeBody.safeParse(readJson(raw.toString('utf8')))
  if (!parsed.success) throw new NoticeRefused('malformed')
  const { id, event_type: eventType, resource } = parsed.data
  if (resource.algorithm !== 'AEAD_AES_256_GCM') throw new NoticeRefused('cipher_wrong')
  const plain = firstOpened(keys, resource)
  if (plain === null) throw new NoticeRefused('cipher_wrong')
  const content = contentOf(kindOf(eventType, resource.original_type), readJson(plain))
  if (content === null) throw new NoticeRefused('malformed')
  return { id, eventType, trades: [], refund: null, share: null, ...content }
}

type Kind = 'payment' | 'refund' | 'share' | 'other'

/**
 * By both names together: some pages show money movements of profit sharing under TRANSACTION.SUCCESS (2.5). Where a
 * notice does not say what it holds, the event alone decides.
 */
function kindOf(eventType: string, originalType: string | undefined): Kind {
  const family = eventType.split('.')[0]
  if (originalType === 'profitsharing')
    return family === 'PROFITSHARING' || eventType === 'TRANSACTION.SUCCESS' ? 'share' : 'other'
  if (eventType === 'TRANSACTION.SUCCESS' && (originalType ?? 'transaction') === 'transaction') return 'payment'
  if (family === 'REFUND' && (originalType ?? 'refund') === 'refund') return 'refund'
  return family === 'PROFITSHARING' && originalType === undefined ? 'share' : 'other'
}

/** What the notice is about; empty for a kind that we do not know, null when it is not what its kind says. */
function contentOf(kind: Kind, value: unknown): Partial<WechatPayNotice> | null {
  switch (kind) {
    case 'payment': {
      if (typeof value === 'object' && value !== null && 'combine_out_trade_no' in value) {
        const combined = combinedAnswer.safeParse(value)
        return combined.success ? { trades: combined.data.trades } : null
      }
      const trade = tradeAnswer.safeParse(value)
      return trade.success ? { trades: [trade.data] } : null
    }
    case 'refund': {
      const refund = readRefundNotice(value)
      return refund && { refund }
    }
    case 'share': {
      const share = shareBody.safeParse(value)
      return share.success ? { share: share.data } : null
    }
    case 'other':
      return {}
  }
}

/** Those whose first byte fits, then all: should the content ever begin with something else than a brace. */
function firstOpened(keys: NoticeKeys, resource: z.infer<typeof noticeBody>['resource']): string | null {
  for (const all of [false, true]) {
    for (const key of keys.apiV3Keys) {
      const plain = all || key.fits(resource) ? openResource(key.apiV3Key, resource) : null
      if (plain === null) continue
      keys.hit(key)
      return plain
    }
  }
  return null
}

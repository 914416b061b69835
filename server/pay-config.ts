import { z } from 'zod'
import type { MerchantCredentials } from './channels/wechatpay/crypto.ts'
import type { WechatPayMerchant } from './channels/wechatpay-port.ts'
import type { House } from './kernel/house.ts'

/** WeChat Pay as an installation is configured with it. */
export interface WechatPayConfig {
  readonly baseUrl: string
  /** Tried once where the first gives no answer at all; null: none. */
  readonly secondUrl: string | null
  readonly merchants: readonly (MerchantCredentials & { readonly feeBp: number })[]
  /** Public keys (`PUB_KEY_ID_…`) or certificates by serial; platform certificates are fetched where none is. */
  readonly platformKeys: Readonly<Record<string, string>>
  /** The platform's own merchant: starts combined payments, takes fees; one of `merchants`. Null: there is none. */
  readonly platform: WechatPayMerchant | null
}

/** WeChat Pay's rate where a merchant has none of its own: 0.6 %. */
const USUAL_FEE_BP = 60

const Merchant = z.strictObject({
  mchid: z.string().regex(/^\d{6,32}$/),
  appid: z.string().min(1).max(32),
  certSerial: z.string().min(8),
  privateKeyPem: z.string().includes('PRIVATE KEY'),
  apiV3Key: z.string().length(32),
  /** Which of `platformKeys` is this merchant's; null: none, it knows platform certificates only. */
  platformKeyId: z.string().nullable().optional(),
  /** What WeChat Pay keeps of each payment to this merchant, in basis points. */
  feeBp: z.int().min(0).max(1000).default(USUAL_FEE_BP),
})

/** The file of FULIKA_WECHAT_PAY_FILE. */
export const WechatPayFile = z
  .strictObject({
    merchants: z.array(Merchant),
    platformKeys: z.record(z.string(), z.string().regex(/-----BEGIN (PUBLIC KEY|CERTIFICATE)-----/)),
    platform: z.strictObject({ mchid: z.string(), appid: z.string() }).nullable().default(null),
  })
  .refine(
    ({ merchants, platformKeys }) => merchants.every((one) => !one.platformKeyId || one.platformKeyId in platformKeys),
    {
      message: 'a merchant names a key that is not there',
      path: ['merchants', 'platformKeyId'],
    },
  )
  .refine(({ merchants, platform }) => platform === null || merchants.some((one) => isSame(one, platform)), {
    message: 'not one of the merchants',
    path: ['platform'],
  })

function isSame(one: WechatPayMerchant, other: WechatPayMerchant): boolean {
  return one.mchid === other.mchid && one.appid === other.appid
}

/** What the house may know of WeChat Pay: its merchants' secrets stay with the adapter. */
export function wechatPayOf(
  pay: {
    readonly merchants: readonly { readonly mchid: string; readonly feeBp?: number }[]
    readonly platform: WechatPayMerchant | null
  } | null,
  settlement: { readonly windowMs: number; readonly sharesPerSecond: number },
): House['wechatPay'] {
  const rates = new Map((pay?.merchants ?? []).map(({ mchid, feeBp }) => [mchid, feeBp ?? USUAL_FEE_BP]))
  return {
    platform: pay?.platform ?? null,
    feeBp: (mchid) => rates.get(mchid) ?? USUAL_FEE_BP,
    settlementWindowMs: settlement.windowMs,
    sharesPerSecond: settlement.sharesPerSecond,
  }
}

import { OutsideError } from '../../kernel/outside.ts'
import { readPrivateKey, type MerchantCredentials, type SigningMerchant } from './crypto.ts'
import type { SendHttp } from './plain-http.ts'

/** How the house speaks with WeChat Pay. */
export interface WechatPayOptions {
  readonly baseUrl: string
  /** Tried once, with the same bytes, where the first gives no answer (protocols wechat-pay 1.1). */
  readonly secondUrl?: string | null
  readonly merchants: readonly MerchantCredentials[] | ((mchid: string) => MerchantCredentials | null)
  /** Needed beside a function in `merchants`: whose APIv3 keys are tried on a notice. */
  readonly noticeMerchants?: () => readonly MerchantCredentials[]
  /** PEM by id. Where a merchant has none, platform certificates are fetched. */
  readonly platformKeys: Readonly<Record<string, string>>
  readonly notifyUrl: string
  readonly now: () => number
  readonly random: (length: number) => Buffer
  readonly fetch?: SendHttp
  readonly timeoutMs?: number
  /** The largest bill that is read, in bytes, packed or not; 128 MiB. */
  readonly billLimit?: number
}

/** A merchant with its key read. */
export type Means = SigningMerchant & { readonly credentials: MerchantCredentials }

/** Finds merchants and reads each private key once. The function throws OutsideError `broken` for one nobody knows. */
export function meansFor(options: WechatPayOptions): (mchid: string) => Means {
  const read = new WeakMap<MerchantCredentials, Means>()
  return (mchid) => {
    const credentials = credentialsOf(options, mchid)
    if (credentials === null) throw new OutsideError('broken', 'MERCHANT_UNKNOWN', `no credentials for ${mchid}`)
    const known = read.get(credentials)
    if (known !== undefined) return known
    const privateKey = readPrivateKey(mchid, credentials.privateKeyPem)
    const means = { mchid, certSerial: credentials.certSerial, privateKey, credentials }
    read.set(credentials, means)
    return means
  }
}

/** Whose notices we take. */
export function noticeMerchants(options: WechatPayOptions): readonly MerchantCredentials[] {
  if (options.noticeMerchants) return options.noticeMerchants()
  return typeof options.merchants === 'function' ? [] : options.merchants
}

function credentialsOf({ merchants }: WechatPayOptions, mchid: string): MerchantCredentials | null {
  if (typeof merchants === 'function') return merchants(mchid)
  return merchants.find((candidate) => candidate.mchid === mchid) ?? null
}

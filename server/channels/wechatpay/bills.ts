import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { z } from 'zod'
import { CHINA, startOfDay } from '../../kernel/company-day.ts'
import { OutsideError } from '../../kernel/outside.ts'
import type { Bill, BillKind, WechatPayMerchant } from '../wechatpay-port.ts'
import { malformed, refusal } from './answer.ts'
import { ask, part, type Caller } from './call.ts'
import { fetchSigned } from './exchange.ts'
import type { WechatPayOptions } from './options.ts'

const unzip = promisify(gunzip)
const DAY_MS = 86_400_000
/** A row has about 300 bytes: some 400,000 payments of one merchant in one day. Above, somebody must look. */
const BILL_LIMIT = 128 * 1024 * 1024
/** WeChat Pay's own hosts: through an egress proxy its files come by the same way as its answers. */
const OWN_HOSTS = new Set(['https://api.mch.weixin.qq.com', 'https://api2.mch.weixin.qq.com'])

const promise = z.object({
  hash_type: z.literal('SHA1'),
  hash_value: z.string().regex(/^[0-9a-f]{40}$/i),
  download_url: z.url({ protocol: /^https?$/ }).max(2048),
})

/** A bill of one merchant and day as text without a byte order mark (protocols wechat-pay 5.8 and 7). */
export async function fetchBill(
  caller: Caller,
  merchant: WechatPayMerchant,
  kind: BillKind,
  day: string,
): Promise<Bill> {
  const once = async (): Promise<Bill> => {
    const promised = await ask(caller, { merchant, path: pathOf(kind, day) }, promise)
    return { kind: 'there', text: await download(caller, merchant, promised) }
  }
  try {
    return await once().catch((error: unknown) => {
      // The address lives for half a minute to five minutes only: a new one, once.
      if (error instanceof OutsideError && error.code === 'BILL_ADDRESS_OLD') return once()
      throw error
    })
  } catch (error) {
    const waiting = error instanceof OutsideError ? withoutBill(error, kind, day, caller.options.now()) : null
    if (waiting === null) throw error
    return { kind: waiting }
  }
}

function pathOf(kind: BillKind, day: string): string {
  const date = `bill_date=${part(day)}`
  if (kind === 'trade') return `/v3/bill/tradebill?${date}&bill_type=ALL`
  if (kind === 'fund_flow') return `/v3/bill/fundflowbill?${date}&account_type=BASIC`
  return `/v3/profitsharing/bills?${date}`
}

/** The sharing bill says INVALID_REQUEST while it is being made; on the day after its own that is what it means. */
function withoutBill(error: OutsideError, kind: BillKind, day: string, nowMs: number): 'none' | 'creating' | null {
  if (error.code === 'NO_STATEMENT_EXIST') return 'none'
  if (error.code === 'STATEMENT_CREATING') return 'creating'
  if (kind !== 'sharing' || error.code !== 'INVALID_REQUEST') return null
  const nextDay = startOfDay(day, CHINA) + DAY_MS
  return nowMs >= nextDay && nowMs < nextDay + DAY_MS ? 'creating' : null
}

async function download(
  caller: Caller,
  merchant: WechatPayMerchant,
  promised: z.output<typeof promise>,
): Promise<string> {
  const address = addressOf(caller.options, promised.download_url)
  const limit = caller.options.billLimit ?? BILL_LIMIT
  const { status, headers, raw } = await fetchSigned(caller.options, caller.meansOf(merchant.mchid), address, limit)
  if (status !== 200) {
    const error = refusal(status, raw, headers.get('retry-after'))
    if (error.code === 'INVALID_REQUEST') throw new OutsideError('unknown', 'BILL_ADDRESS_OLD', error.message)
    throw error
  }
  const plain = await plainOf(raw, limit)
  if (createHash('sha1').update(plain).digest('hex') !== promised.hash_value.toLowerCase())
    throw new OutsideError('unknown', 'BILL_HASH', 'the bill is not the file that was promised')
  return textOf(plain)
}

/** Where the file is, if we would go there: our signature is shown to nobody but WeChat Pay. */
function addressOf(options: WechatPayOptions, text: string): { readonly origin: string; readonly path: string } {
  const { origin, pathname, search } = new URL(text)
  const own = [options.baseUrl, options.secondUrl ?? options.baseUrl].map((base) => new URL(base).origin)
  const path = pathname + search
  if (own.includes(origin)) return { origin, path }
  if (OWN_HOSTS.has(origin)) return { origin: own[0] ?? origin, path }
  throw new OutsideError('broken', 'BILL_HOST', 'the bill lies on a host that is not WeChat Pay’s')
}

async function plainOf(raw: Buffer, limit: number): Promise<Buffer> {
  if (raw[0] !== 0x1f || raw[1] !== 0x8b) return raw
  try {
    return await unzip(raw, { maxOutputLength: limit })
  } catch (error) {
    if (error instanceof RangeError) throw new OutsideError('unknown', 'TOO_LARGE', 'the bill is larger than is read')
    throw new OutsideError('unknown', 'BILL_HASH', 'the bill is not whole')
  }
}

function textOf(plain: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain)
  } catch {
    throw malformed()
  }
}

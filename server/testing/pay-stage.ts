import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fen } from '../../contract/fen.ts'
import type { WechatPaySandbox } from '../../sandbox/wechatpay/server.ts'
import { wechatPayAdapter } from '../channels/wechatpay/adapter.ts'
import type { MerchantCredentials } from '../channels/wechatpay/crypto.ts'
import type { WechatPayOptions } from '../channels/wechatpay/options.ts'
import type {
  PayCredential,
  PaymentWish,
  WechatPayMerchant,
  WechatPayNotice,
  WechatPayPort,
} from '../channels/wechatpay-port.ts'
import { NoticeRefused, OutsideError } from '../kernel/outside.ts'
import { appid, startWechatSandbox, type Control } from './wechat-sandbox.ts'

/** The WeChat Pay adapter before the sandbox, with merchants and a place where notices arrive. */
export interface PayStage {
  readonly sandbox: WechatPaySandbox
  /** Of the four merchants below, in their order. */
  readonly credentials: readonly MerchantCredentials[]
  readonly platform: WechatPayMerchant
  readonly brand: WechatPayMerchant
  readonly second: WechatPayMerchant
  readonly channel: WechatPayMerchant
  readonly pay: WechatPayPort
  /** Where they arrive. */
  readonly notifyUrl: string
  /** Everything that arrived, before it was opened. */
  readonly letters: { readonly headers: Record<string, string | undefined>; readonly raw: Buffer }[]
  readonly notices: WechatPayNotice[]
  readonly refusals: string[]
  readonly adapter: (changes?: Partial<WechatPayOptions>) => WechatPayPort
  /** From now on this port opens what arrives. */
  readonly listenWith: (port: WechatPayPort) => void
  readonly ctl: Control
  /** A wish with a fresh number. */
  readonly wish: (changes?: Partial<PaymentWish>) => PaymentWish
  readonly place: (wish: PaymentWish) => Promise<PayCredential>
  /** Places and pays an order of the brand; its transaction. */
  readonly paid: (
    changes?: Partial<PaymentWish>,
  ) => Promise<{ readonly transactionId: string; readonly outTradeNo: string }>
  readonly fresh: (prefix: string) => string
  readonly close: () => Promise<void>
}

/** `platform`, `brand`, `second` and `channel`, all bound to one app. */
const MERCHANTS = 4

/** Starts it. `verifyBy` is how the merchants know WeChat Pay. */
export async function startPayStage(verifyBy: 'public_key' | 'certificate' = 'public_key'): Promise<PayStage> {
  const { sandbox, ctl, addMerchant } = await startWechatSandbox({ verifyBy })
  const credentials: MerchantCredentials[] = []
  for (let index = 0; index < MERCHANTS; index += 1) credentials.push(await addMerchant(`190000030${index}`))
  const listener = await listen()
  const notifyUrl = `${listener.url}/notify/wechatpay`
  const adapter: PayStage['adapter'] = (changes = {}) =>
    wechatPayAdapter({
      baseUrl: sandbox.baseUrl,
      merchants: credentials,
      platformKeys: verifyBy === 'public_key' ? { [sandbox.platformPublicKeyId]: sandbox.platformPublicKeyPem } : {},
      notifyUrl,
      now: () => Date.now(),
      random: randomBytes,
      ...changes,
    })
  const pay = adapter()
  const listenWith: PayStage['listenWith'] = (port) => (listener.open = (headers, raw) => port.openNotice(headers, raw))
  listenWith(pay)
  const merchant = (index: number): WechatPayMerchant => ({ mchid: credentials[index]?.mchid ?? '', appid })
  const { letters, notices, refusals } = listener
  return {
    sandbox,
    credentials,
    pay,
    notifyUrl,
    letters,
    notices,
    refusals,
    adapter,
    listenWith,
    ctl,
    platform: merchant(0),
    brand: merchant(1),
    second: merchant(2),
    channel: merchant(3),
    ...orderingWith(ctl, pay, merchant(1)),
    close: async () => {
      await sandbox.close()
      await listener.close()
    },
  }
}

function orderingWith(
  ctl: PayStage['ctl'],
  pay: WechatPayPort,
  merchant: WechatPayMerchant,
): Pick<PayStage, 'wish' | 'place' | 'paid' | 'fresh'> {
  let serial = 0
  const fresh = (prefix: string): string => `${prefix}${String((serial += 1)).padStart(10, '0')}`
  const wish: PayStage['wish'] = (changes = {}) => ({
    product: 'native',
    merchant,
    outTradeNo: fresh('PAY'),
    description: '中秋福利卡',
    total: fen(100_000),
    expireAtMs: Date.now() + 3_600_000,
    profitSharing: true,
    ...changes,
  })
  const place: PayStage['place'] = (one) => pay.prepare(one.merchant, one.product, pay.paymentBody(one))
  return {
    fresh,
    wish,
    place,
    paid: async (changes) => {
      const one = wish(changes)
      await place(one)
      const { outTradeNo } = one
      const told = await ctl('pay', { mchid: one.merchant.mchid, outTradeNo, outcome: 'success', openid: one.openid })
      return { outTradeNo, transactionId: String(told['transactionId']) }
    },
  }
}

/** Takes notices as the product's endpoint does: 204 for what was opened, 401 for what was refused. */
async function listen() {
  const letters: { headers: Record<string, string | undefined>; raw: Buffer }[] = []
  const notices: WechatPayNotice[] = []
  const refusals: string[] = []
  const listener = {
    letters,
    notices,
    refusals,
    url: '',
    open: (_headers: Record<string, string | undefined>, _raw: Buffer): Promise<WechatPayNotice> =>
      Promise.reject(new Error('nobody listens yet')),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const [headers, raw] = [request.headers as Record<string, string | undefined>, Buffer.concat(chunks)]
      letters.push({ headers, raw })
      listener.open(headers, raw).then(
        (notice) => {
          notices.push(notice)
          response.writeHead(204).end()
        },
        (error: unknown) => {
          refusals.push(error instanceof NoticeRefused ? error.code : String(error))
          response.writeHead(401).end('{"code":"FAIL","message":"refused"}')
        },
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  listener.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return listener
}

/** How a call failed: its outcome and code. Throws when it did not, or with another error. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof OutsideError)) throw new Error(`no OutsideError: ${String(error)}`)
  return `${error.outcome} ${error.code}`
}

/** Waits until something holds, for two seconds at most. */
export async function untilHolds(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !holds(); i += 1) await new Promise((resolve) => setTimeout(resolve, 10))
  if (!holds()) throw new Error('it never came to hold')
}

import { startWechatConsumer, type WechatConsumer } from '../../sandbox/wechat/server.ts'
import { wechatAdapter, type WechatOptions } from '../channels/wechat/adapter.ts'
import { WechatFile, type WechatAccount } from '../channels/wechat/account.ts'
import type { WechatPort } from '../channels/wechat-port.ts'
import type { House } from '../kernel/house.ts'
import { OutsideError } from '../kernel/outside.ts'

const keys = { card: 'thing1', amount: 'amount2', time: 'time3', note: 'thing4' }
/** A service account in the app that merchants of tests are bound to (`appid` of wechat-sandbox.ts), with a mini program. */
export const boxAccount: WechatAccount = WechatFile.parse({
  appid: 'wxsandbox0001',
  secret: 'SANDBOXwechatsecret01',
  callback: { token: 'SANDBOXtoken', encodingAesKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG' },
  miniProgram: { appid: 'wxsandboxmini01', secret: 'SANDBOXwechatsecret02' },
  openPlatformId: 'sandbox-open-platform',
  templates: {
    gift_received: { id: 'TEMPLATEreceived', keys },
    gift_claimed: { id: 'TEMPLATEclaimed', keys },
    gift_returned: { id: 'TEMPLATEreturned', keys },
    card_expiring: { id: 'TEMPLATEexpiring', keys },
    low_balance: { id: 'TEMPLATEbalance', keys },
  },
})
/** The host that may be led back to. */
export const boxHost = 'shop.example:8443'

/** What the sandbox tells of a person. */
export interface BoxPerson {
  readonly openids: Readonly<Record<string, string>>
  readonly unionid: string
  readonly chats: readonly {
    readonly from: string
    readonly to: string
    readonly link: string
    readonly title: string
  }[]
  readonly notices: readonly { readonly templateId: string; readonly rows: readonly (readonly string[])[] }[]
}

/** WeChat's consumer side with our account in it, a clock that is moved, and the adapter before it. */
export interface WechatBox {
  readonly box: WechatConsumer
  readonly port: WechatPort
  /** Another process: nothing shared but what `more` names. */
  readonly adapter: (more?: Partial<WechatOptions>) => WechatPort
  /** A control call; throws unless it answers 200. Without a body it is GET. */
  readonly ctl: <T = Readonly<Record<string, unknown>>>(path: string, body?: unknown) => Promise<T>
  /** A one-time code, as somebody's phone brings it. */
  readonly code: (personId: string, more?: Readonly<Record<string, unknown>>) => Promise<string>
  readonly person: (personId: string) => Promise<BoxPerson>
  /** What the house of a storefront in front of it knows. */
  readonly house: NonNullable<House['wechat']>
  readonly now: () => number
  readonly advance: (ms: number) => void
  readonly close: () => Promise<void>
}

/** Starts one. `now` is a clock of the caller's; without it the box has one that stands until it is moved. */
export async function openWechatBox(how: { readonly now?: () => number; readonly domains?: readonly string[] } = {}) {
  let nowMs = Date.UTC(2026, 0, 5, 2)
  const now = how.now ?? (() => nowMs)
  const box = await startWechatConsumer({ now })
  box.putAccount({ ...boxAccount, ...held(boxAccount) })
  const ctl: WechatBox['ctl'] = async (path, body) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const answer = await fetch(`${box.baseUrl}/__ctl/${path}`, { headers: { connection: 'close' }, ...init })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as never
  }
  await ctl('apps', { appid: boxAccount.appid, domains: how.domains ?? [boxHost] })
  const { baseUrl } = box
  const adapter = (more: Partial<WechatOptions> = {}) =>
    wechatAdapter({ apiBase: baseUrl, oauthBase: baseUrl, account: boxAccount, now, ...more })
  const script = `${baseUrl}/client.js`
  const { appid, miniProgram, openPlatformId, templates } = boxAccount
  const opened: WechatBox = {
    box,
    port: adapter(),
    adapter,
    ctl,
    code: async (personId, more = {}) => (await ctl<{ code: string }>('code', { appid, personId, ...more })).code,
    person: (personId) => ctl<BoxPerson>(`persons/${personId}`),
    house: {
      appid,
      miniProgramAppid: miniProgram?.appid ?? null,
      openPlatformId,
      templates,
      jsSdkUrl: script,
      clientScriptUrl: script,
    },
    now,
    advance: (ms) => {
      nowMs += ms
    },
    close: () => box.close(),
  }
  return opened
}

/** The error that a call ends in; whatever it tells, it tells no code, token, ticket or secret. */
export async function failureOf(run: Promise<unknown>): Promise<OutsideError> {
  const error: unknown = await run.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof OutsideError)) throw new Error('expected an OutsideError', { cause: error })
  const told = `${error.message} ${error.code} ${error.stack ?? ''} ${JSON.stringify(error)}`
  if (/SANDBOX/.test(told)) throw new Error('the error tells a secret')
  return error
}

/** What may be null in a file is there in this one. */
function held({ callback, miniProgram, openPlatformId, templates }: WechatAccount) {
  if (callback === null || miniProgram === null || openPlatformId === null) throw new Error('a whole account')
  return {
    callback,
    miniProgram,
    openPlatformId,
    templates: templates as Record<string, { id: string; keys: Record<string, string> }>,
  }
}

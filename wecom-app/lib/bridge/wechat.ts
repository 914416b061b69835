import type { StorePageSignature, StoreSetting } from '../../../contract/store/session.ts'
import { send } from '../api.ts'
import {
  done,
  outcomeOf,
  unavailable,
  within,
  type Bridge,
  type NoticeAsk,
  type Outcome,
  type Place,
  type PayOrder,
  type ShareCard,
} from './bridge.ts'
import { maySell } from './channel.ts'

/** What of GET /store/setting the bridge needs. */
export type WechatSetting = Pick<StoreSetting, 'appid' | 'jsSdkUrl' | 'clientScriptUrl'>

/** WeChat's own object: it is in every page of its client, pays, and needs no signature of the page (protocols wechat-consumer, 5.2). */
interface ClientBridge {
  invoke(name: string, values: object, answer: (result: { readonly err_msg?: string }) => void): void
}
type Answered = {
  readonly success: (result: never) => void
  readonly fail: (why: unknown) => void
  readonly cancel: () => void
}
type Call = (values: object & Partial<Answered>) => void
/** What of WeChat's JS-SDK we use. */
interface Sdk {
  config(values: object): void
  ready(then: () => void): void
  error(then: (why: unknown) => void): void
  readonly updateAppMessageShareData: Call
  readonly updateTimelineShareData: Call
  readonly showMenuItems: Call
  readonly hideMenuItems: Call
  readonly scanQRCode: Call
  readonly getLocation: Call
  readonly closeWindow: Call
}
const platform = globalThis as { WeixinJSBridge?: ClientBridge; wx?: Sdk }

const calls = [
  'updateAppMessageShareData',
  'updateTimelineShareData',
  'showMenuItems',
  'hideMenuItems',
  'scanQRCode',
  'getLocation',
  'closeWindow',
] as const

/** Whatever takes a page elsewhere (5.2). */
const menuList = [
  'menuItem:share:appMessage',
  'menuItem:share:timeline',
  'menuItem:share:qq',
  'menuItem:share:QZone',
  'menuItem:favorite',
  'menuItem:copyUrl',
  'menuItem:openWithSafari',
  'menuItem:openWithQQBrowser',
]

/** Whether WeChat's client shows this page; in the sandbox every browser does, once the sandbox's own client is loaded. */
export async function hasClient({ clientScriptUrl }: WechatSetting): Promise<boolean> {
  if (/micromessenger/i.test(navigator.userAgent)) return true
  if (clientScriptUrl === null) return false
  return loadScript(clientScriptUrl).then(
    () => platform.WeixinJSBridge !== undefined,
    () => false,
  )
}

/** WeChat's client, on a page of our service account. */
export function wechatBridge(setting: WechatSetting): Bridge {
  const sells = maySell()
  const pay = cashier()
  const account = setting.appid === null ? 'no_account' : true
  const tagless = noOpenTags()
  const can = {
    signIn: account,
    pay: sells ? account : 'not_sold_here',
    share: account,
    menu: account,
    notify: account,
    scan: account,
    locate: account,
    close: account,
  } as const satisfies Bridge['can']
  const asked = <T>(name: (typeof calls)[number], values: object, read: (result: never) => T): Promise<Outcome<T>> =>
    account === 'no_account'
      ? Promise.resolve(unavailable(account))
      : outcomeOf(async () => read(await ask(await ready(setting), name, values)))
  return {
    channel: 'wechat',
    can,
    signIn: (back) => (account === true ? leave(back) : unavailable(account)),
    pay: (order) => (can.pay === true ? pay(order) : Promise.resolve(unavailable(can.pay))),
    share: async (card) => {
      // The page cannot open the client's sheet: it says what would be passed on, and the person does it.
      const preset = await asked('updateAppMessageShareData', shared(card), () => null)
      return preset.kind === 'done' ? { kind: 'done', value: 'menu' } : preset
    },
    menu: async (what) => {
      if (what === 'nothing') return asked('hideMenuItems', { menuList }, () => null)
      const open = await asked('showMenuItems', { menuList }, () => null)
      if (what === 'page' || open.kind !== 'done') return open
      const preset = await asked('updateAppMessageShareData', shared(what), () => null)
      return preset.kind === 'done' ? asked('updateTimelineShareData', shared(what), () => null) : preset
    },
    notify: (place, wish) =>
      account === true ? offerNotices(setting, tagless, place, wish) : Promise.resolve(unavailable(account)),
    scan: () =>
      asked('scanQRCode', { needResult: 1, scanType: ['qrCode'] }, ({ resultStr }: { resultStr: string }) => resultStr),
    locate: () =>
      asked('getLocation', { type: 'wgs84' }, ({ latitude, longitude }: Place) => ({
        latitude: Number(latitude),
        longitude: Number(longitude),
      })),
    close: () => asked('closeWindow', {}, () => null),
  }
}

function leave(back: string): Outcome {
  location.replace(`/store/sign-in?return=${encodeURIComponent(back)}`)
  return done
}

/** One cashier at a time: while it is open, another tap opens none. */
function cashier(): (order: PayOrder) => Promise<Outcome> {
  let isOpen = false
  const open = async (order: PayOrder): Promise<null> => {
    const client = await within(clientBridge(), 'no WeixinJSBridge')
    const result = await new Promise<string>((resolve) => {
      client.invoke('getBrandWCPayRequest', { ...order }, ({ err_msg: said = '' }) => resolve(said))
    })
    if (!result.endsWith(':ok')) throw new Error(result)
    return null
  }
  return async (order) => {
    if (isOpen) return { kind: 'failed', why: 'the cashier is open' }
    isOpen = true
    const outcome = await outcomeOf(() => open(order))
    isOpen = false
    return outcome
  }
}

/** The client puts its object into a page soon after the page's own scripts, and says when. */
const clientBridge = (): Promise<ClientBridge> =>
  new Promise((resolve) => {
    const there = (): void => {
      if (platform.WeixinJSBridge !== undefined) resolve(platform.WeixinJSBridge)
    }
    document.addEventListener('WeixinJSBridgeReady', there, { once: true })
    there()
  })

/** The JS-SDK, told by our server's signature that this page is ours. It is loaded when something is asked of it, never before. */
async function ready(setting: WechatSetting): Promise<Sdk> {
  const page = location.href.split('#', 1)[0] ?? ''
  if (configured?.page !== page) {
    const sdk = within(configure(setting, page), 'the JS-SDK is silent')
    configured = { page, sdk }
    // What failed is tried anew with the next call.
    sdk.catch(() => (configured = null))
  }
  return configured!.sdk
}
/** Pages with histories are signed one by one. */
let configured: { readonly page: string; readonly sdk: Promise<Sdk> } | null = null

async function configure(setting: WechatSetting, page: string): Promise<Sdk> {
  const signing = send<StorePageSignature>('POST', '/store/js/signature', { url: page })
  if (platform.wx === undefined && setting.jsSdkUrl !== null) await loadScript(setting.jsSdkUrl)
  const signed = await signing
  const sdk = platform.wx
  if (sdk === undefined) throw new Error('no JS-SDK')
  const told = new Promise<Sdk>((resolve, reject) => {
    // WeChat calls `ready` after `error` too: what comes first counts.
    sdk.error((why) => reject(why))
    sdk.ready(() => resolve(sdk))
  })
  sdk.config({ ...signed, jsApiList: calls, openTagList: ['wx-open-subscribe'] })
  return told
}

function ask(sdk: Sdk, name: (typeof calls)[number], values: object): Promise<never> {
  const answer = new Promise<never>((resolve, reject) => {
    sdk[name]({ ...values, success: resolve, fail: reject, cancel: () => reject(new Error('cancel')) })
  })
  return person.includes(name) ? answer : within(answer, `${name} is silent`)
}
/** What waits for a person waits as long as they do. */
const person: readonly string[] = ['scanQRCode', 'getLocation']

const shared = ({ title, text, url, imageUrl }: ShareCard): object => ({
  title,
  desc: text,
  link: url,
  imgUrl: imageUrl,
})

/** Fails once this page is told that open tags do not work on it (5.3), which may be before anybody asks for one. */
function noOpenTags(): Promise<never> {
  const told = new Promise<never>((_resolve, reject) => {
    document.addEventListener('WeixinOpenTagsError', () => reject(new Error('no open tags')), { once: true })
  })
  told.catch(() => undefined)
  return told
}

/** WeChat's open tag (5.3): only it may ask for notices, at a tap on itself. Its button is drawn by us, in its slot. */
async function offerNotices(
  setting: WechatSetting,
  tagless: Promise<never>,
  place: HTMLElement,
  { templates, label, over }: NoticeAsk,
): Promise<Outcome<readonly string[]>> {
  const gone = new Promise<never>((_resolve, reject) => {
    over.addEventListener('abort', () => reject(new Error('cancel')), { once: true })
  })
  const tapped = async (): Promise<readonly string[]> => {
    await ready(setting)
    const tag = document.createElement('wx-open-subscribe')
    tag.setAttribute('template', templates.join(','))
    const slot = document.createElement('script')
    slot.type = 'text/wxtag-template'
    slot.text = `<button type="button" style="${tagButton}">${label.replace(/[<>&"]/g, '')}</button>`
    tag.append(slot)
    return new Promise((resolve, reject) => {
      tag.addEventListener('success', (event) => resolve(acceptedOf((event as CustomEvent<unknown>).detail)))
      tag.addEventListener('error', (event) => reject((event as unknown as CustomEvent<unknown>).detail))
      place.replaceChildren(tag)
    })
  }
  return outcomeOf(() => Promise.race([tapped(), gone, tagless]))
}

/** No style of the page reaches into the tag: what its button looks like travels with it. */
const tagButton =
  'width:100%;min-height:44px;padding:6px 20px;border:1px solid #0052d9;border-radius:999px;background:#fff;color:#0052d9;font:inherit'

/** `subscribeDetails` is a text of JSON whose values are texts of JSON; anything else is no yes. */
function acceptedOf(detail: unknown): readonly string[] {
  try {
    const { subscribeDetails = '{}' } = detail as { subscribeDetails?: string }
    const templates = JSON.parse(subscribeDetails) as Record<string, string>
    return Object.keys(templates).filter(
      (id) => (JSON.parse(templates[id] ?? '{}') as { status?: unknown }).status === 'accept',
    )
  } catch {
    return []
  }
}

const loading = new Map<string, Promise<void>>()
function loadScript(url: string): Promise<void> {
  const begun = loading.get(url)
  if (begun !== undefined) return begun
  const script = document.createElement('script')
  const loaded = within(
    new Promise<void>((resolve, reject) => {
      script.addEventListener('load', () => resolve())
      script.addEventListener('error', () => reject(new Error(`${url} did not come`)))
    }),
    `${url} did not come in time`,
  )
  script.src = url
  script.async = true
  document.head.append(script)
  loading.set(url, loaded)
  loaded.catch(() => loading.delete(url))
  return loaded
}

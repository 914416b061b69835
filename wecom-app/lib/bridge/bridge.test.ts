import { afterEach, expect, test, vi } from 'vitest'
import zh from '../../store/locales/zh-CN/gap.json' with { type: 'json' }
import { gaps, outcomeOf, type Bridge } from './bridge.ts'
import { channelOf, maySell } from './channel.ts'
import { conformance, type Answer, type Rig } from './conformance.ts'
import { openBridge } from './open-bridge.ts'

/** WeCom's library, in place of the one that only its client can answer. */
const wecom = vi.hoisted(() => ({ how: 'does', asked: [] as string[] }))
vi.mock('@wecom/jssdk', () => {
  const act =
    (name: string, value: object = {}) =>
    (): Promise<object> => {
      wecom.asked.push(name)
      if (wecom.how === 'breaks') throw new TypeError('undefined is not a function')
      if (wecom.how === 'is silent') return new Promise(() => undefined)
      if (wecom.how === 'does') return Promise.resolve(value)
      return Promise.reject({ errMsg: `${name}:${wecom.how === 'cancels' ? 'cancel' : 'fail no permission'}` })
    }
  return {
    ScanQRCodeType: { qrCode: 'qrCode' },
    register: () => undefined,
    closeWindow: act('close'),
    showOptionMenu: act('menu'),
    hideOptionMenu: act('menu'),
    scanQRCode: act('scan', { resultStr: '6230' }),
  }
})

afterEach(() => vi.unstubAllGlobals())

/** A window as small as the bridge needs it; scripts come at once, or never. */
function stubWindow(agent: string, state: { how: Answer; readonly asked: string[] }, more: object = {}): void {
  const script = (): object => {
    const target = Object.assign(new EventTarget(), { setAttribute: () => undefined, append: () => undefined })
    return target
  }
  vi.stubGlobal('location', new URL('https://fuli.example.com/shop/'))
  const heard = new EventTarget()
  vi.stubGlobal('document', {
    addEventListener: heard.addEventListener.bind(heard),
    dispatchEvent: heard.dispatchEvent.bind(heard),
    createElement: script,
    documentElement: { lang: 'zh-CN' },
    head: { append: (one: EventTarget) => queueMicrotask(() => one.dispatchEvent(new Event('load'))) },
  })
  vi.stubGlobal('fetch', () => {
    const signed = {
      appId: 'wx1',
      corpId: 'ww1',
      agentId: 1,
      suiteId: null,
      timestamp: 1,
      nonceStr: 'n',
      signature: 's',
    }
    return state.how === 'is silent' ? new Promise(() => undefined) : Promise.resolve(Response.json(signed))
  })
  const finds = {
    getCurrentPosition: (found: (at: object) => void, refused: (why: object) => void): void => {
      state.asked.push('locate')
      if (state.how === 'breaks') throw new TypeError('no geolocation')
      if (state.how === 'does') found({ coords: { latitude: 22.5, longitude: 113.9 } })
      const code = state.how === 'cancels' ? 1 : 2
      if (state.how !== 'does' && state.how !== 'is silent')
        refused({ code, PERMISSION_DENIED: 1, message: 'not found' })
    },
  }
  const sheet = (): Promise<void> => {
    state.asked.push('share')
    if (state.how === 'is silent') return new Promise(() => undefined)
    if (state.how === 'does') return Promise.resolve()
    return Promise.reject(state.how === 'cancels' ? new DOMException('closed', 'AbortError') : new TypeError('refused'))
  }
  vi.stubGlobal('navigator', { userAgent: agent, geolocation: finds, share: sheet, ...more })
}

const rigOf = (bridge: Bridge, state: { how: Answer; readonly asked: string[] }, place: object = {}): Rig => ({
  bridge,
  answer: (how) => {
    state.how = how
    wecom.how = how
  },
  asked: () => [...state.asked, ...wecom.asked],
  place: place as HTMLElement,
})

const safari = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1'
conformance(
  'browser',
  async () => {
    const state = { how: 'does' as Answer, asked: [] }
    stubWindow(safari, state)
    return rigOf(await openBridge(), state)
  },
  {
    signIn: 'open_in_wechat',
    pay: 'open_in_wechat',
    menu: 'client_only',
    notify: 'open_in_wechat',
    scan: 'client_only',
    close: 'client_only',
  },
)

conformance(
  'wecom',
  async () => {
    const state = { how: 'does' as Answer, asked: [] }
    wecom.asked.length = 0
    stubWindow(`${safari} MicroMessenger/7.0.1 wxwork/4.1.36`, state)
    return rigOf(await openBridge(), state)
  },
  { signIn: 'open_in_wechat', pay: 'open_in_wechat', notify: 'open_in_wechat' },
)

const weixin = `${safari} MicroMessenger/8.0.50`
const setting = { appid: 'wx1', jsSdkUrl: 'https://res.wx.qq.com/open/js/jweixin-1.6.0.js', clientScriptUrl: null }
conformance('wechat', openWechat, {})

let pages = 0
async function openWechat(): Promise<Rig> {
  const state = { how: 'does' as Answer, asked: [] as string[] }
  stubWindow(weixin, state)
  // Each rig is a page of its own: the bridge signs a page once.
  vi.stubGlobal('location', new URL(`https://fuli.example.com/shop/?${(pages += 1)}`))
  const said = (name: string): string =>
    `${name}:${state.how === 'does' ? 'ok' : state.how === 'cancels' ? 'cancel' : 'fail'}`
  vi.stubGlobal('WeixinJSBridge', {
    invoke: (_name: string, _order: object, answer: (result: object) => void) => {
      state.asked.push('pay')
      if (state.how === 'breaks') throw new TypeError('broken')
      if (state.how !== 'is silent') answer({ err_msg: said('get_brand_wcpay_request') })
    },
  })
  vi.stubGlobal('wx', sdkOf(state, said))
  return rigOf(await openBridge(setting), state, openTagOf(state))
}

function sdkOf(state: { how: Answer; readonly asked: string[] }, said: (name: string) => string): object {
  type Asked = { success: (result: object) => void; fail: (why: object) => void; cancel: () => void }
  const call =
    (name: string, value: object = {}) =>
    (asked: Asked): void => {
      state.asked.push(name)
      if (state.how === 'breaks') throw new TypeError('broken')
      if (state.how === 'does') asked.success({ ...value, errMsg: said(name) })
      if (state.how === 'cancels') asked.cancel()
      if (state.how === 'refuses') asked.fail({ errMsg: said(name) })
    }
  return {
    config: () => undefined,
    ready: (then: () => void) => {
      if (state.how !== 'is silent') then()
    },
    error: () => undefined,
    updateAppMessageShareData: call('share'),
    updateTimelineShareData: call('timeline'),
    showMenuItems: call('menu'),
    hideMenuItems: call('menu'),
    scanQRCode: call('scan', { resultStr: '6230' }),
    getLocation: call('locate', { latitude: '22.5', longitude: '113.9' }),
    closeWindow: call('close'),
  }
}

/** A place whose open tag is tapped as soon as it is there. */
const openTagOf = (state: { readonly how: Answer; readonly asked: string[] }): object => ({
  replaceChildren: (tag: EventTarget) => {
    state.asked.push('notify')
    if (state.how === 'breaks') throw new TypeError('broken')
    const subscribeDetails = JSON.stringify({ t1: JSON.stringify({ status: 'accept' }), t2: '{"status":"reject"}' })
    const tell = (name: string, detail: object): boolean => tag.dispatchEvent(new CustomEvent(name, { detail }))
    if (state.how === 'does') tell('success', { errMsg: 'subscribe:ok', subscribeDetails })
    if (state.how === 'cancels') tell('error', { errMsg: 'subscribe:cancel', errCode: 10005 })
    if (state.how === 'refuses') tell('error', { errMsg: 'subscribe:fail', errCode: 20004 })
  },
})

test('WeCom’s client is known before WeChat’s, whose name it carries too; the rest is a browser', () => {
  expect(channelOf(`${weixin} wxwork/4.1`)).toBe('wecom')
  expect(channelOf('Mozilla/5.0 (Windows NT 10.0) WXWork/4.1')).toBe('wecom')
  expect(channelOf(weixin)).toBe('wechat')
  expect(channelOf(safari)).toBe('browser')
})

test('outside WeChat the sandbox’s client stands in, where its script comes and does what it says', async () => {
  const state = { how: 'does' as Answer, asked: [] }
  stubWindow(safari, state)
  const sandbox = { ...setting, clientScriptUrl: 'http://127.0.0.1:8093/client.js' }
  expect((await openBridge(sandbox)).channel).toBe('browser')
  vi.stubGlobal('WeixinJSBridge', {})
  expect((await openBridge(sandbox)).channel).toBe('wechat')
  expect((await openBridge(setting)).channel).toBe('browser')
})

test('without a service account WeChat’s client can do nothing, and says so', async () => {
  const state = { how: 'does' as Answer, asked: [] }
  stubWindow(weixin, state)
  const bridge = await openBridge({ ...setting, appid: null })
  expect(new Set(Object.values(bridge.can))).toEqual(new Set(['no_account']))
  expect(await bridge.pay({} as never)).toEqual({ kind: 'unavailable', gap: 'no_account' })
})

test('in a mini program on an iPhone nothing is sold, and on every other phone it is', async () => {
  const state = { how: 'does' as Answer, asked: [] }
  stubWindow(`${weixin} miniProgram/wx1`, state)
  expect(maySell()).toBe(false)
  expect((await openBridge(setting)).can.pay).toBe('not_sold_here')
  stubWindow(weixin, state)
  expect(maySell()).toBe(true)
  vi.stubGlobal('__wxjs_environment', 'miniprogram')
  expect(maySell()).toBe(false)
  stubWindow('Mozilla/5.0 (Linux; Android 15) MicroMessenger/8.0 miniProgram/wx1', state)
  expect(maySell()).toBe(true)
})

test('of the notices that were asked for only those that the person said yes to count', async () => {
  const { bridge, place } = await openWechat()
  const over = new AbortController().signal
  expect(await bridge.notify(place, { templates: ['t1', 't2'], label: '提醒我', over })).toEqual({
    kind: 'done',
    value: ['t1'],
  })
})

test('where open tags are not supported nobody waits for a button, though the page is told before it asks', async () => {
  const { bridge } = await openWechat()
  document.dispatchEvent(new Event('WeixinOpenTagsError'))
  const untapped = { replaceChildren: () => undefined } as unknown as HTMLElement
  const over = new AbortController()
  const asked = bridge.notify(untapped, { templates: ['t1'], label: '提醒我', over: over.signal })
  setTimeout(() => over.abort(), 50)
  expect((await asked).kind).toBe('failed')
})

test('whatever a platform throws is an outcome', async () => {
  const thrown = [new Error('x'), { errMsg: 'a:cancel' }, { err_msg: 'b:fail' }, 'c', null, undefined, 7]
  const outcomes = await Promise.all(thrown.map((one) => outcomeOf(() => Promise.reject(one))))
  expect(outcomes.map((one) => one.kind)).toEqual([
    'failed',
    'cancelled',
    'failed',
    'failed',
    'failed',
    'failed',
    'failed',
  ])
})

test('pages have a sentence for every gap', () => {
  expect(Object.keys(zh).sort()).toEqual([...gaps].sort())
})

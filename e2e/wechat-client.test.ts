import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Koa, { type Context } from 'koa'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fen } from '../contract/fen.ts'
import { loadWorld, startSandbox, type RunningSandbox, type SandboxWorld } from '../sandbox/world.ts'
import { wechatAdapter } from '../server/channels/wechat/adapter.ts'
import type { WechatPort } from '../server/channels/wechat-port.ts'
import { wechatPayAdapter } from '../server/channels/wechatpay/adapter.ts'
import type { WechatPayPort } from '../server/channels/wechatpay-port.ts'
import { pagePolicy } from '../server/kernel/page-policy.ts'
import { chromiumPath, openBrowser, phoneSize, press, shows, SLOW, takePicture, watch } from './browser.ts'
import { answerPaySheet, holdPhone, openFromFriend, shareWith } from './buyer-phone.ts'

/** A page of a shop, as plain as can be: it says what WeChat's client answers. */
const PAGE = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>一张卡</title><h1>一张卡</h1><p id="config"></p><p id="preset"></p><p id="result"></p>
<button id="pay">立即购买</button><button id="scan">扫码</button>
<wx-open-subscribe template="SANDBOXTEMPLATEclaimed,SANDBOXTEMPLATEreturned"><script type="text/wxtag-template"><button>到时提醒我</button></script></wx-open-subscribe>
<script src="CLIENT"></script><script src="/shop/page.js"></script></html>`
const SCRIPT = `
const say = (id, text) => { document.getElementById(id).textContent = text }
const here = location.href.split('#')[0]
const link = location.origin + '/shop/gift'
document.getElementById('pay').onclick = async () => {
  const params = await (await fetch('/shop/params')).json()
  WeixinJSBridge.invoke('getBrandWCPayRequest', params, (answer) => say('result', answer.err_msg))
}
document.getElementById('scan').onclick = () => wx.scanQRCode({ needResult: 1, success: (found) => say('result', found.resultStr) })
const tag = document.querySelector('wx-open-subscribe')
tag.addEventListener('success', (event) => say('result', event.detail.subscribeDetails))
document.addEventListener('WeixinOpenTagsError', () => say('result', 'no open tags'))
fetch('/shop/config?url=' + encodeURIComponent(here)).then((answer) => answer.json()).then((config) => {
  wx.error((error) => say('config', error.errMsg))
  wx.ready(() => {
    say('config', 'ready')
    wx.updateAppMessageShareData({ title: '送你一张卡', desc: '点开领取', link, imgUrl: '', success: () => say('preset', 'preset') })
  })
  wx.config(config)
})`

describe.skipIf(chromiumPath === null)("WeChat's client in a plain browser", () => {
  const folder = mkdtempSync(join(tmpdir(), 'fulika-wechat-'))
  const server = createServer()
  const watched: string[][] = []
  let sandbox: RunningSandbox
  let world: SandboxWorld
  let wechat: WechatPort
  let pay: WechatPayPort
  let browser: Browser
  let base = ''
  /** Who the shop believes to be there, as the last code said. */
  let openid = ''
  let orderNo = ''
  const seen: string[] = []

  const ctl = async (path: string, body: object): Promise<void> => {
    const answer = await fetch(`${sandbox.wechatUrl}/__ctl/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(await answer.text())
  }
  const own = () => {
    const merchant = world.merchants[0]!
    return { mchid: merchant.mchid, appid: world.wechat.appid }
  }

  beforeAll(async () => {
    world = loadWorld(join(folder, 'sandbox.json'))
    sandbox = await startSandbox(world, { wecomPort: 0, payPort: 0, wechatPort: 0 })
    const now = Date.now
    const url = sandbox.wechatUrl
    wechat = wechatAdapter({ apiBase: url, oauthBase: url, account: world.wechat, now })
    pay = wechatPayAdapter({
      baseUrl: sandbox.payUrl,
      merchants: world.merchants.map((one) => ({ ...one, appid: world.wechat.appid })),
      platformKeys: { [world.platformKey.id]: world.platformKey.publicPem },
      notifyUrl: 'http://127.0.0.1:9/notify',
      now,
      random: randomBytes,
    })
    const app = new Koa()
    const script = `${sandbox.wechatUrl}/client.js`
    app.use(pagePolicy({ jsSdkUrl: script, clientScriptUrl: script }))
    app.use((ctx) => shop(ctx, script))
    const handle = app.callback()
    server.on('request', (request, response) => void handle(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await ctl('apps', { appid: world.wechat.appid, domains: [new URL(base).host], homeUrl: `${base}/shop/` })
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    server.closeAllConnections()
    server.close()
    await sandbox?.close()
    rmSync(folder, { recursive: true })
  })
  afterEach(() => {
    expect(watched.flat()).toEqual([])
  })

  async function shop(ctx: Context, script: string): Promise<void> {
    const code = typeof ctx.query['code'] === 'string' ? ctx.query['code'] : ''
    if (ctx.path === '/shop/') ctx.redirect(wechat.authoriseUrl('snsapi_base', `${base}/shop/back`, 'state1'))
    else if (ctx.path === '/shop/back') {
      seen.push(code)
      // The same code may come twice: whoever it named is there already.
      openid = await wechat.identityByCode(code).then(
        (found) => found.openid,
        () => openid,
      )
      ctx.redirect('/shop/card?from=menu')
    } else if (ctx.path === '/shop/page.js') {
      ctx.type = 'text/javascript'
      ctx.body = SCRIPT
    } else if (ctx.path === '/shop/config') ctx.body = await configOf(String(ctx.query['url']))
    else if (ctx.path === '/shop/params') ctx.body = await prepared()
    else {
      ctx.type = 'text/html'
      ctx.body = PAGE.replace('CLIENT', script)
    }
  }

  async function configOf(url: string): Promise<object> {
    const [ticket, timestamp, nonceStr] = [await wechat.jsTicket(), 1_767_578_400, 'n1']
    const text = `jsapi_ticket=${ticket}&noncestr=${nonceStr}&timestamp=${timestamp}&url=${url}`
    const signature = createHash('sha1')
      .update(url.includes('wrong') ? `${text}x` : text)
      .digest('hex')
    const jsApiList = ['updateAppMessageShareData', 'scanQRCode']
    return { appId: world.wechat.appid, timestamp, nonceStr, signature, jsApiList, openTagList: ['wx-open-subscribe'] }
  }

  async function prepared(): Promise<object> {
    orderNo = `T${randomBytes(10).toString('hex')}`
    const merchant = own()
    const body = pay.paymentBody({
      merchant,
      product: 'jsapi',
      openid,
      outTradeNo: orderNo,
      description: '节日礼品卡',
      total: fen(12_345),
      expireAtMs: Date.now() + 900_000,
      profitSharing: false,
    })
    const credential = await pay.prepare(merchant, 'jsapi', body)
    if (credential.kind !== 'jsapi') throw new Error('a prepay id')
    return pay.jsapiParameters(merchant, credential.prepayId)
  }

  async function openPhone(personId: string): Promise<Page> {
    const context = await browser.newContext({ locale: 'zh-CN', reducedMotion: 'reduce', viewport: phoneSize })
    const page = await context.newPage()
    page.setDefaultTimeout(SLOW.timeout)
    watched.push(watch(page, [base, sandbox.wechatUrl]))
    await holdPhone(page, sandbox.wechatUrl, personId)
    return page
  }
  const stateOf = async () => (await pay.query(own(), orderNo))?.state

  test('from the menu of the account into the shop without a question, and one tap pays as whoever holds the phone', async () => {
    const page = await openPhone('chenyu')
    await takePicture(page, 'buyer-phone')
    await page.getByRole('link', { name: '福利卡商城' }).click(SLOW)
    // The fragment of the authorise address outlives the redirects, as it does in WeChat.
    await page.waitForURL(`${base}/shop/card*#wechat_redirect`, SLOW)
    await shows(page, 'ready')
    await press(page, '立即购买')
    const sheet = page.getByRole('dialog', { name: '微信支付' })
    await shows(sheet, '¥123.45')
    await shows(sheet, '节日礼品卡')
    await takePicture(page, 'pay-sheet', false)
    await answerPaySheet(page)
    await shows(page, 'get_brand_wcpay_request:ok')
    const trade = await pay.query(own(), orderNo)
    expect([trade?.state, trade?.openid]).toEqual(['SUCCESS', openid])
  })

  test('a code that WeChat brings twice leads in all the same, and a stranger is asked whose phone it is', async () => {
    await ctl('faults', { kind: 'double_redirect' })
    // Not watched: the browser keeps what the first answer held from the page that asked, and says so.
    const page = await (await browser.newContext({ viewport: phoneSize })).newPage()
    await holdPhone(page, sandbox.wechatUrl, 'liuyang')
    seen.length = 0
    await page.goto(`${base}/shop/`)
    await shows(page, 'ready')
    expect([seen.length, new Set(seen).size]).toEqual([2, 1])
    const stranger = await (await browser.newContext({ viewport: phoneSize })).newPage()
    watched.push(watch(stranger, [base, sandbox.wechatUrl]))
    await stranger.goto(`${base}/shop/`)
    await takePicture(stranger, 'authorise')
    await stranger.getByRole('link', { name: '刘洋' }).click(SLOW)
    await stranger.waitForURL(`${base}/shop/card*`, SLOW)
    const another = await (await browser.newContext({ viewport: phoneSize })).newPage()
    const url = wechat.authoriseUrl('snsapi_base', `${base}/shop/back`, 's')
    await another.goto(url.replace('#wechat_redirect', ''))
    await shows(another, '链接缺少 #wechat_redirect')
  })

  test('who leaves the sheet has not paid, and what the page is told may be a lie', async () => {
    const page = await openPhone('chenyu')
    await page.goto(`${base}/shop/`)
    await shows(page, 'ready')
    await press(page, '立即购买')
    await answerPaySheet(page, '取消')
    await shows(page, 'get_brand_wcpay_request:cancel')
    expect(await stateOf()).toBe('NOTPAY')
    await ctl('faults', { kind: 'pay_says_cancel' })
    await press(page, '立即购买')
    await answerPaySheet(page)
    await expect.poll(stateOf).toBe('SUCCESS')
    expect(await page.locator('#result').textContent()).toBe('get_brand_wcpay_request:cancel')
  })

  test('nobody pays an order of another', async () => {
    const page = await openPhone('wangfang')
    await page.goto(`${base}/shop/`)
    await shows(page, 'ready')
    openid = 'oSomebodyElse'
    await press(page, '立即购买')
    await shows(page.getByRole('dialog'), '当前微信用户不是下单的付款人')
    await press(page.getByRole('dialog'), '关闭')
    await shows(page, 'get_brand_wcpay_request:fail')
    expect(await stateOf()).toBe('NOTPAY')
  })

  test('a page signed wrongly is told so, and may not preset what is shared', async () => {
    const page = await openPhone('chenyu')
    await page.goto(`${base}/shop/card?wrong=1`)
    await shows(page, 'config:invalid signature')
    await press(page, '微信菜单')
    await shows(page.getByRole('dialog'), '一张卡')
    await press(page.getByRole('dialog'), '取消')
    expect(await page.locator('#preset').textContent()).toBe('')
  })

  test('what a page presets goes to a friend by the menu, who opens it as themselves', async () => {
    const page = await openPhone('chenyu')
    await page.goto(`${base}/shop/card`)
    await shows(page, 'preset')
    await shareWith(page, '李娜')
    const friend = await openPhone('lina')
    await friend.goto(`${sandbox.wechatUrl}/phone/lina/with/chenyu`)
    await shows(friend, '送你一张卡')
    await takePicture(friend, 'buyer-chat')
    await openFromFriend(friend, sandbox.wechatUrl, 'lina', 'chenyu')
    await friend.waitForURL(`${base}/shop/gift`, SLOW)
  })

  test('a button of the page asks which messages may come, and each yes is one', async () => {
    const page = await openPhone('zhaolei')
    await page.goto(`${base}/shop/`)
    await shows(page, 'ready')
    await press(page, '到时提醒我')
    const popup = page.getByRole('dialog', { name: '申请发送消息' })
    await popup.getByLabel('礼品卡已退回').uncheck(SLOW)
    await takePicture(page, 'subscribe-popup', false)
    await press(popup, '允许')
    await expect
      .poll(() => page.locator('#result').textContent())
      .toBe(
        '{"SANDBOXTEMPLATEclaimed":"{\\"status\\":\\"accept\\"}","SANDBOXTEMPLATEreturned":"{\\"status\\":\\"reject\\"}"}',
      )
    const send = (templateId: string) =>
      wechat.sendSubscription({
        openid,
        templateId,
        page: `${base}/shop/gift`,
        data: { thing1: '节日礼品卡', amount2: '¥100.00', time3: '2026年1月5日 10:00', thing4: '已被领取' },
      })
    await send('SANDBOXTEMPLATEclaimed')
    await expect(send('SANDBOXTEMPLATEreturned')).rejects.toMatchObject({ code: '43101' })
    await page.goto(`${sandbox.wechatUrl}/phone/zhaolei/notices`)
    await takePicture(page, 'buyer-notices')
    await page.getByRole('link', { name: '礼品卡已被领取' }).click(SLOW)
    await page.waitForURL(`${base}/shop/gift`, SLOW)
    // Until then the page may still take what the next test arranges for the next page that is opened.
    await shows(page, 'ready')
  })

  test('where open tags are not supported the page is told, and scanning is typed in', async () => {
    await ctl('faults', { kind: 'tags_unsupported' })
    const page = await openPhone('sunmei')
    await page.goto(`${base}/shop/card`)
    await shows(page, 'no open tags')
    await shows(page, 'ready')
    await press(page, '扫码')
    await page.getByLabel('扫到的内容').fill('CODE_128,123', SLOW)
    await press(page, '确定')
    await shows(page, 'CODE_128,123')
  })
})

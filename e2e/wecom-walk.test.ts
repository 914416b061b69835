import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Progress } from '../contract/hr/delivery.ts'
import {
  chromiumPath,
  desktopSize,
  fill,
  follow,
  openBrowser,
  phoneSize,
  press,
  shows,
  signInAt,
  SLOW,
  takePicture,
  watch,
} from './browser.ts'
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { Visitor } from './visitor.ts'
import * as world from './wecom-world.ts'
import { awaitText, factOf, market, plant, staff } from './wecom-world.ts'

const wechat = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile MicroMessenger/8.0'
const aDesk = { viewport: desktopSize }
const aPhone = { viewport: phoneSize, isMobile: true, hasTouch: true, userAgent: `${wechat} wxwork/4.1` }
const aWechat = { ...aPhone, userAgent: wechat }

// Every path by which a company joins and a card reaches a person, as people go it: in Chromium, on our pages and WeCom's.
describe.skipIf(chromiumPath === null).each(dialectsHere())('the walk through WeCom (%s)', (dialect) => {
  let stage: OpenStage
  let browser: Browser
  const notes: string[] = []
  const watched: string[][] = []
  const at = {} as { admin: Page; admins: Page; hr: Page; worker: Page; campaign: string }

  const open = async (how: BrowserContextOptions): Promise<Page> => {
    const page = await (await browser.newContext({ locale: 'zh-CN', reducedMotion: 'reduce', ...how })).newPage()
    watched.push(watch(page, [stage.serverUrl, stage.wecomUrl, stage.payUrl]))
    return page
  }
  /** Notes what does not fit the screen, and takes a picture of it. */
  const look = async (page: Page, name: string): Promise<void> => {
    const [wide, room] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    )
    if (wide > room) notes.push(`${name} scrolls sideways: ${wide} > ${room}`)
    if (dialect === 'sqlite') await takePicture(page, `wecom-walk-${name}`)
  }
  /** The WeCom of a member of the demo company, in the chat with our app. */
  const phoneOf = async (name: string): Promise<Page> => {
    const phone = await open(aPhone)
    await phone.goto(`${stage.wecomUrl}/phone/${stage.corp.corpId}`)
    await fill(phone, '搜索成员', name)
    await press(phone, '搜索')
    await follow(phone, new RegExp(name))
    await phone.locator('.chats .people a').first().click(SLOW)
    return phone
  }
  const connection = async (): Promise<void> => {
    await at.admin.goto(`${stage.serverUrl}/console/settings`)
    await follow(at.admin, '管理企业微信连接')
    await at.admin.waitForURL(`${stage.serverUrl}/console/wecom`, SLOW)
  }
  const check = async (): Promise<void> => {
    await press(at.admin, '检查连接')
    await shows(at.admin, '正在检查')
    await at.admin.getByText('正在检查').waitFor({ state: 'detached', ...SLOW })
  }
  const good = () => at.admin.locator('li.ok')
  const deliveryOf = async () =>
    (await (await step.memberOf(stage, 'linxiao')).call<Progress>(`/hr/campaigns/${at.campaign}/progress`)).delivery

  beforeAll(async () => {
    browser = await openBrowser()
    stage = await openStage(dialect)
    await world.makeCompanies(stage)
    at.admin = await open(aDesk)
    at.admins = await open(aDesk)
    at.hr = await open(aDesk)
    await signInAt(at.hr, stage.serverUrl, 'linxiao')
    at.campaign = await world.makeCampaign(stage)
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await stage.close()
  })

  describe('1 connect a self-built company', () => {
    const facts = { corpId: '', agentId: '', secret: '', contactSecret: '' }

    test('the first administrator comes in by a link of the platform, and by no second use of it', async () => {
      const operator = await open(aDesk)
      const link = await world.makeFirstSignIn(stage, operator)
      await shows(operator, '24 小时内有效，只能用一次')
      await look(operator, 'first-sign-in-link')
      await at.admin.goto(link)
      await at.admin.waitForURL(`${stage.serverUrl}/console/wecom`, SLOW)
      await shows(at.admin, '秦岚')
      const second = await open(aDesk)
      await second.goto(link)
      await shows(second, '首次登录链接已失效')
      expect(second.url()).toBe(`${stage.serverUrl}/console/first-sign-in`)
      await look(second, 'first-sign-in-spent')
      await operator.context().close()
      await second.context().close()
    })

    test("what WeCom's console shows of the app is noted, and our host is trusted there", async () => {
      const page = at.admins
      await page.goto(`${stage.wecomUrl}/admin`)
      await follow(page, plant.name)
      await press(page, '开启通讯录同步')
      facts.contactSecret = await factOf(page, 'Secret')
      await page.locator('td a').first().click()
      facts.corpId = await factOf(page, 'corpid')
      facts.agentId = await factOf(page, 'agentid')
      facts.secret = await factOf(page, 'Secret')
      await fill(page, '可信域名', new URL(stage.serverUrl).host)
      await press(page, '保存可信名单')
      await shows(page, '可信域名和可信 IP 已保存')
      await look(page, 'admin-app')
    })

    test('a wrong secret is told in words, and not tried a second time', async () => {
      await connection()
      await press(at.admin, '填写自建应用')
      await fill(at.admin, '企业 ID', facts.corpId)
      await fill(at.admin, /^AgentId/, facts.agentId)
      await fill(at.admin, /^Secret/, 'SANDBOXwrong')
      await fill(at.admin, /^通讯录同步 Secret/, facts.contactSecret)
      await fill(at.admin, /^账号数上限/, '300')
      await look(at.admin, 'connect-form')
      await press(at.admin, '保存凭证')
      await shows(at.admin, '企业微信不接受这个企业 ID 和 Secret')
      await look(at.admin, 'connect-wrong')
      const tokens = async () =>
        (await step.control<{ gettoken: number }>(`${stage.wecomUrl}/__ctl/stats/${plant.corpId}`)).gettoken
      const before = await tokens()
      await press(at.admin, '保存凭证')
      await shows(at.admin, '企业微信不接受这个企业 ID 和 Secret')
      await at.admin.waitForLoadState('networkidle')
      expect(await tokens()).toBe(before)
    })

    test('with the right one WeCom verifies our address, and all but the sign-in is green', async () => {
      await fill(at.admin, /^Secret/, facts.secret)
      await press(at.admin, '保存凭证')
      await press(at.admin, '生成 Token 和 EncodingAESKey')
      await shows(at.admin, '只显示这一次')
      await follow(at.admins, '设置')
      await fill(at.admins, 'URL', await factOf(at.admin, '接收消息服务器 URL'))
      await fill(at.admins, 'Token', await factOf(at.admin, 'Token'))
      await fill(at.admins, 'EncodingAESKey', await factOf(at.admin, 'EncodingAESKey'))
      await press(at.admins, '验证并保存')
      await shows(at.admins, '验证通过，回调地址已保存')
      await check()
      await shows(at.admin, '已连接')
      await expect.poll(() => good().count(), SLOW).toBe(7)
      await look(at.admin, 'connect-right')
    })

    test('signing in by WeCom proves the trusted domain', async () => {
      await press(at.admin, '登录测试')
      await follow(at.admin, /秦岚/)
      await at.admin.waitForURL(`${stage.serverUrl}/console/wecom`, SLOW)
      await check()
      await expect.poll(() => good().count(), SLOW).toBe(8)
    })
  })

  describe('2 install the suite', () => {
    const signIn = async (page: Page, code: string, company: string, person: RegExp): Promise<void> => {
      await page.goto(`${stage.serverUrl}/console/sign-in`)
      await fill(page, /公司代号/, code)
      await press(page, '用企业微信登录')
      await page.waitForURL(`${stage.wecomUrl}/**`, SLOW)
      const choice = page.getByRole('link', { name: company })
      await choice
        .or(page.getByRole('link', { name: person }))
        .first()
        .waitFor(SLOW)
      if ((await choice.count()) > 0) await choice.first().click()
      await follow(page, person)
      await page.waitForURL(`${stage.serverUrl}/console/**`, SLOW)
    }
    const row = (suite: string, company: string) =>
      at.admins.locator('section', { hasText: suite }).first().locator('tr', { hasText: company })

    test('from the console: WeCom asks, and back here the range is shown', async () => {
      await press(at.admin, '安装到企业微信')
      await at.admin.getByLabel(new RegExp(plant.name)).check(SLOW)
      await look(at.admin, 'install')
      await press(at.admin, '确认授权')
      await shows(at.admin, '安装完成，企业微信已连接')
      await shows(at.admin, '第三方应用')
      expect(await factOf(at.admin, '可见范围')).toMatch(/\d+ 个部门/)
      await look(at.admin, 'installed')
    })

    test('from the market: a company unknown to us is there, and its administrator signs in', async () => {
      await at.admins.goto(`${stage.wecomUrl}/suites`)
      await look(at.admins, 'suites')
      await row('第三方应用', market.name).getByRole('button', { name: '从市场安装' }).click()
      await shows(at.admins, '企业已从应用市场安装')
      const operator = await open(aDesk)
      await operator.goto(`${stage.serverUrl}/ops/sign-in`)
      await operator.locator('input').first().fill(stage.operatorKey)
      await press(operator, '登录')
      await operator.waitForURL(`${stage.serverUrl}/ops/`, SLOW)
      await awaitText(operator, market.name)
      const code = (await operator.locator('td.name', { hasText: market.name }).locator('small').innerText())
        .split(' · ')
        .at(0)
      const boss = await open(aDesk)
      await signIn(boss, code ?? '', market.name, /马老板/)
      await boss.goto(`${stage.serverUrl}/console/wecom`)
      await shows(boss, '已连接')
      await look(boss, 'from-market')
    })

    test('the console’s people sign in by the ids of the new app', async () => {
      const mate = await open(aDesk)
      await signIn(mate, plant.code, plant.name, /何平/)
      await shows(mate, '何平')
    })

    test('withdrawn in WeCom, the connection is gone here and nothing is sent any more', async () => {
      const [admin, mate] = await Promise.all(['plant1', 'plant2'].map((userid) => suiteVisitor(userid)))
      const { campaign, orderId } = await world.makeOrder(admin!, mate!)
      await at.admins.reload()
      await row('第三方应用', plant.name).getByRole('button', { name: '取消授权' }).click()
      await shows(at.admins, '企业已取消授权')
      await connection()
      await awaitText(at.admin, '授权已取消')
      await look(at.admin, 'cancelled')
      await world.pay(stage, admin!, orderId)
      expect((await step.waitDelivered(admin!, campaign)).delivery).toMatchObject({ sent: 0, failed: 1 })
      await at.admin.goto(`${stage.serverUrl}/console/campaigns/${campaign}`)
      await shows(at.admin, '应用未连接')
      await look(at.admin, 'not-sent')
      expect(await step.control(`${stage.wecomUrl}/__ctl/inbox/${plant.corpId}/plant3`)).toEqual([])
    })

    const suiteVisitor = async (userid: string): Promise<Visitor> => {
      const visitor = new Visitor(stage.serverUrl)
      await visitor.signIn('hr', plant.code, userid, plant.corpId)
      return visitor
    }
  })

  describe('3 approve in WeCom', () => {
    test('HR submits; the approver agrees on the phone; both approvers’ cards say who', async () => {
      await at.hr.goto(`${stage.serverUrl}/console/campaigns/${at.campaign}`)
      await press(at.hr, '提交审批')
      await shows(at.hr, '待审批')
      const [first, second] = [await phoneOf('周敏'), await phoneOf('管理员')]
      await shows(second, '福利活动待您审批')
      await shows(first, '福利活动待您审批')
      await look(first, 'approval-asked')
      await follow(second, '查看')
      await shows(second, '同意发放')
      await look(second, 'approval-page')
      await second.goBack()
      await press(first, '同意')
      for (const phone of [first, second]) await shows(phone, '已由 周敏 同意')
      await look(second, 'approval-answered')
      await awaitText(at.hr, '去付款')
      await look(at.hr, 'approved')
    })

    test('paid, the cards are made and their messages sent; two find nobody', async () => {
      const finance = await step.memberOf(stage, 'chenli')
      const hr = await step.memberOf(stage, 'linxiao')
      const { orderId } = await hr.call<{ orderId: string }>(`/hr/campaigns/${at.campaign}`)
      await world.pay(stage, finance, orderId)
      const { delivery } = await step.waitDelivered(hr, at.campaign)
      expect(delivery).toMatchObject({ sent: 2, failed: 2 })
    })
  })

  describe('4 a worker claims by QR', () => {
    test('HR makes the QR at a site and prints its poster', async () => {
      await at.hr.goto(`${stage.serverUrl}/console/campaigns/${at.campaign}`)
      await follow(at.hr, '无企业账号的人')
      await press(at.hr, '新建二维码')
      await fill(at.hr, '贴在哪里', '三号工地')
      await at.hr.getByText('先加接待成员为好友').click()
      await at.hr.getByRole('textbox', { name: '接待成员' }).fill('linxiao', SLOW)
      await at.hr.locator('.t-select-option', { hasText: 'linxiao' }).first().click(SLOW)
      await at.hr.locator('.t-dialog__header').click()
      await look(at.hr, 'qr-new')
      await at.hr.locator('.t-dialog').getByRole('button', { name: '新建二维码' }).click(SLOW)
      await shows(at.hr, '使用中')
      await press(at.hr, '下载海报')
      await at.hr.getByAltText('海报预览').waitFor(SLOW)
      await look(at.hr, 'poster')
      await at.hr.keyboard.press('Escape')
    })

    test('a worker scans it, is greeted, and proves the mobile with the code of an SMS', async () => {
      at.worker = await open(aWechat)
      await at.worker.goto(`${stage.wecomUrl}/worker`)
      await fill(at.worker, '姓名', staff.outside.name)
      await fill(at.worker, '手机号', staff.outside.mobile)
      await press(at.worker, '添加一部手机')
      const home = at.worker.url()
      await follow(at.worker, /扫一扫/)
      await press(at.worker, /三号工地/)
      await shows(at.worker, '领取中秋礼遇')
      await look(at.worker, 'welcome')
      await follow(at.worker, /打开链接/)
      await fill(at.worker, '手机号', '13911111111')
      await press(at.worker, '获取验证码')
      await fill(at.worker, '验证码', '000000')
      await shows(at.worker, '没有通过：请核对手机号')
      await look(at.worker, 'claim-refused')
      await fill(at.worker, '手机号', staff.outside.mobile)
      await press(at.worker, '获取验证码')
      await shows(at.worker, '验证码已发出')
      const sms = await at.worker.context().newPage()
      await sms.goto(`${home}/texts`)
      await awaitText(sms, /\d{6}.*验证码|验证码.*\d{6}/)
      await look(sms, 'sms')
      const code = /\d{6}/.exec((await sms.locator('.said p').allInnerTexts()).at(-1) ?? '')?.[0] ?? ''
      await sms.close()
      await fill(at.worker, '验证码', code)
      await shows(at.worker, /¥\s*200/)
      await look(at.worker, 'claimed-card')
    })

    test('HR sees who has claimed', async () => {
      await at.hr.goto(`${stage.serverUrl}/console/campaigns/${at.campaign}`)
      await at.hr.locator('tr', { hasText: staff.outside.name }).getByText('已领取').waitFor(SLOW)
      await look(at.hr, 'claimed')
    })
  })

  describe('5 HR fixes a failed head and resends', () => {
    test('another account is filled in, and the message arrives there', async () => {
      await press(at.hr, '看名单')
      await at.hr
        .locator('tr', { hasText: staff.mistaken.name })
        .getByRole('button', { name: '改正并重发' })
        .click(SLOW)
      await at.hr.locator('.t-dialog').getByLabel('企业微信账号').fill(staff.mistaken.userid, SLOW)
      await look(at.hr, 'correct')
      await at.hr.locator('.t-dialog').getByRole('button', { name: '改正并重发' }).click(SLOW)
      await shows(at.hr, '已改正，正在重发')
      await expect.poll(async () => (await deliveryOf()).failed, SLOW).toBe(0)
      const phone = await phoneOf(staff.mistaken.name)
      await phone.locator('a[href*="/open"]').first().click()
      await phone.waitForURL(/\/pack\//, SLOW)
      await look(phone, 'opening')
      await press(phone, '打开')
      await shows(phone, /¥\s*200/)
    })

    test('on the phone of the account that was wrong the same link shows no card', async () => {
      const phone = await open(aPhone)
      const { corpId } = stage.corp
      const inbox = `${stage.wecomUrl}/__ctl/inbox/${corpId}/${staff.mistaken.userid}`
      const [received] = await step.control<{ message: { url: string } }[]>(inbox)
      await phone.goto(received?.message.url ?? '')
      await fill(phone, '搜索成员', '陈外')
      await press(phone, '搜索')
      await follow(phone, /陈外/)
      await shows(phone, '没能打开卡包')
      await phone.getByRole('link', { name: '用手机号核对' }).waitFor(SLOW)
      await look(phone, 'former-account')
      expect(await phone.getByText(/¥\s*200/).count()).toBe(0)
    })
  })

  describe('6 a member leaves', () => {
    test('the directory shows it, and the card that nobody opened is frozen', async () => {
      await at.hr.goto(`${stage.serverUrl}/console/directory`)
      await press(at.hr, '同步通讯录')
      await shows(at.hr, '已同步')
      await at.admins.goto(`${stage.wecomUrl}/admin/${stage.corp.corpId}/members?q=${staff.leaver.userid}`)
      await follow(at.admins, new RegExp(staff.leaver.name))
      await press(at.admins, '删除成员')
      await shows(at.admins, '已离开企业')
      await awaitText(at.hr, /离职\s*1/)
      await at.hr.locator('label', { hasText: '离职' }).first().click()
      await at.hr.getByText('全选本页').click(SLOW)
      await look(at.hr, 'left')
      await press(at.hr, '收回未打开的卡')
      await shows(at.hr, '冻结没人打开的卡')
      await look(at.hr, 'take-back')
      await press(at.hr, '收回这些卡')
      await shows(at.hr, /冻结 1 张卡/)
    })
  })

  test('the books are proved, and no page failed, called elsewhere or scrolled sideways', async () => {
    const proof = await step.proveBooks(await step.operatorOf(stage))
    expect(proof).toMatchObject({ balanced: true, findings: [] })
    expect([...notes, ...watched.flat()]).toEqual([])
  })
})

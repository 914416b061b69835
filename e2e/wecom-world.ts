import type { Page } from 'playwright-core'
import { PlatformFile } from '../contract/operator/platform-file.ts'
import { applyPlatform } from '../server/apply-platform.ts'
import { SLOW } from './browser.ts'
import type { OpenStage } from './stage.ts'
import * as step from './steps.ts'
import type { Visitor } from './visitor.ts'

const YUAN = 100

/** A company that is in WeCom and at ours, and that nobody has connected. */
export const plant = { code: 'changling', name: '长岭机械', corpId: 'wwchangling', agentId: 1_000_021 }
/** A company that is in WeCom only: we have never heard of it. */
export const market = { name: '远山物流', corpId: 'wwyuanshan', agentId: 1_000_031 }
/** Who gets the demo company's cards: one is in order, one leaves, one has somebody else's account, one has none. */
export const staff = {
  happy: { name: '张伟', userid: 'zhangwei' },
  leaver: { name: '李娜', userid: 'lina' },
  mistaken: { name: '王强', userid: 'wangqiang', listedAs: 'chenwai' },
  outside: { name: '赵铁柱', mobile: '13900000001' },
} as const

const edgeOf = (stage: OpenStage) => stage.running.open.edgeFor({ kind: 'system', name: 'test' })

/** Founds both companies in the sandbox's WeCom, and writes the first one down with us, without a connection. */
export async function makeCompanies(stage: OpenStage): Promise<void> {
  const people = (names: readonly string[], prefix: string) =>
    names.map((name, index) => ({ name, userid: `${prefix}${index + 1}`, mobile: null }))
  const found = ({ corpId, agentId, name }: typeof market, members: readonly object[]) =>
    step.control(`${stage.wecomUrl}/__ctl/corps`, {
      corpId,
      agentId,
      name,
      members,
      secret: `SANDBOX${corpId}secret`,
      accountLimit: 300,
      trustedDomains: [],
    })
  const { code, name, corpId, agentId } = plant
  await found({ corpId, agentId, name }, people(['秦岚', '何平', '工友甲'], 'plant'))
  await found(market, people(['马老板', '司机乙'], 'truck'))
  const members = ['秦岚', '何平'].map((name, index) => ({ name, userid: `plant${index + 1}`, roles: ['admin'] }))
  const companies = [{ code, name, paymentRoute: 'non_cash', members }]
  await applyPlatform(edgeOf(stage), PlatformFile.parse({ companies }), false)
}

/** The link for the first sign-in of the company that is not connected, as an operator makes it in our console. */
export async function makeFirstSignIn(stage: OpenStage, operator: Page): Promise<string> {
  await operator.goto(`${stage.serverUrl}/ops/sign-in`)
  await operator.locator('input').first().fill(stage.operatorKey)
  await operator.getByRole('button', { name: '登录' }).first().click(SLOW)
  await operator.getByRole('button', { name: `首次登录链接 ${plant.name}` }).click(SLOW)
  return operator.getByLabel('首次登录链接', { exact: true }).inputValue(SLOW)
}

/** The demo company's people in WeCom, their list with us, and a campaign that HR has drafted for them. */
export async function makeCampaign(stage: OpenStage): Promise<string> {
  const { happy, leaver, mistaken, outside } = staff
  const wrong = { userid: mistaken.listedAs, name: '陈外', mobile: null, visible: false }
  const right = [happy, leaver, mistaken].map(({ userid, name }) => ({ userid, name, mobile: null }))
  await step.fillDirectory(stage, [...right, wrong])
  const hr = await step.memberOf(stage, 'linxiao')
  const list = [
    '姓名,手机号,企业微信账号',
    `${happy.name},,${happy.userid}`,
    `${leaver.name},,${leaver.userid}`,
    `${mistaken.name},,${mistaken.listedAs}`,
    `${outside.name},${outside.mobile},`,
  ]
  return step.draftCampaign(hr, { rosterId: await useRoster(hr, list), title: '中秋礼遇', ...each(200) })
}

/** A campaign for one person whose order waits for its money. */
export async function makeOrder(admin: Visitor, approver: Visitor): Promise<{ campaign: string; orderId: string }> {
  const rosterId = await useRoster(admin, ['姓名,企业微信账号', '工友甲,plant3'])
  const campaign = await step.draftCampaign(admin, { rosterId, title: '入职周年', ...each(100) })
  return { campaign, orderId: (await step.submitAndApprove(admin, approver, campaign)).orderId }
}

const each = (yuan: number) => ({ amountFrom: 'same', faceFen: yuan * YUAN }) as const

async function useRoster(hr: Visitor, lines: readonly string[]): Promise<string> {
  const roster = await step.uploadRoster(hr, 'staff.csv', Buffer.from(lines.join('\n')))
  await step.waitRoster(hr, roster, ['ready'])
  await step.applyRoster(hr, roster)
  return roster
}

/** The company pays an order from its balance, which it fills by a bank transfer before. */
export async function pay(stage: OpenStage, payer: Visitor, orderId: string): Promise<void> {
  const { totalFen } = await step.readOrder(payer, orderId)
  await step.transfer(stage, (await step.readWallet(payer)).reference, totalFen)
  await step.importStatement(stage, await step.operatorOf(stage))
  await step.openPayment(payer, orderId, 'wallet', totalFen)
}

/** What a page says under a name, in a list of names and values of the sandbox or of ours. */
export const factOf = (page: Page, name: string): Promise<string> =>
  page
    .locator(`dt:text-is("${name}") + dd`)
    .first()
    .innerText(SLOW)
    .then((text) => text.trim().split('\n')[0] ?? '')

/**
 * Loads a page again and again until it shows a text, each time with twice the patience, for a page takes longer on a
 * busy machine; what it showed instead is told.
 */
export async function awaitText(page: Page, text: string | RegExp): Promise<void> {
  const wanted = page.getByText(text).first()
  for (let timeout = 500; ; timeout *= 2) {
    await wanted.waitFor({ timeout }).catch(() => undefined)
    if (await wanted.isVisible()) return
    const shown = await page.locator('body').innerText()
    if (timeout > SLOW.timeout) throw new Error(`never shown: ${String(text)}, but at ${page.url()}: ${shown}`)
    await page.reload()
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import type { Claimed } from '../contract/employee/claim.ts'
import type { OutsideView } from '../contract/hr/contact.ts'
import type { Recipients } from '../contract/hr/delivery.ts'
import { checkPoints } from '../contract/hr/wecom.ts'
import { PlatformFile } from '../contract/operator/platform-file.ts'
import type { Companies } from '../contract/operator/platform.ts'
import { applyPlatform } from '../server/apply-platform.ts'
import type { OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { Visitor } from './visitor.ts'

const YUAN = 100
const LIMIT_MS = 20_000
/** A company that came from the market by itself, and one whose secret was reset in WeCom after it was connected. */
const market = { name: '远山智慧物流供应链（上海）有限公司', corpId: 'wwyuanshan', agentId: 1_000_031 }
const reset = { code: 'reset', name: '重山建工', corpId: 'wwchongshan', agentId: 1_000_041, secret: 'SANDBOXreset' }
/** Accounts of a company that may send 200 messages a day, for more people than that. */
const SCARCE_PEOPLE = 206

/** What the pages about WeCom are looked at with. */
export interface WecomPages {
  /** Half reached by messages, half by QR codes; recalled since. */
  readonly field: string
  /** Number in the address of a personal link. */
  readonly link: string
  /** Where the day's messages are used up. */
  readonly scarce: string
  /** The company code of the one that installed our app in the market. */
  readonly marketCode: string
  /** Takes the secret of a connected company away; its members must have signed in before. */
  breakConnection(): Promise<void>
}

/** Companies in each state of their connection, and a campaign that reaches people without an account. */
export async function makeWecomPages(stage: OpenStage, hr: Visitor, approver: Visitor): Promise<WecomPages> {
  const admin = await step.memberOf(stage, 'admin')
  for (const point of checkPoints) await admin.call(`/hr/wecom/checks/${point}`, { json: {} })
  await makeReset(stage)
  const marketCode = await makeMarket(stage)
  const field = await makeField(stage, hr, approver)
  const { people } = await hr.call<z.output<typeof Recipients>>(`/hr/campaigns/${field}/people?limit=50`)
  const unreached = people.find((one) => one.state === 'failed' && one.phone !== null)
  const link = await hr.call<{ url: string }>(`/hr/deliveries/${unreached?.deliveryId}/claim-link`, { json: {} })
  return {
    field,
    link: link.url.split('/').at(-1) ?? '',
    scarce: await makeScarce(stage),
    marketCode,
    breakConnection: async () => {
      const boss = await step.memberOf(stage, 'boss', reset.code)
      const { corpId, agentId } = reset
      await step.control(`${stage.wecomUrl}/__ctl/apps`, { corpId, agentId, secret: 'SANDBOXanother' })
      await step.control(`${stage.wecomUrl}/__ctl/expire-tokens`, {})
      await boss.call('/hr/wecom/checks/credential', { json: {} })
      await boss.call('/hr/wecom/checks/visible', { json: {} })
    },
  }
}

const edgeOf = (stage: OpenStage) => stage.running.open.edgeFor({ kind: 'system', name: 'test' })

async function until<T>(what: string, ask: () => Promise<T | null | undefined | false>): Promise<T> {
  for (const end = Date.now() + LIMIT_MS; ; await sleep(50)) {
    const answer = await ask()
    if (answer !== null && answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`never there: ${what}`)
  }
}

async function makeReset(stage: OpenStage): Promise<void> {
  const { code, name, ...wecom } = reset
  const boss = { userid: 'boss', name: '孟川' }
  await step.fillDirectory({ ...stage, corp: wecom }, [{ ...boss, mobile: null }])
  const companies = [{ code, name, paymentRoute: 'non_cash', wecom, members: [{ ...boss, roles: ['admin'] }] }]
  await applyPlatform(edgeOf(stage), PlatformFile.parse({ companies }), false)
}

async function makeMarket(stage: OpenStage): Promise<string> {
  const members = ['马国强', '李司机', '王司机'].map((name, index) => ({
    userid: `truck${index + 1}`,
    name,
    mobile: null,
  }))
  const corp = { ...market, secret: 'SANDBOXmarket', trustedDomains: [], accountLimit: 300, members }
  await step.control(`${stage.wecomUrl}/__ctl/corps`, corp)
  const suites = await fetch(`${stage.wecomUrl}/suites`).then((answer) => answer.text())
  const [, suiteId = ''] = /name="suiteId" value="([^"]+)"/.exec(suites) ?? []
  const body = new URLSearchParams({ suiteId, corpId: market.corpId })
  await fetch(`${stage.wecomUrl}/suites/install`, { method: 'POST', body, redirect: 'manual' })
  const operator = await step.operatorOf(stage)
  return until('the company from the market', async () => {
    const { companies } = await operator.call<z.output<typeof Companies>>('/operator/companies')
    return companies.find((one) => one.name === market.name && one.wecomConnected)?.code
  })
}

const workers = [
  ['赵铁柱', '13900000001'],
  ['阿卜杜热西提·买买提艾力', '13900000002'],
  ['孙小梅', '13900000003'],
  ['周建国', '13900000004'],
] as const

/** Twelve people: some have WeCom, some a mobile only, one neither. Two have claimed, one is to be reminded. */
async function makeField(stage: OpenStage, hr: Visitor, approver: Visitor): Promise<string> {
  const seen = [
    { userid: 'zhangwei', name: '张伟', mobile: null },
    { userid: 'lina', name: '李娜', mobile: null },
    { userid: 'wangqiang', name: '王强', mobile: null },
  ]
  await step.fillDirectory(stage, [...seen, { userid: 'chenwai', name: '陈外', mobile: null, visible: false }])
  const list = [
    '姓名,手机号,企业微信账号,部门',
    ...[...seen, { userid: 'chenwai', name: '陈外' }].map(({ userid, name }) => `${name},,${userid},总装车间`),
    ...workers.map(([name, mobile]) => `${name},${mobile},,三号工地 / 混凝土浇筑与高空作业班组`),
    '钱多多,,nobody,食堂',
  ]
  const rosterId = await step.uploadRoster(hr, 'field.csv', Buffer.from(list.join('\n')))
  await step.waitRoster(hr, rosterId, ['ready'])
  await step.applyRoster(hr, rosterId)
  const wish = { rosterId, title: '高温慰问：感谢一线班组坚守岗位', amountFrom: 'same', faceFen: 100 * YUAN } as const
  const field = await step.draftCampaign(hr, wish)
  const { orderId, dryRun } = await step.submitAndApprove(hr, approver, field)
  await step.openPayment(await step.memberOf(stage, 'chenli'), orderId, 'wallet', dryRun.faceTotalFen)
  await step.waitDelivered(hr, field)
  await claimAtSites(stage, hr, field)
  await hr.call(`/hr/campaigns/${field}/recall`, { json: {} })
  return field
}

async function claimAtSites(stage: OpenStage, hr: Visitor, field: string): Promise<void> {
  const { corpId } = stage.corp
  const people = workers.map(([name, mobile], index) => ({ id: `field${index}`, name, mobile }))
  await step.control(`${stage.wecomUrl}/__ctl/people`, { people })
  const path = `/hr/campaigns/${field}`
  await hr.call(`${path}/contact-ways`, { json: { site: '三号工地东门', adds: true, userIds: ['linxiao'] } })
  await hr.call(`${path}/contact-ways`, { json: { site: '食堂', adds: false } })
  const look = () => hr.call<OutsideView>(`${path}/outside`)
  await until('the QR codes', async () => (await look()).ways.every((way) => way.state === 'active'))
  const { ways } = await step.control<{ ways: { qrId: string }[] }>(`${stage.wecomUrl}/__ctl/contact/${corpId}`)
  const url = `${stage.wecomUrl}/qr/${ways.at(-1)?.qrId}`
  for (const { id } of people.slice(2))
    await step.control(`${stage.wecomUrl}/__ctl/customers/scan`, { personId: id, url })
  await until('the contacts', async () => (await look()).contacts === 2)
  const door = `/employee/claims/${(await look()).ways[0]?.claimUrl.split('/').at(-1)}`
  for (const { id, mobile } of people.slice(0, 2)) {
    const phone = new Visitor(stage.serverUrl)
    await phone.call(door)
    await phone.call(`${door}/code`, { json: { mobile } })
    const code = await until('the code', async () => {
      const { texts } = await step.control<{ texts: { text: string }[] }>(`${stage.wecomUrl}/__ctl/people/${id}`)
      return /\d{6}/.exec(texts.at(-1)?.text ?? '')?.[0]
    })
    await phone.call<Claimed>(door, { json: { mobile, code } })
  }
  await hr.call(`${path}/mass-sends`, { json: {} })
  await until('the mass send', async () => (await look()).massSends.every((one) => one.state !== 'planned'))
}

/** A company of one account: 200 messages a day, and more people than that. */
async function makeScarce(stage: OpenStage): Promise<string> {
  const corp = { corpId: 'wwscarce', agentId: 1_000_051, secret: 'SANDBOXscarce', accountLimit: 1 }
  const staff = Array.from({ length: SCARCE_PEOPLE }, (_, index) => `s${index}`)
  const members = ['boss', 'mate', ...staff].map((userid) => ({ userid, name: userid, mobile: null }))
  await step.fillDirectory({ ...stage, corp }, members)
  const entry = {
    code: 'scarce',
    name: '小满精工',
    paymentRoute: 'non_cash',
    wecom: corp,
    members: ['boss', 'mate'].map((userid) => ({ name: userid, userid, roles: ['admin'] })),
  }
  await applyPlatform(edgeOf(stage), PlatformFile.parse({ companies: [entry] }), false)
  const boss = await step.memberOf(stage, 'boss', 'scarce')
  const list = ['姓名,企业微信账号', ...staff.map((userid, index) => `工友${index},${userid}`)].join('\n')
  const rosterId = await step.uploadRoster(boss, 'scarce.csv', Buffer.from(list))
  await step.waitRoster(boss, rosterId, ['ready'])
  await step.applyRoster(boss, rosterId)
  const campaign = await step.draftCampaign(boss, { rosterId, title: '年会礼', amountFrom: 'same', faceFen: 10 * YUAN })
  const mate = await step.memberOf(stage, 'mate', 'scarce')
  const { orderId, dryRun } = await step.submitAndApprove(boss, mate, campaign)
  await step.transfer(stage, (await step.readWallet(boss)).reference, dryRun.faceTotalFen)
  await step.importStatement(stage, await step.operatorOf(stage))
  await step.openPayment(boss, orderId, 'wallet', dryRun.faceTotalFen)
  await until('the day used up', async () => {
    const { carried } = await boss.call<{ carried: unknown[] }>(`/hr/campaigns/${campaign}/progress`)
    return carried.length > 0
  })
  return campaign
}

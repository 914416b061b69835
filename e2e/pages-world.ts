import { readFileSync } from 'node:fs'
import { PlatformFile } from '../contract/operator/platform-file.ts'
import { applyPlatform } from '../server/apply-platform.ts'
import type { OpenStage } from './stage.ts'
import * as step from './steps.ts'
import type { Visitor } from './visitor.ts'

const YUAN = 100
const sample = (name: string): Uint8Array => readFileSync(new URL(`../samples/rosters/${name}`, import.meta.url))

/** What the pages are looked at with: one of each thing in each of its states. */
export interface PagesWorld {
  readonly rosters: { readonly used: string; readonly faulty: string; readonly rejected: string }
  readonly campaigns: {
    readonly running: string
    readonly draft: string
    readonly review: string
    readonly approved: string
  }
  readonly orders: { readonly open: string; readonly funded: string }
  readonly strict: { readonly order: string; readonly draft: string }
  /** An employee, and the card that they got. */
  readonly employee: string
  readonly card: string
}

/** Fills a stage through its endpoints, as people would. */
export async function makePagesWorld(stage: OpenStage): Promise<PagesWorld> {
  const [hr, approver, finance] = await Promise.all(
    ['linxiao', 'zhoumin', 'chenli'].map((userid) => step.memberOf(stage, userid)),
  )
  if (hr === undefined || approver === undefined || finance === undefined) throw new Error('the demo has nobody')
  const operator = await step.operatorOf(stage)
  const used = await step.uploadRoster(hr, 'clean-200.xlsx', sample('clean-200.xlsx'))
  const faulty = await step.uploadRoster(hr, 'real-life-1000.xlsx', sample('real-life-1000.xlsx'))
  const rejected = await step.uploadRoster(hr, 'notes.csv', Buffer.from('今天天气很好\n没有名单\n'))
  await step.waitRoster(hr, used, ['ready'])
  await step.applyRoster(hr, used)
  await step.waitRoster(hr, faulty, ['needs_mending'])
  await step.transfer(stage, (await step.readWallet(finance)).reference, 60_000 * YUAN)
  await step.importStatement(stage, operator)

  const draft = (title: string, faceFen: number) =>
    step.draftCampaign(hr, { rosterId: used, title, amountFrom: 'same', faceFen })
  const running = await draft('中秋礼遇', 200 * YUAN)
  const first = await step.submitAndApprove(hr, approver, running)
  await step.openPayment(finance, first.orderId, 'wallet', first.dryRun.faceTotalFen)
  await step.waitDelivered(hr, running)
  const employee = await firstReached(hr, running)
  const { cards } = await step.openPack(stage, employee, running)

  const approved = await draft('司庆二十周年全员感谢礼遇', 500 * YUAN)
  const second = await step.submitAndApprove(hr, approver, approved)
  await step.openPayment(finance, second.orderId, 'wallet', 10_000 * YUAN)
  const bank = await step.openPayment(finance, second.orderId, 'bank_transfer', 45_000 * YUAN)
  await step.transfer(stage, bank.reference ?? '', 20_000 * YUAN)
  await step.importStatement(stage, operator)
  await step.openPayment(finance, second.orderId, 'wechat_pay', 15_000 * YUAN)

  const review = await draft('春节红包', 100 * YUAN)
  const { contentHash } = await hr.call<{ contentHash: string }>(`/hr/campaigns/${review}/dry-run`)
  await hr.call(`/hr/campaigns/${review}/submit`, { json: { contentHash } })
  return {
    rosters: { used, faulty, rejected },
    campaigns: { running, draft: await draft('端午安康', 300 * YUAN), review, approved },
    orders: { open: second.orderId, funded: first.orderId },
    strict: await makeStrictCompany(stage),
    employee,
    card: cards[0]?.id ?? '',
  }
}

async function firstReached(hr: Visitor, campaign: string): Promise<string> {
  const { people } = await hr.call<{ people: { wecomUserId: string | null }[] }>(
    `/hr/campaigns/${campaign}/people?limit=1`,
  )
  const userid = people[0]?.wecomUserId ?? null
  if (userid === null) throw new Error('nobody was reached')
  return userid
}

/** A company that keeps to the strict reading of the payment rule: from 5,000 yuan on only from its own bank account. */
async function makeStrictCompany(stage: OpenStage): Promise<PagesWorld['strict']> {
  const corp = { corpId: 'wwstrict', agentId: 1_000_011, secret: 'strict-secret' }
  const staff = Array.from({ length: 30 }, (_, index) => `worker${index + 1}`)
  const members = ['boss', 'mate', ...staff].map((userid) => ({ userid, name: userid, mobile: null }))
  await step.fillDirectory({ ...stage, corp }, members)
  const entry = {
    code: 'strict',
    name: '严行科技有限公司',
    paymentRoute: 'strict',
    wecom: corp,
    members: ['boss', 'mate'].map((userid) => ({ name: userid, userid, roles: ['admin'] })),
  }
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  await applyPlatform(edge, PlatformFile.parse({ companies: [entry] }), false)
  const boss = await step.memberOf(stage, 'boss', 'strict')
  const mate = await step.memberOf(stage, 'mate', 'strict')
  const list = ['姓名,企业微信账号,部门', ...staff.map((userid, index) => `工友${index},${userid},一车间`)].join('\n')
  const roster = await step.uploadRoster(boss, 'strict.csv', Buffer.from(list))
  await step.waitRoster(boss, roster, ['ready'])
  await step.applyRoster(boss, roster)
  const draft = (title: string) =>
    step.draftCampaign(boss, { rosterId: roster, title, amountFrom: 'same', faceFen: 500 * YUAN })
  const { orderId } = await step.submitAndApprove(boss, mate, await draft('生日礼遇'))
  return { order: orderId, draft: await draft('中秋礼遇') }
}

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutsideView } from '../contract/hr/contact.ts'
import { PlatformFile } from '../contract/operator/platform-file.ts'
import type { Listings, UnlistedTemplates } from '../contract/operator/shelf.ts'
import { applyPlatform } from '../server/apply-platform.ts'
import { grantBudgets, makeFundsShort, makeInvoices } from './pages-funds.ts'
import { makeSettlement } from './pages-settlement.ts'
import { makeWecomPages, type WecomPages } from './pages-wecom.ts'
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
    /** More than a department's budget covers. */
    readonly short: string
  }
  readonly orders: { readonly open: string; readonly funded: string }
  readonly strict: { readonly order: string; readonly draft: string }
  /** Birthday and anniversary runs. */
  readonly runs: { readonly draft: string; readonly review: string; readonly active: string }
  /** An employee, and the card that they got. */
  readonly employee: string
  readonly card: string
  /** The number in the address of a claim page. */
  readonly claim: string
  readonly wecom: WecomPages
  /** A brand with terms, and terms before them. */
  readonly brand: string
  /** The demo's merchant, with shops and people. */
  readonly merchant: string
  /** What of the demo's shelf has a time-boxed price, and a template that may be listed. */
  readonly shelf: { readonly listing: string; readonly template: string }
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
  await payTooMuch(stage, finance, operator, first)
  await step.waitDelivered(hr, running)
  const employee = await firstReached(hr, running)
  const { cards } = await step.openPack(stage, employee, running)

  const { brand } = await makeSettlement(stage, { hr, approver, finance, operator, rosterId: used })
  await grantBudgets(finance)
  const approved = await draft('司庆二十周年全员感谢礼遇', 500 * YUAN)
  const second = await step.submitAndApprove(hr, approver, approved)
  await step.openPayment(finance, second.orderId, 'wallet', 10_000 * YUAN)
  const bank = await step.openPayment(finance, second.orderId, 'bank_transfer', 45_000 * YUAN)
  await step.transfer(stage, bank.reference ?? '', 20_000 * YUAN)
  await step.transfer(stage, '货款', 88 * YUAN, '远山物流有限公司', '6222020200099999999')
  await step.transfer(stage, '没写参考号', 3_200 * YUAN)
  await step.importStatement(stage, operator)
  await step.openPayment(finance, second.orderId, 'wechat_pay', 15_000 * YUAN)

  await makeDirectory(stage, hr)
  const review = await draft('春节红包', 100 * YUAN)
  const { contentHash } = await hr.call<{ contentHash: string }>(`/hr/campaigns/${review}/dry-run`)
  await hr.call(`/hr/campaigns/${review}/submit`, { json: { contentHash } })
  await makeInvoices(finance, first.orderId, stage.payUrl)
  await makeFundsShort({ finance, operator, orderId: second.orderId, campaignId: review })
  return {
    rosters: { used, faulty, rejected },
    campaigns: {
      running,
      draft: await draft('端午安康', 300 * YUAN),
      review,
      approved,
      short: await draft('年终答谢', 400 * YUAN),
    },
    orders: { open: second.orderId, funded: first.orderId },
    strict: await makeStrictCompany(stage),
    runs: {
      draft: await makeRun(hr, 'birthday', false),
      review: await makeRun(hr, 'anniversary', true),
      active: await makeRun(hr, 'birthday', true, approver),
    },
    employee,
    card: cards[0]?.id ?? '',
    claim: await makeClaimPage(hr, running),
    wecom: await makeWecomPages(stage, hr, approver),
    brand,
    shelf: await readShelf(operator),
    merchant: (await operator.call<{ merchants: { id: string }[] }>('/operator/merchants')).merchants[0]?.id ?? '',
  }
}

/** From the wallet but for a yuan; that one comes by transfer, and 88 more with it. */
async function payTooMuch(
  stage: OpenStage,
  finance: Visitor,
  operator: Visitor,
  { orderId, dryRun }: Awaited<ReturnType<typeof step.submitAndApprove>>,
): Promise<void> {
  await step.openPayment(finance, orderId, 'wallet', dryRun.faceTotalFen - YUAN)
  const { reference } = await step.openPayment(finance, orderId, 'bank_transfer', YUAN)
  await step.transfer(stage, reference ?? '', 89 * YUAN)
  await step.importStatement(stage, operator)
}

/** QR codes at two sites: one opens the claim page, the other adds a member first. */
async function makeClaimPage(hr: Visitor, campaign: string): Promise<string> {
  const path = `/hr/campaigns/${campaign}/contact-ways`
  await hr.call(path, { json: { site: '一号门', adds: false } })
  await hr.call(path, { json: { site: '食堂', adds: true, userIds: ['linxiao'] } })
  const { ways } = await hr.call<OutsideView>(`/hr/campaigns/${campaign}/outside`)
  return ways[0]?.claimUrl.split('/').at(-1) ?? ''
}

async function firstReached(hr: Visitor, campaign: string): Promise<string> {
  const { people } = await hr.call<{ people: { wecomUserId: string | null }[] }>(
    `/hr/campaigns/${campaign}/people?limit=1`,
  )
  const userid = people[0]?.wecomUserId ?? null
  if (userid === null) throw new Error('nobody was reached')
  return userid
}

/** A directory that was read, from which somebody left and which somebody joined since. */
async function makeDirectory(stage: OpenStage, hr: Visitor): Promise<void> {
  const { corpId } = stage.corp
  const read = async (): Promise<void> => {
    const before = (await hr.call<{ sync: { id: string } | null }>('/hr/directory')).sync?.id
    await hr.call('/hr/directory/sync', { method: 'POST' })
    for (;;) {
      const { sync } = await hr.call<{ sync: { id: string; state: string } | null }>('/hr/directory')
      if (sync && sync.id !== before && sync.state !== 'running') return
      await sleep(50)
    }
  }
  await read()
  await step.control(`${stage.wecomUrl}/__ctl/members/xinren/enter`, { corpId, name: '欧阳静怡' })
  await read()
}

const runTitles = { birthday: '生日祝福', anniversary: '司龄纪念' } as const

/** A run as HR drafts it, given to the approvers or not, and approved if there is one. */
async function makeRun(
  hr: Visitor,
  kind: 'birthday' | 'anniversary',
  submitted: boolean,
  approver?: Visitor,
): Promise<string> {
  const { templates } = await hr.call<{ templates: { versionId: string; cover: string }[] }>('/hr/templates')
  const content = {
    kind,
    title: runTitles[kind],
    cover: kind,
    templateVersionId: templates[0]?.versionId,
    greeting: '{姓名}，今天属于你。',
  }
  const money = { faceFen: 200 * YUAN, perYearFen: 50 * YUAN, monthlyLimitFen: 5_000 * YUAN }
  const { id } = await hr.call<{ id: string }>('/hr/recurring', { json: { ...content, ...money, sendAtMinute: 570 } })
  const { contentHash } = await hr.call<{ contentHash: string }>(`/hr/recurring/${id}/preview`)
  if (submitted) await hr.call(`/hr/recurring/${id}/submit`, { json: { contentHash } })
  await approver?.call(`/hr/recurring/${id}/approve`, { json: { contentHash } })
  return id
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

async function readShelf(operator: Visitor): Promise<PagesWorld['shelf']> {
  const search = encodeURIComponent('中秋家宴')
  const { listings } = await operator.call<Listings>(`/operator/listings?search=${search}`)
  const { templates } = await operator.call<UnlistedTemplates>('/operator/unlisted-templates')
  return { listing: listings[0]?.id ?? '', template: templates[0]?.id ?? '' }
}

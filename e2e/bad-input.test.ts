import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import exceljs from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CampaignContent, CampaignDetail, DryRun } from '../contract/hr/campaign.ts'
import type { PaymentView } from '../contract/hr/funding.ts'
import type { RosterDetail, RosterList, RosterRows } from '../contract/hr/staff.ts'
import { describeRosterRefusal } from '../contract/roster-refusals.ts'
import { buildNotice, mutations, type Mutation } from '../sandbox/wechatpay/notices.ts'
import type { Trade } from '../sandbox/wechatpay/state.ts'
import type { SandboxWorld } from '../sandbox/world.ts'
import { sql } from '../server/kernel/sql.ts'
import { badFiles, good, header, sheetOf, workbook, zip } from '../server/testing/bad-files.ts'
import { expectHarmless, readProblem, refused, unchanged } from './bad-stage.ts'
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { makeStrangers } from './strangers.ts'
import { freshKey, type Visitor } from './visitor.ts'

type Dialect = 'sqlite' | 'mysql'
interface House {
  readonly stage: OpenStage
  readonly hr: Visitor
  readonly approver: Visitor
  readonly finance: Visitor
  readonly stranger: Visitor
  readonly strangersRoster: string
  readonly rosterId: string
}

const houses = new Map<Dialect, House>()
const FACE_FEN = 20_000
const langs = ['zh-CN', 'en'] as const
const uploads = (again = true): string => `/hr/rosters?again=${String(again)}`

async function openHouse(dialect: Dialect): Promise<House> {
  const stage = await openStage(dialect)
  const hr = await step.memberOf(stage, 'linxiao')
  const list = Buffer.from('姓名,企业微信账号\n林晓,linxiao\n周敏,zhoumin\n')
  const rosterId = await step.uploadRoster(hr, 'mine.csv', list)
  await step.waitRoster(hr, rosterId, ['ready'])
  await step.applyRoster(hr, rosterId)
  const { hr: stranger, roster: strangersRoster } = await makeStrangers(stage)
  const approver = await step.memberOf(stage, 'zhoumin')
  const finance = await step.memberOf(stage, 'chenli')
  return { stage, hr, approver, finance, stranger, strangersRoster, rosterId }
}

beforeAll(async () => {
  for (const dialect of dialectsHere()) houses.set(dialect, await openHouse(dialect))
})
afterAll(() => Promise.all([...houses.values()].map(({ stage }) => stage.close())))

/** Reads a list until it stands; unlike step.waitRoster it takes a refusal for an answer. */
async function settled(hr: Visitor, id: string): Promise<RosterDetail> {
  for (;;) {
    const roster = await hr.call<RosterDetail>(`/hr/rosters/${id}`)
    if (!['received', 'reading'].includes(roster.state)) return roster
    await sleep(100)
  }
}

async function contentOf({ hr, rosterId }: House): Promise<CampaignContent> {
  const campaignId = await step.draftCampaign(hr, { rosterId, title: '样', amountFrom: 'same', faceFen: FACE_FEN })
  return (await hr.call<CampaignDetail>(`/hr/campaigns/${campaignId}`)).content
}

// Reading a file is the same on both databases: importers and jobs are tested on both; here it is the way through HTTP.
describe('files', () => {
  let house: House
  beforeAll(() => {
    house = houses.get('sqlite')!
  })

  test('each file that cannot be taken ends as rejected, with its code and what to do; the staff stay as they were', async () => {
    const { stage, hr, rosterId } = house
    // A list of 200,001 rows is written and taken back for half a minute: the importer's own test has it.
    const bad = badFiles.filter(([, bytes]) => bytes.length > 0 && bytes.length < 1_000_000)
    expect(bad.length).toBeGreaterThan(20)
    const told = await unchanged(stage, async () => {
      const ids = await Promise.all(bad.map(([, bytes, name]) => step.uploadRoster(hr, name, Buffer.from(bytes))))
      return Promise.all(ids.map((id) => settled(hr, id)))
    }, ['roster', 'roster_chunk'])
    expect(told.map(({ state, refusal }, index) => [bad[index]![0], state, refusal?.code])).toEqual(
      bad.map(([what, , , code]) => [what, 'rejected', code]),
    )
    for (const [index, { id }] of told.entries())
      for (const lang of langs) {
        const answer = await (await hr.send(`/hr/rosters/${id}`, { lang })).text()
        expectHarmless(answer, stage)
        const sentence = describeRosterRefusal(bad[index]![3], lang === 'en' ? 'en' : 'zh')
        expect((JSON.parse(answer) as RosterDetail).refusal?.message).toBe(sentence)
      }
    const apply = { json: { leaveOutFaulty: true, markLeavers: false } }
    expect((await refused(stage, hr, `/hr/rosters/${told[0]!.id}/apply`, apply)).code).toBe('state_conflict')
    expect((await hr.call<RosterDetail>(`/hr/rosters/${rosterId}`)).state).toBe('used')
  })

  test('nothing at all, and no name', async () => {
    const { stage, hr } = house
    const empty = await refused(stage, hr, uploads(), { raw: Buffer.alloc(0), headers: step.fileNamed('a.csv') })
    expect([empty.code, empty.detail]).toEqual(['roster_refused', '文件是空的。'])
    const nameless = await refused(stage, hr, '/hr/rosters', { raw: Buffer.from('姓名,手机号\n') })
    expect([nameless.code, nameless.field]).toEqual(['malformed_request', 'fileName'])
  })

  test('a million rows that are only claimed are not there, and what is there is read', async () => {
    const id = await step.uploadRoster(house.hr, 'claims.xlsx', zip(workbook(sheetOf(header, good))))
    expect(await settled(house.hr, id)).toMatchObject({ state: 'ready', rowCount: 1, faultyCount: 0 })
  })

  test('a file uploaded twice is named with the list it became; one key makes one list, twenty at once', async () => {
    const { stage, hr } = house
    const bytes = Buffer.from('姓名,手机号\n李雷,13800138000\n')
    const id = await step.uploadRoster(hr, 'twice.csv', bytes)
    await settled(hr, id)
    const again = await refused(stage, hr, uploads(false), { raw: bytes, headers: step.fileNamed('other-name.csv') })
    expect([again.code, again.detail]).toEqual(['roster_uploaded_before', id])
    const key = freshKey()
    const other = Buffer.from('姓名,手机号\n韩梅梅,13800138001\n')
    const send = () => hr.call<{ id: string }>(uploads(), { raw: other, key, headers: step.fileNamed('once.csv') })
    const made = await Promise.all(Array.from({ length: 20 }, send))
    expect(new Set(made.map((one) => one.id)).size).toBe(1)
    await settled(hr, made[0]!.id)
    const { rosters } = await hr.call<RosterList>('/hr/rosters?limit=200')
    expect(rosters.filter((one) => one.name === 'once.csv')).toHaveLength(1)
    const changed = await refused(stage, hr, uploads(), { raw: bytes, key, headers: step.fileNamed('once.csv') })
    expect(changed.code).toBe('idempotency_conflict')
  })

  test('amounts that no card can have are faults by row and column; the rest of the list goes on', async () => {
    const amounts = ['0', '-5', '166.666', '5000.01', '二百', '200']
    const lines = amounts.map((amount, index) => `员工${index},1391234000${index},${amount}`)
    const file = Buffer.from(['姓名,手机号,福利金额', ...lines].join('\n'))
    const id = await step.uploadRoster(house.hr, 'amounts.csv', file)
    expect(await settled(house.hr, id)).toMatchObject({ state: 'needs_mending', rowCount: 6, faultyCount: 5 })
    for (const lang of langs) {
      const answer = await house.hr.send(`/hr/rosters/${id}/rows?faulty=true`, { lang })
      const { rows } = (await answer.json()) as RosterRows
      expect(rows.map(({ row, cells, faults }) => [row, cells.amount, faults[0]?.field, faults[0]?.code])).toEqual([
        [2, '0', 'amount', 'amount-not-positive'],
        [3, '-5', 'amount', 'amount-not-positive'],
        [4, '166.666', 'amount', 'amount-too-precise'],
        [5, '5000.01', 'amount', 'amount-over-limit'],
        [6, '二百', 'amount', 'amount-invalid'],
      ])
      const words = rows.flatMap(({ faults }) => faults.flatMap(({ message, suggestion }) => [message, suggestion]))
      expect(words.every((text) => /\p{Script=Han}/u.test(text) === (lang === 'zh-CN'))).toBe(true)
    }
  })

  test('a cell that looks like a formula is text in the exported rows', async () => {
    const formulas = ['=HYPERLINK("http://a","b")', '+1+1', '-2+3', '@SUM(A1)', '\t=1', '＝1+1']
    const lines = formulas.map((text) => `"${text.replaceAll('"', '""')}",1,"${text.replaceAll('"', '""')}"`)
    const file = Buffer.from(['姓名,手机号,备注', ...lines, '好人,13912349999,'].join('\n'))
    const id = await step.uploadRoster(house.hr, 'formulas.csv', file)
    expect(await settled(house.hr, id)).toMatchObject({ faultyCount: formulas.length })
    const download = await house.hr.send(`/hr/rosters/${id}/faulty.xlsx`)
    const book = new exceljs.Workbook()
    await book.xlsx.load(await download.arrayBuffer())
    const cells: exceljs.Cell[] = []
    book.eachSheet((sheet) => sheet.eachRow((line) => line.eachCell((cell) => cells.push(cell))))
    expect(cells.filter((cell) => cell.type === exceljs.ValueType.Formula)).toEqual([])
    const texts = cells.map((cell) => cell.value).filter((value) => typeof value === 'string')
    expect(texts.filter((text) => /^[\s]*[=+\-@＝]/.test(text))).toEqual([])
    for (const text of formulas) expect(texts).toContain(`'${text}`)
  })
})

describe.each(dialectsHere())('money, approval and delivery (%s)', (dialect) => {
  let house: House
  let campaignId: string
  let payment: PaymentView
  beforeAll(() => {
    house = houses.get(dialect)!
  })
  const drafted = (faceFen = FACE_FEN, templateName = '节日礼品卡') =>
    step.draftCampaign(house.hr, { rosterId: house.rosterId, title: '中秋', amountFrom: 'same', faceFen, templateName })

  test('a draft takes no amount of 0, below it or in parts of a fen; one beyond the limit is not submitted', async () => {
    const { stage, hr } = house
    const content = await contentOf(house)
    for (const faceFen of [0, -1, 100.5, 2 ** 53, '100']) {
      const problem = await refused(stage, hr, '/hr/campaigns', { json: { ...content, faceFen } })
      expect([problem.code, problem.field]).toEqual(['malformed_request', 'faceFen'])
    }
    for (const [faceFen, code, card] of [
      [500_001, 'face_over_limit', '节日礼品卡'],
      [99, 'face_out_of_range', '节日礼品卡'],
      [25_000, 'face_out_of_range', '生日卡'],
    ] as const) {
      const id = await drafted(faceFen, card)
      const dryRun = await hr.call<DryRun>(`/hr/campaigns/${id}/dry-run`)
      expect([dryRun.canSubmit, dryRun.notes.some((note) => note.level === 'block')]).toEqual([false, true])
      const submit = { json: { contentHash: dryRun.contentHash } }
      const problem = await refused(stage, hr, `/hr/campaigns/${id}/submit`, submit)
      expect([problem.code, problem.field]).toEqual([code, 'faceFen'])
    }
  })

  test('content that changed after it was seen is not approved, nor by its maker', async () => {
    const { stage, hr, approver, stranger, strangersRoster } = house
    campaignId = await drafted()
    const seen = await hr.call<DryRun>(`/hr/campaigns/${campaignId}/dry-run`)
    const [path, first] = [`/hr/campaigns/${campaignId}`, { json: { contentHash: seen.contentHash } }]
    await hr.call(`${path}/submit`, first)
    const { content, version } = await hr.call<CampaignDetail>(path)
    await hr.call(path, { method: 'PUT', json: { ...content, faceFen: FACE_FEN + 100, version } })
    const late = await refused(stage, hr, path, { method: 'PUT', json: { ...content, version } })
    expect(late.code).toBe('content_changed')
    expect((await refused(stage, approver, `${path}/approve`, first)).code).toBe('state_conflict')
    expect((await refused(stage, hr, `${path}/submit`, first)).code).toBe('content_changed')
    const now = await hr.call<DryRun>(`${path}/dry-run`)
    await hr.call(`${path}/submit`, { json: { contentHash: now.contentHash } })
    expect((await refused(stage, approver, `${path}/approve`, first)).code).toBe('content_changed')
    const second = { json: { contentHash: now.contentHash } }
    expect((await refused(stage, hr, `${path}/approve`, second)).code).toBe('forbidden')
    const own = await step.draftCampaign(stranger, {
      rosterId: strangersRoster,
      title: '自己',
      amountFrom: 'same',
      faceFen: FACE_FEN,
    })
    const { contentHash } = await stranger.call<DryRun>(`/hr/campaigns/${own}/dry-run`)
    await stranger.call(`/hr/campaigns/${own}/submit`, { json: { contentHash } })
    const self = await refused(stage, stranger, `/hr/campaigns/${own}/approve`, { json: { contentHash } })
    expect(self.code).toBe('maker_is_checker')
    await approver.call(`${path}/approve`, second)
  })

  test('a company finds nothing under the id of another company’s list', async () => {
    const { stage, stranger, rosterId } = house
    for (const path of ['', '/rows', '/changes', '/faulty.xlsx', '/events'])
      expect((await refused(stage, stranger, `/hr/rosters/${rosterId}${path}`)).code).toBe('not_found')
    const apply = { json: { leaveOutFaulty: true } }
    expect((await refused(stage, stranger, `/hr/rosters/${rosterId}/apply`, apply)).code).toBe('not_found')
    const content = { ...(await contentOf(house)), rosterId }
    expect((await refused(stage, stranger, '/hr/campaigns', { json: content })).code).toBe('not_found')
  })

  test('a payment of 0, below it, in parts of a fen or beyond what is missing is not opened', async () => {
    const { stage, finance, hr } = house
    const { orderId } = await hr.call<CampaignDetail>(`/hr/campaigns/${campaignId}`)
    const path = `/hr/orders/${orderId}/payments`
    const { missingFen } = await step.readOrder(finance, orderId!)
    for (const amountFen of [0, -1, 0.5, 2 ** 53, '100']) {
      const problem = await refused(stage, finance, path, { json: { source: 'bank_transfer', amountFen } })
      expect([problem.code, problem.field]).toEqual(['malformed_request', 'amountFen'])
    }
    for (const source of ['bank_transfer', 'wechat_pay', 'wallet']) {
      const over = await refused(stage, finance, path, { json: { source, amountFen: missingFen + 1 } })
      expect([over.code, over.field]).toEqual(['payment_over_needed', 'amountFen'])
    }
    const empty = await refused(stage, finance, path, { json: { source: 'wallet', amountFen: missingFen } })
    expect(empty.code).toBe('wallet_insufficient')
  })

  test('a statement with one bad line books none of its lines', async () => {
    const { stage, finance } = house
    const { reference } = await step.readWallet(finance)
    const operator = await step.operatorOf(stage)
    for (const amount of ['-5.00', '1.005', 'abc']) {
      const lines = [
        `G${amount},2026-09-01 12:30:15,100.00,青禾,6222,${reference}`,
        `B,2026-09-01 12:30:15,${amount},青禾,6222,x`,
      ]
      const raw = Buffer.from(['交易流水号,交易时间,收入金额,对方户名,对方账号,附言', ...lines].join('\n'))
      const problem = await refused(stage, operator, '/operator/bank-statements', {
        raw,
        headers: step.fileNamed('a.csv'),
      })
      expect([problem.code, problem.row]).toEqual(['statement_refused', 3])
    }
  })

  /** Posts a notice about the open payment as WeChat Pay would, or broken in one way. */
  function tell(mutate: Mutation | undefined, lang: string): Promise<Response> {
    const world = JSON.parse(readFileSync(join(house.stage.dataDir, 'sandbox.json'), 'utf8')) as SandboxWorld
    const merchant = world.merchants[0]!
    const { mchid, appid } = merchant
    const now = Date.now()
    const trade: Trade = {
      mchid,
      appid,
      product: 'native',
      combineKey: null,
      outTradeNo: outTradeNoOf(payment),
      description: '',
      total: payment.amountFen,
      attach: null,
      notifyUrl: '',
      profitSharing: true,
      parameters: '',
      expireAtMs: now,
      createdAtMs: now,
      prepayId: '',
      codeUrl: '',
      credentialAtMs: now,
      refundAsked: false,
      state: 'SUCCESS',
      transactionId: '4200001234202609011234567890',
      successAtMs: now,
      openid: 'o-payer',
      bankType: 'OTHERS',
      lastFailure: null,
    }
    const sender = { key: world.platformKey, now: Date.now, clock: { wall: Date.now } }
    const notice = buildNotice(sender, merchant, trade, randomUUID(), mutate)
    const headers = { 'content-type': 'application/json', 'accept-language': lang, ...notice.headers }
    return fetch(`${house.stage.serverUrl}/notify/wechatpay`, { method: 'POST', headers, body: notice.body })
  }
  const outTradeNoOf = ({ id }: PaymentView): string => `FLK${id.slice(4)}`

  test('no notice that is wrong in any way moves money', async () => {
    const { stage, finance, hr } = house
    const { orderId } = await hr.call<CampaignDetail>(`/hr/campaigns/${campaignId}`)
    const { missingFen } = await step.readOrder(finance, orderId!)
    payment = await step.openPayment(finance, orderId!, 'wechat_pay', missingFen)
    const details = await unchanged(stage, async () => {
      const told: Record<string, string | undefined> = {}
      for (const mutate of mutations) {
        const problem = await readProblem(stage, (lang) => tell(mutate, lang))
        expect([mutate, problem.code]).toEqual([mutate, 'notice_refused'])
        told[mutate] = problem.detail
      }
      return told
    })
    expect(details).toMatchObject({
      amount: 'wrong_amount',
      merchant: 'wrong_merchant',
      unknown_order: 'unknown_order',
    })
    const unsigned = (lang: string) => {
      const headers = { 'content-type': 'application/json', 'accept-language': lang }
      return fetch(`${stage.serverUrl}/notify/wechatpay`, { method: 'POST', headers, body: '{}' })
    }
    expect((await readProblem(stage, unsigned)).code).toBe('notice_refused')
  })

  test('a true notice twenty times at once, and twenty times later, is one payment', async () => {
    const { stage, finance, hr } = house
    const { mchid } = (JSON.parse(readFileSync(join(stage.dataDir, 'sandbox.json'), 'utf8')) as SandboxWorld)
      .merchants[0]!
    const trade = { mchid, outTradeNo: outTradeNoOf(payment) }
    await step.control(`${stage.payUrl}/__ctl/faults`, { kind: 'notice_lose' })
    await step.control(`${stage.payUrl}/__ctl/pay`, { ...trade, outcome: 'success' })
    const twenty = () => step.control<{ statuses: number[] }>(`${stage.payUrl}/__ctl/notice`, { ...trade, copies: 20 })
    expect((await twenty()).statuses.filter((status) => status !== 200 && status !== 204)).toEqual([])
    await step.waitDelivered(hr, campaignId)
    const again = await unchanged(stage, twenty)
    expect(again.statuses.filter((status) => status !== 200 && status !== 204)).toEqual([])
    const { orderId } = await hr.call<CampaignDetail>(`/hr/campaigns/${campaignId}`)
    const order = await step.readOrder(finance, orderId!)
    expect(order).toMatchObject({ state: 'issued', securedFen: order.totalFen, missingFen: 0 })
    expect(order.payments.map(({ state, paidFen, outcome }) => [state, paidFen, outcome])).toEqual([
      ['paid', order.totalFen, 'exact'],
    ])
    const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
    const count = async (text: string, value: string) =>
      Number((await edge.read((tx) => sql<{ n: unknown }>(tx.em, text, [value])))[0]?.n)
    expect(await count('select count(*) as n from entry where ref = ?', payment.id)).toBe(1)
    const cards = 'select count(*) as n from card join order_item on order_item.id = order_item_id where order_id = ?'
    expect(await count(cards, orderId!)).toBe(2)
  })

  test('what was delivered is not sent again', async () => {
    const { stage, hr } = house
    const sends = () => step.control<{ sends: number }>(`${stage.wecomUrl}/__ctl/stats/${stage.corp.corpId}`)
    const before = (await sends()).sends
    const path = `/hr/campaigns/${campaignId}`
    const { people } = await hr.call<{ people: { deliveryId: string; state: string }[] }>(`${path}/people`)
    expect(people.map((one) => one.state)).toEqual(['sent', 'sent'])
    const ids = people.map((one) => one.deliveryId)
    const resend = await refused(stage, hr, `${path}/resend`, { json: { deliveryIds: ids.slice(0, 1) } })
    expect(resend.code).toBe('delivery_not_retryable')
    const correct = await refused(stage, hr, `/hr/deliveries/${ids[0]}/correct`, { json: { wecomUserId: 'chenli' } })
    expect(correct.code).toBe('delivery_not_retryable')
    const nobody = () => hr.call<{ queued: number }>(`${path}/resend`, { json: {} })
    expect(await unchanged(stage, nobody)).toEqual({ queued: 0 })
    expect((await sends()).sends).toBe(before)
  })
})

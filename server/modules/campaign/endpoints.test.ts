import { afterEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { CampaignDetail, DryRun, type CampaignContent } from '../../../contract/hr/campaign.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import type { Actor } from '../../kernel/context.ts'
import { createHttpApp, serve } from '../../kernel/http.ts'
import { silentLog } from '../../kernel/log.ts'
import { sql } from '../../kernel/sql.ts'
import { someContent } from '../../testing/campaigns.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { aUsedRoster, type ListedPerson } from '../../testing/used-roster.ts'
import { createBrand } from '../catalog/create-template.ts'
import { catalogEndpoints } from '../catalog/endpoints.ts'
import { deliveryEndpoints } from '../delivery/endpoints.ts'
import { campaignEndpoints } from './endpoints.ts'

type Call = (
  who: Actor,
  method: string,
  path: string,
  body?: object,
  headers?: Record<string, string>,
) => Promise<{ status: number; body: Record<string, unknown> }>

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** The endpoints over HTTP; whoever a test names is signed in. */
async function serving(database: TestDatabase): Promise<Call> {
  const actors = new Map<string, Actor>()
  const app = createHttpApp({
    endpoints: [...campaignEndpoints, ...catalogEndpoints, ...deliveryEndpoints],
    edgeFor: (actor) => database.edge({} as Ports, actor),
    authenticate: async ({ headers }) => actors.get(headers['x-actor'] ?? '') ?? { kind: 'anybody' },
    origins: [],
    log: silentLog(),
  })
  const { port, close } = await serve(app, 0, '127.0.0.1')
  closing.push(() => close(100))
  let keys = 0
  return async (who, method, path, body, headers = {}) => {
    const name = JSON.stringify(who)
    actors.set(name, who)
    keys += 1
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        'x-actor': name,
        'content-type': 'application/json',
        'idempotency-key': `key-${keys}`,
        'accept-language': 'zh-CN',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
}

const people: readonly ListedPerson[] = [
  { name: '张三', userid: 'zhangsan', department: '一部', amountFen: 30_000 },
  { name: '李四', phone: '13800000002', department: '一部' },
  { name: '王五', department: '二部', amountFen: 50_000 },
]

interface Stage {
  readonly company: TestCompany
  readonly content: CampaignContent
}

async function aStage(
  database: TestDatabase,
  wish: { readonly paymentRoute?: 'strict' | 'non_cash'; readonly walletFen?: number; readonly named?: boolean } = {},
): Promise<Stage> {
  const { named = true, ...more } = wish
  const company = await aCompany(database, { name: '青山机械', ...more })
  const roster = await aUsedRoster(database, company, people, { again: [0] })
  const templateVersionId = await database.tx(async (tx) => {
    const [held] = await sql<{ count: unknown }>(tx.em, 'select count(*) as count from brand')
    const issuerPrefix = String(6000 + Number(held?.count))
    const brandId = await createBrand(tx, {
      name: '青禾',
      issuerPrefix,
      wechatPay: { mchid: '1900000001', appid: 'wx1' },
    })
    const limits = { maxFaceFen: fen(named ? 500_000 : 100_000), validDays: named ? null : 1095 }
    return aTemplate(tx, brandId, { named, stepFen: fen(100), ...limits })
  })
  const greeting = '{姓名}（{部门}），{公司}祝您中秋快乐！'
  const content = someContent(templateVersionId, roster.id, { greeting })
  return { company, content }
}

async function drafted(call: Call, { company, content }: Stage, more: Partial<CampaignContent> = {}) {
  const made = await call(company.as('hr'), 'POST', '/hr/campaigns', { ...content, ...more })
  expect(made.status).toBe(200)
  const id = made.body['id'] as Id<'campaign'>
  const dryRun = DryRun.parse((await call(company.as('hr'), 'GET', `/hr/campaigns/${id}/dry-run`)).body)
  return { id, path: `/hr/campaigns/${id}`, dryRun }
}
const codes = (dryRun: DryRun) => dryRun.notes.map((note) => `${note.level}:${note.code}`)

onBothDatabases('campaigns over HTTP', (database) => {
  test('drafted, checked, submitted, sent back, copied, approved: and the page shows who did what', async () => {
    const call = await serving(database)
    const stage = await aStage(database)
    const { company, content } = stage
    const [hr, approver] = [company.as('hr'), company.as('approver')]
    const { id, path, dryRun } = await drafted(call, stage)
    expect(dryRun).toMatchObject({ heads: 3, faceTotalFen: 150_000, canSubmit: true })
    const hash = { contentHash: dryRun.contentHash }
    expect((await call(hr, 'POST', `${path}/submit`, hash)).body).toMatchObject({ id, state: 'in_review', version: 2 })
    expect((await call(hr, 'POST', `${path}/approve`, hash)).body).toMatchObject({ code: 'forbidden' })
    expect((await call(approver, 'POST', `${path}/reject`, { word: '请改祝福语' })).body).toMatchObject({
      state: 'rejected',
    })
    const edited = { ...content, greeting: '{姓名}，辛苦了！', version: 3 }
    expect((await call(hr, 'PUT', path, edited)).body).toMatchObject({ state: 'draft', version: 5 })
    expect((await call(hr, 'PUT', path, edited)).body).toMatchObject({ code: 'content_changed' })
    expect((await call(hr, 'POST', `${path}/submit`, hash)).body).toMatchObject({ code: 'content_changed' })
    const fresh = DryRun.parse((await call(hr, 'GET', `${path}/dry-run`)).body)
    await call(hr, 'POST', `${path}/submit`, { contentHash: fresh.contentHash })
    const approved = await call(approver, 'POST', `${path}/approve`, { contentHash: fresh.contentHash })
    expect(approved.status).toBe(200)
    const detail = CampaignDetail.parse((await call(hr, 'GET', path)).body)
    expect(detail).toMatchObject({
      state: 'approved',
      orderId: approved.body['orderId'],
      heads: 3,
      faceTotalFen: 150_000,
      rosterName: '九月在职.xlsx',
      createdBy: { id: company.members.hr, name: '林人事' },
      submittedBy: { name: '林人事' },
      decidedBy: { name: '赵审批' },
      contentHash: fresh.contentHash,
      template: { name: '中秋卡', brand: { name: '青禾', takesWechatPay: true } },
    })
    expect(detail.timeline.map((step) => [step.act, step.by])).toEqual([
      ['campaign.created', '林人事'],
      ['campaign.in_review', '林人事'],
      ['campaign.rejected', '赵审批'],
      ['campaign.draft', '林人事'],
      ['campaign.edited', '林人事'],
      ['campaign.in_review', '林人事'],
      ['campaign.approved', '赵审批'],
    ])
    const copy = await call(hr, 'POST', `${path}/copy`)
    const copied = CampaignDetail.parse((await call(hr, 'GET', `/hr/campaigns/${String(copy.body['id'])}`)).body)
    expect(copied).toMatchObject({ state: 'draft', content: detail.content, orderId: null, contentHash: null })
    expect((await call(hr, 'POST', `/hr/campaigns/${copied.id}/cancel`)).body).toMatchObject({ state: 'cancelled' })
  })

  test('the dry run says heads, sums, WeCom use and what the first person will see', async () => {
    const call = await serving(database)
    const stage = await aStage(database)
    const { dryRun } = await drafted(call, stage)
    expect(dryRun.byDepartment).toEqual([
      { department: '一部', heads: 2, faceFen: 100_000, priceFen: 100_000, budget: null },
      { department: '二部', heads: 1, faceFen: 50_000, priceFen: 50_000, budget: null },
    ])
    expect(dryRun.leftOut).toMatchObject([{ code: 'repeated', count: 1 }])
    expect(dryRun.wecom.quota).toEqual({ quota: 600, accounts: 3, from: 'people', usedToday: 0, leftFirstDay: 600 })
    expect(dryRun.wecom.windows).toMatchObject([{ people: 3, limitedBy: null }])
    expect(dryRun.wecom).toMatchObject({ messages: 3, calls: 1, withUserId: 1, toLookUp: 1, minutes: 1 })
    expect(dryRun.preview).toEqual({
      messageTitle: '中秋福利',
      messageText: '青山机械送您一份中秋福利',
      personName: '张三',
      greeting: '张三（一部），青山机械祝您中秋快乐！',
      faceFen: 50_000,
    })
    expect(codes(dryRun)).toEqual(['notice:wallet_low', 'notice:left_out', 'notice:to_look_up', 'notice:unreachable'])
    const column = await drafted(call, stage, { amountFrom: 'column', faceFen: null })
    expect(column.dryRun).toMatchObject({ heads: 2, faceTotalFen: 80_000, canSubmit: true })
    expect(column.dryRun.leftOut.map((one) => [one.code, one.count])).toEqual([
      ['no_amount', 1],
      ['repeated', 1],
    ])
    const nobody = await drafted(call, stage, { selection: { kind: 'departments', departments: ['三部'] } })
    expect(nobody.dryRun).toMatchObject({ heads: 0, preview: null, canSubmit: false })
    expect(codes(nobody.dryRun)).toEqual(['block:recipients_empty'])
  })

  test('payment rules and the wallet: below and from 5,000 yuan on, for both settings, in both languages', async () => {
    const call = await serving(database)
    const said = async (paymentRoute: 'strict' | 'non_cash', faceFen: number, walletFen: number) => {
      const stage = await aStage(database, { paymentRoute, walletFen })
      const { dryRun, path } = await drafted(call, stage, {
        faceFen: fen(faceFen),
        selection: { kind: 'departments', departments: ['二部'] },
      })
      const english = await call(stage.company.as('hr'), 'GET', `${path}/dry-run`, undefined, {
        'accept-language': 'en',
      })
      return { zh: dryRun.notes, en: DryRun.parse(english.body).notes, codes: codes(dryRun) }
    }
    const below = await said('strict', 499_900, 499_900)
    expect(below.codes).toEqual(['notice:unreachable'])
    const strict = await said('strict', 500_000, 499_999)
    expect(strict.codes).toEqual([
      'notice:company_transfer',
      'notice:transfer_or_wallet',
      'notice:wallet_low',
      'notice:unreachable',
    ])
    expect(strict.zh[0]?.source).toContain('国办发〔2011〕25号')
    const nonCash = await said('non_cash', 500_000, 500_000)
    expect(nonCash.codes).toEqual(['notice:company_transfer', 'notice:non_cash', 'notice:unreachable'])
    expect(nonCash.zh[1]?.text).toContain('不是对公账户')
    expect(nonCash.en[1]?.text).toContain('not a transfer from a company account')
    expect((await said('non_cash', 499_900, 500_000)).codes).toEqual(['notice:unreachable'])
  })

  test('unnamed cards from 10,000 yuan on ask for the buyer’s real name', async () => {
    const call = await serving(database)
    const company = await aStage(database, { named: false, walletFen: 2_000_000 })
    const ten = Array.from({ length: 10 }, (_, index) => ({ name: `员工${index}`, userid: `v${index}` }))
    const listed = async (count: number) => {
      const roster = await aUsedRoster(database, company.company, ten.slice(0, count))
      return codes((await drafted(call, company, { rosterId: roster.id, faceFen: fen(100_000) })).dryRun)
    }
    expect(await listed(9)).not.toContain('notice:real_name')
    expect(await listed(10)).toContain('notice:real_name')
  })
})

onBothDatabases('campaigns refuse', (database) => {
  test('another company’s campaign, list and rows on every endpoint, as if they did not exist', async () => {
    const call = await serving(database)
    const [mine, other] = [await aStage(database), await aStage(database)]
    const { path, dryRun } = await drafted(call, mine)
    const hash = { contentHash: dryRun.contentHash }
    const whole: Actor = { ...other.company.as('hr'), roles: ['hr', 'approver', 'finance', 'admin'] } as Actor
    const tries: [string, string, object?][] = [
      ['GET', path],
      ['GET', `${path}/dry-run`],
      ['PUT', path, { ...other.content, version: 1 }],
      ['POST', `${path}/submit`, hash],
      ['POST', `${path}/approve`, hash],
      ['POST', `${path}/reject`, { word: '不' }],
      ['POST', `${path}/cancel`],
      ['POST', `${path}/copy`],
      ['POST', '/hr/campaigns', { ...other.content, rosterId: mine.content.rosterId }],
      ['POST', '/hr/campaigns', { ...other.content, templateVersionId: encodeId('templateVersion', 1n) }],
    ]
    for (const [method, where, body] of tries)
      expect([method, where, (await call(whole, method, where, body)).status]).toEqual([method, where, 404])
    const own = await drafted(call, other)
    const moved = await call(whole, 'PUT', own.path, { ...other.content, version: 1, rosterId: mine.content.rosterId })
    expect(moved.status).toBe(404)
    const rows = await database.tx((tx) =>
      sql<{ id: Id<'rosterRow'> }>(tx.em, 'select id from roster_row where roster_id = ?', [mine.content.rosterId]),
    )
    const foreign = await drafted(call, other, { selection: { kind: 'rows', rowIds: rows.map((row) => row.id) } })
    expect(foreign.dryRun.heads).toBe(0)
  })

  test('amounts that are none, bad fields, roles that may not, and nobody at all', async () => {
    const call = await serving(database)
    const stage = await aStage(database)
    const { company, content } = stage
    const bad: [object, string][] = [
      [{ faceFen: 0 }, 'faceFen'],
      [{ faceFen: -100 }, 'faceFen'],
      [{ faceFen: 100.5 }, 'faceFen'],
      [{ faceFen: '100' }, 'faceFen'],
      [{ title: '  ' }, 'title'],
      [{ greeting: '长'.repeat(301) }, 'greeting'],
      [{ selection: { kind: 'departments', departments: [] } }, 'selection.departments'],
      [{ rosterId: 'ros_1' }, 'rosterId'],
    ]
    for (const [more, field] of bad) {
      const answer = await call(company.as('hr'), 'POST', '/hr/campaigns', { ...content, ...more })
      expect(answer).toMatchObject({ status: 422, body: { code: 'malformed_request', field } })
    }
    for (const role of ['approver', 'finance'] as const)
      expect((await call(company.as(role), 'POST', '/hr/campaigns', content)).status).toBe(403)
    const { path, dryRun } = await drafted(call, stage)
    const hash = { contentHash: dryRun.contentHash }
    expect((await call(company.as('finance'), 'POST', `${path}/approve`, hash)).status).toBe(403)
    expect((await call(company.as('approver'), 'POST', `${path}/submit`, hash)).status).toBe(403)
    expect((await call({ kind: 'anybody' }, 'GET', path)).status).toBe(401)
    expect((await call(company.as('hr'), 'POST', `${path}/submit`, { contentHash: 'short' })).status).toBe(422)
    const over = await drafted(call, stage, { faceFen: fen(500_100) })
    const refusal = await call(company.as('hr'), 'POST', `/hr/campaigns/${over.id}/submit`, {
      contentHash: over.dryRun.contentHash,
    })
    expect(refusal).toMatchObject({ status: 409, body: { code: 'face_over_limit', field: 'faceFen' } })
    expect(over.dryRun.notes[0]).toMatchObject({ level: 'block', code: 'face_over_limit' })
    expect(over.dryRun.notes[0]?.source).toContain('国办发〔2011〕25号')
  })

  test('a choice of many departments with long names is kept as it is', async () => {
    const call = await serving(database)
    const stage = await aStage(database)
    const departments = Array.from({ length: 400 }, (_, index) => `第${index}车间`.padEnd(150, '长'))
    const { path } = await drafted(call, stage, { selection: { kind: 'departments', departments } })
    const detail = CampaignDetail.parse((await call(stage.company.as('hr'), 'GET', path)).body)
    expect(detail.content.selection).toEqual({ kind: 'departments', departments })
  })

  test('a repeat with its key makes one draft; other content under the key is a conflict that names the field', async () => {
    const call = await serving(database)
    const { company, content } = await aStage(database)
    const key = { 'idempotency-key': 'k'.repeat(128) }
    const post = (more: object) => call(company.as('hr'), 'POST', '/hr/campaigns', { ...content, ...more }, key)
    const answers = await Promise.all([post({}), post({}), post({})])
    expect(new Set(answers.map((answer) => answer.body['id'])).size).toBe(1)
    expect(await post({ greeting: '换了' })).toMatchObject({
      status: 409,
      body: { code: 'idempotency_conflict', field: 'greeting' },
    })
    const kept = await database.tx((tx) => sql<{ input: string }>(tx.em, 'select input from once_key'))
    expect(kept.map((row) => row.input).join()).not.toContain('中秋')
    expect(await database.tx((tx) => sql(tx.em, 'select id from campaign'))).toHaveLength(1)
  })

  test('GET /hr/templates lists what can be given', async () => {
    const call = await serving(database)
    const { company, content } = await aStage(database)
    const { body } = await call(company.as('finance'), 'GET', '/hr/templates')
    expect(body['templates']).toMatchObject([{ versionId: content.templateVersionId, faces: [], priceBp: 10_000 }])
    expect((await call({ kind: 'anybody' }, 'GET', '/hr/templates')).status).toBe(401)
  })
})

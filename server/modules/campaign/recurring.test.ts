import { afterEach, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { RecurringContent, RecurringDetail, RecurringPreview } from '../../../contract/hr/recurring.ts'
import type { CompanyRole } from '../../../contract/abilities.ts'
import type { WecomPort } from '../../channels/ports.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { somePeople } from '../../testing/campaigns.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Web } from '../../testing/web.ts'
import { createBrand } from '../catalog/create-template.ts'
import { campaignEndpoints } from './endpoints.ts'
import { runBlocks, runFace } from './recurring-rules.ts'

const nowMs = Date.parse('2026-02-20T10:00:00+08:00')
const terms = {
  named: true,
  validDays: null,
  priceBp: 9_500,
  faces: '[]',
  minFaceFen: 1_000,
  maxFaceFen: 60_000,
  stepFen: 1_000,
}
const content = {
  kind: 'anniversary',
  title: '周年快乐',
  cover: 'anniversary',
  faceFen: fen(20_000),
  perYearFen: fen(5_000),
  greeting: '{姓名}，{年数}年了',
  sendAtMinute: 570,
  monthlyLimitFen: fen(500_000),
} as const

test('a face grows by the year, down to a face that the card has, and never over what it holds', () => {
  const face = (years: number | null, more: Partial<typeof terms> = {}, base = 20_500) =>
    runFace({ faceFen: fen(base), perYearFen: fen(5_000) }, { ...terms, ...more }, years)
  expect([face(null), face(1), face(3), face(40)]).toEqual([20_000, 25_000, 35_000, 60_000])
  expect([face(1, { faces: '[10000,30000]' }), face(2, { faces: '[10000,30000]' })]).toEqual([10_000, 30_000])
  expect(face(null, { faces: '[30000]' })).toBeNull()
  expect(face(1, { maxFaceFen: 600_000 }, 590_000)).toBeNull()
})

test('what keeps a run from going on is told by its field', () => {
  const blocks = (more: Partial<RecurringContent>, of: Partial<typeof terms> = {}) =>
    runBlocks({ ...content, templateVersionId: '' as never, ...more }, { ...terms, ...of }).map((one) => [
      one.code,
      one.field,
    ])
  expect(blocks({})).toEqual([])
  expect(blocks({ kind: 'birthday' })).toEqual([['greeting_unknown_field', 'greeting']])
  expect(blocks({ faceFen: fen(20_500) })).toEqual([['face_out_of_range', 'faceFen']])
  expect(blocks({ faceFen: fen(500_001) }, { maxFaceFen: 600_000, stepFen: 1 })).toEqual([
    ['face_over_limit', 'faceFen'],
  ])
  expect(blocks({ monthlyLimitFen: fen(18_999) })).toEqual([['monthly_limit_low', 'monthlyLimitFen']])
})

onBothDatabases('runs over HTTP', (database) => {
  let web: Web
  let company: TestCompany
  let body: object
  beforeEach(async () => {
    web = await startWeb(database, {
      endpoints: campaignEndpoints,
      ports: { wecom: {} as WecomPort },
      now: () => nowMs,
    })
    company = await aCompany(database)
    await somePeople(database, company.id, [
      { name: '甲', hireDate: '2024-02-29' },
      { name: '乙', hireDate: '2020-03-01' },
      { name: '丙' },
    ])
    const templateVersionId = await database.tx(async (tx) =>
      aTemplate(tx, await createBrand(tx, { name: '青禾', issuerPrefix: '6230' }), { maxFaceFen: fen(60_000) }),
    )
    body = { ...content, templateVersionId }
  })
  afterEach(() => web.close())

  const as = (role: CompanyRole, of: TestCompany = company) => {
    const ids = { companyId: of.id, memberId: of.members[role] }
    const session = encodeSession({ kind: 'member', ids, expiresAtMs: nowMs + 1000 }, database.house.sessionKey)
    return aBrowser(web.base, { cookie: `fulika_hr=${session}` })
  }
  const create = async (key: string, sent: object = body) => {
    const answer = await as('hr').send('POST', '/hr/recurring', sent, { 'idempotency-key': key })
    return [answer.status, ((await answer.json()) as { id: string }).id] as const
  }
  const read = async <T>(path: string) => (await (await as('approver').get(path)).json()) as T

  test('drafted once for a key, seen with its next 30 days, submitted, approved, edited and ended', async () => {
    const [[, id], [, again]] = await Promise.all([create('k1'), create('k1')])
    expect(again).toBe(id)
    expect((await create('k1', { ...body, title: '别的' }))[0]).toBe(409)
    const preview = await read<RecurringPreview>(`/hr/recurring/${id}/preview`)
    expect(preview).toMatchObject({
      days: [
        { day: '2026-02-28', heads: 1, faceFen: 30_000 },
        { day: '2026-03-01', heads: 1, faceFen: 50_000 },
      ],
      heads: 2,
      withoutDay: 1,
      blocks: [],
    })
    const post = async (role: CompanyRole, step: string, sent?: object) =>
      (await as(role).send('POST', `/hr/recurring/${id}/${step}`, sent)).status
    const { contentHash } = preview
    expect(await post('approver', 'approve', { contentHash })).toBe(409)
    expect(await post('hr', 'submit', { contentHash: 'f'.repeat(64) })).toBe(409)
    expect(await post('hr', 'submit', { contentHash })).toBe(200)
    expect(await post('hr', 'approve', { contentHash })).toBe(403)
    expect(await post('approver', 'return')).toBe(200)
    expect(await post('hr', 'submit', { contentHash })).toBe(200)
    expect([
      await post('approver', 'approve', { contentHash }),
      await post('approver', 'approve', { contentHash }),
    ]).toEqual([200, 200])
    const run = await read<RecurringDetail>(`/hr/recurring/${id}`)
    expect(run).toMatchObject({ state: 'active', decidedBy: { id: company.members.approver }, spentFen: 0, days: [] })
    const put = (version: number) => as('hr').send('PUT', `/hr/recurring/${id}`, { ...body, version })
    expect((await put(run.version - 1)).status).toBe(409)
    expect(await (await put(run.version)).json()).toMatchObject({ state: 'draft' })
    expect([await post('hr', 'end'), await post('hr', 'end')]).toEqual([200, 409])
    expect(await read('/hr/recurring')).toMatchObject({ runs: [{ id, state: 'ended' }] })
  })

  test('another company’s run is not there, and what is no run is refused', async () => {
    const [, id] = await create('k1')
    const other = await aCompany(database)
    for (const path of ['', '/preview'])
      expect((await as('admin', other).get(`/hr/recurring/${id}${path}`)).status).toBe(404)
    for (const step of ['pause', 'resume', 'end', 'return'])
      expect([step, (await as('admin', other).send('POST', `/hr/recurring/${id}/${step}`)).status]).toEqual([step, 404])
    const wrong = [
      { perYearFen: -1 },
      { faceFen: 0 },
      { sendAtMinute: 1440 },
      { kind: 'wedding' },
      { title: ' ' },
      { monthlyLimitFen: 0 },
      { templateVersionId: 'x' },
    ]
    for (const more of wrong)
      expect([more, (await create(JSON.stringify(more), { ...body, ...more }))[0]]).toEqual([more, 422])
    const [, birthday] = await create('k2', { ...body, kind: 'birthday', greeting: '' })
    expect(await read<RecurringDetail>(`/hr/recurring/${birthday}`)).toMatchObject({ content: { perYearFen: 0 } })
  })

  test('nobody drafts a campaign of a run by hand', async () => {
    const campaign = {
      title: 'x',
      occasion: 'birthday',
      cover: 'birthday',
      amountFrom: 'same',
      faceFen: 20_000,
      greeting: '',
      rosterId: null,
      sendAtMs: null,
      selection: { kind: 'run' },
      templateVersionId: (body as RecurringContent).templateVersionId,
    }
    const answer = await as('hr').send('POST', '/hr/campaigns', campaign, { 'idempotency-key': 'c' })
    expect([answer.status, ((await answer.json()) as { field: string }).field]).toEqual([422, 'selection'])
  })
})

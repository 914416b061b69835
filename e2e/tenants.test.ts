import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OutsideView } from '../contract/hr/contact.ts'
import { endpoints } from '../server/app.ts'
import type { Endpoint } from '../server/kernel/endpoint.ts'
import { change } from '../server/kernel/sql.ts'
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { makeStrangers } from './strangers.ts'
import { Visitor } from './visitor.ts'

type Ids = Readonly<Record<string, string>>

/** A well-formed body for each write that takes an id, so that only the owner of the id can decide the answer. */
const bodies: Readonly<Record<string, (ids: Ids) => unknown>> = {
  'PUT /hr/rosters/:id/columns': () => ({ columns: { name: 'A' } }),
  'PATCH /hr/rosters/:id/rows': (ids) => ({ rows: [{ id: ids['row'], cells: { name: '改' } }] }),
  'POST /hr/rosters/:id/replace': () => ({ field: 'name', from: 'a', to: 'b' }),
  'POST /hr/rosters/:id/remove': (ids) => ({ rowIds: [ids['row']] }),
  'POST /hr/rosters/:id/apply': () => ({ leaveOutFaulty: true }),
  'PUT /hr/campaigns/:id': (ids) => ({
    version: 1,
    title: '改',
    occasion: 'other',
    cover: 'plain',
    templateVersionId: ids['template'],
    rosterId: null,
    selection: { kind: 'all' },
    amountFrom: 'same',
    faceFen: 10_000,
    greeting: '',
    sendAtMs: null,
  }),
  'POST /hr/campaigns/:id/copy': () => ({}),
  'POST /hr/campaigns/:id/submit': () => ({ contentHash: '0'.repeat(64) }),
  'POST /hr/campaigns/:id/approve': () => ({ contentHash: '0'.repeat(64) }),
  'POST /hr/campaigns/:id/reject': () => ({ word: '不' }),
  'POST /hr/campaigns/:id/cancel': () => ({}),
  'POST /hr/campaigns/:id/resend': () => ({ reason: 'not_visible' }),
  'POST /hr/campaigns/:id/top-up': (ids) => ({ changeIds: [`dch_${ids['campaign']?.slice(4)}`] }),
  'POST /hr/campaigns/:id/contact-ways': () => ({ site: '食堂', adds: false }),
  'POST /hr/campaigns/:id/mass-sends': () => ({}),
  'POST /hr/campaigns/:id/contacts/refresh': () => ({}),
  'POST /hr/contact-ways/:id/retry': () => ({}),
  'POST /hr/contact-ways/:id/remove': () => ({}),
  'POST /hr/mass-sends/:id/remind': () => ({}),
  'POST /hr/mass-sends/:id/cancel': () => ({}),
  'PUT /hr/recurring/:id': (ids) => ({ ...runOf(ids['template'] ?? ''), version: 1 }),
  'POST /hr/recurring/:id/submit': () => ({ contentHash: '0'.repeat(64) }),
  'POST /hr/recurring/:id/approve': () => ({ contentHash: '0'.repeat(64) }),
  'POST /hr/recurring/:id/return': () => ({}),
  'POST /hr/recurring/:id/pause': () => ({}),
  'POST /hr/recurring/:id/resume': () => ({}),
  'POST /hr/recurring/:id/end': () => ({}),
  'PUT /hr/budgets/:id': () => ({ fromDay: '2026-01-01', toDay: '2026-12-31', grantedFen: 1, version: 1 }),
  'POST /hr/deliveries/:id/claim-link': () => ({}),
  'POST /hr/deliveries/:id/correct': () => ({ wecomUserId: 'somebody' }),
  'POST /hr/orders/:id/payments': () => ({ source: 'wallet', amountFen: 1 }),
  'POST /hr/orders/:id/payments/split': () => ({ amountFen: 100, mostFen: 50 }),
  'POST /hr/orders/:id/refund-preview': (ids) => ({ cardIds: [ids['card']] }),
  'POST /hr/orders/:id/refunds': (ids) => ({ cardIds: [ids['card']] }),
  'POST /hr/orders/:id/give-up': () => ({}),
  'POST /hr/campaigns/:id/take-back': () => ({}),
  'POST /hr/payments/:id/refund-surplus': () => ({}),
  'POST /hr/orders/:id/invoices': () => invoiceOf(1),
  'POST /hr/payments/:id/close': () => ({}),
  'POST /hr/payments/:id/query': () => ({}),
  'POST /employee/campaigns/:id/opened': () => ({}),
  'POST /employee/cards/:id/shops': () => ({}),
  'POST /employee/cards/:id/thanks': () => ({ text: '谢谢' }),
  'POST /employee/cards/:id/gifts': () => ({ cover: 'plain', greeting: '' }),
}

/** A request for an invoice, as finance writes it. */
const invoiceOf = (amountFen: number) => ({ title: '青禾', taxNumber: '9144030071526726XG', amountFen })

/** A birthday run, as HR writes it. */
const runOf = (templateVersionId: string) => ({
  kind: 'birthday',
  title: '生日',
  cover: 'birthday',
  templateVersionId,
  greeting: '',
  faceFen: 20_000,
  perYearFen: 0,
  sendAtMinute: 570,
  monthlyLimitFen: 1_000_000,
})

/** Whose id stands in a path: the last word before `:id`, without its plural. */
const kindOf = (path: string): string => /\/([\w-]+?)s?\/:id/.exec(path)?.[1] ?? ''
const withId = endpoints.filter((one) => /^\/(hr|employee)\//.test(one.path) && one.path.includes('/:id'))

describe.each(dialectsHere())('two companies (%s)', (dialect) => {
  let stage: OpenStage
  let ids: Ids
  let strangers: Readonly<Record<'hr' | 'employee', Visitor>>

  beforeAll(async () => {
    stage = await openStage(dialect)
    ids = await makeThings(stage)
    strangers = await makeStrangers(stage)
  })
  afterAll(() => stage.close())

  test.each(withId.map((one) => [`${one.method} ${one.path}`, one] as const))(
    '%s of another company is 404',
    async (name, one: Endpoint) => {
      const kind = kindOf(one.path)
      const id = ids[kind === 'deliverie' ? 'delivery' : kind]
      expect(id, `no ${kind} to ask for`).toBeDefined()
      const visitor = strangers[one.path.startsWith('/hr/') ? 'hr' : 'employee']
      const path = one.path.replace(':id', id ?? '')
      const body = bodies[name]?.(ids)
      if (one.body === 'json') expect(body, `no body for ${name}`).toBeDefined()
      const answer = await visitor.send(path, { method: one.method, ...(one.body === 'json' ? { json: body } : {}) })
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, 'not_found'])
    },
  )

  test('lists show nothing of another company', async () => {
    const hr = strangers.hr
    const { rosters } = await hr.call<{ rosters: { id: string }[] }>('/hr/rosters')
    expect(rosters.map((one) => one.id)).not.toContain(ids['roster'])
    expect(await hr.call('/hr/campaigns')).toMatchObject({ campaigns: [] })
    expect(await hr.call('/hr/payments')).toMatchObject({ payments: [] })
    expect(await hr.call('/hr/refunds')).toMatchObject({ refunds: [] })
    expect(await hr.call('/hr/invoices')).toMatchObject({ invoices: [] })
    expect(await hr.call('/hr/invoice-orders')).toMatchObject({ orders: [], last: null })
    for (const period of ['current', 'coming', 'past'])
      expect(await hr.call(`/hr/budgets?period=${period}`)).toMatchObject({ budgets: [] })
    expect(await hr.call('/hr/people', step.searchFor(ids['name'] ?? ''))).toEqual({ people: [] })
    expect(await hr.call('/hr/wallet')).toMatchObject({ balanceFen: 0, movements: [] })
  })
})

/** One of everything at the demo company. */
async function makeThings(stage: OpenStage): Promise<Ids> {
  const hr = await step.memberOf(stage, 'linxiao')
  const finance = await step.memberOf(stage, 'chenli')
  const list = Buffer.from('姓名,企业微信账号\n林晓,linxiao\n周敏,zhoumin\n', 'utf8')
  const roster = await step.uploadRoster(hr, 'mine.csv', list)
  await step.waitRoster(hr, roster, ['ready'])
  const { rows } = await hr.call<{ rows: { id: string; cells: { name?: string } }[] }>(`/hr/rosters/${roster}/rows`)
  await step.applyRoster(hr, roster)
  const wish = { rosterId: roster, title: '甲', amountFrom: 'same' as const, faceFen: 20_000 }
  const campaign = await step.draftCampaign(hr, wish)
  const { orderId: order } = await step.submitAndApprove(hr, await step.memberOf(stage, 'zhoumin'), campaign)
  const { totalFen } = await step.readOrder(finance, order)
  const paid = await step.openPayment(finance, order, 'wechat_pay', totalFen)
  await step.payByScan(stage, paid)
  await step.waitDelivered(hr, campaign)
  type People = { people: { deliveryId: string; wecomUserId: string | null; state: string }[] }
  const { people } = await hr.call<People>(`/hr/campaigns/${campaign}/people?limit=200`)
  const reached = people.find((one) => one.state === 'sent')
  if (!reached?.wecomUserId) throw new Error('nobody was reached')
  const pack = await step.openPack(stage, reached.wecomUserId, campaign)
  const card = pack.cards[0]?.id ?? ''
  const refund = await finance.call<{ id: string }>(`/hr/orders/${order}/refunds`, { json: { cardIds: [card] } })
  const invoice = await finance.call<{ id: string }>(`/hr/orders/${order}/invoices`, { json: invoiceOf(100) })
  const days = { fromDay: '2026-01-01', toDay: '2026-12-31' }
  const budget = await finance.call<{ id: string }>('/hr/budgets', {
    json: { department: '甲部', grantedFen: 1, ...days },
  })
  const { templates } = await hr.call<{ templates: { versionId: string }[] }>('/hr/templates')
  const template = templates[0]?.versionId ?? ''
  const other = people.find((one) => one.state === 'sent' && one !== reached)?.wecomUserId ?? ''
  return {
    gift: await makeGift(stage, other),
    ...(await makeContacts(stage, hr, campaign)),
    budget: budget.id,
    recurring: (await hr.call<{ id: string }>('/hr/recurring', { json: runOf(template) })).id,
    roster,
    campaign,
    order,
    payment: paid.id,
    delivery: reached.deliveryId,
    card,
    refund: refund.id,
    invoice: invoice.id,
    row: rows[0]?.id ?? '',
    name: rows[0]?.cells.name ?? '',
    template,
  }
}

/** Somebody passes a card of the campaign on. */
async function makeGift(stage: OpenStage, userid: string): Promise<string> {
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  await edge.tx((tx) => change(tx.em, "update company set gift_depth = 1 where code = 'demo'"))
  const phone = new Visitor(stage.serverUrl, 'Mozilla/5.0 (iPhone) wxwork/4.1')
  await phone.signIn('employee', 'demo', userid)
  const { cards } = await phone.call<{ cards: { id: string }[] }>('/employee/pack')
  const json = { cover: 'thanks', greeting: '谢谢你' }
  return (await phone.call<{ id: string }>(`/employee/cards/${cards[0]?.id}/gifts`, { json })).id
}

/** A QR code that somebody outside scanned, and the reminder that they get. */
async function makeContacts(stage: OpenStage, hr: Visitor, campaign: string): Promise<Ids> {
  const path = `/hr/campaigns/${campaign}`
  const until = async (what: (view: OutsideView) => boolean): Promise<void> => {
    while (!what(await hr.call<OutsideView>(`${path}/outside`))) await sleep(100)
  }
  const json = { site: '一号门', adds: true, userIds: ['linxiao'] }
  const way = await hr.call<{ id: string }>(`${path}/contact-ways`, { json })
  await until((view) => view.ways.some((one) => one.state === 'active'))
  const corp = `${stage.wecomUrl}/__ctl/contact/${stage.corp.corpId}`
  const { ways } = await step.control<{ ways: { qrId: string }[] }>(corp)
  const people = [{ id: 'w1', name: '工友', mobile: '13900000001' }]
  await step.control(`${stage.wecomUrl}/__ctl/people`, { people })
  const url = `${stage.wecomUrl}/qr/${ways[0]?.qrId}`
  await step.control(`${stage.wecomUrl}/__ctl/customers/scan`, { personId: 'w1', url })
  await until((view) => view.toRemind === 1)
  const sent = await hr.call<{ id: string }>(`${path}/mass-sends`, { json: {} })
  return { 'contact-way': way.id, 'mass-send': sent.id }
}

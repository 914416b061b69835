import { PlatformFile } from '../contract/operator/platform-file.ts'
import { applyPlatform } from '../server/apply-platform.ts'
import { createLog } from '../server/kernel/log.ts'
import { sql } from '../server/kernel/sql.ts'
import { createOperator } from '../server/modules/company/create-operator.ts'
import { canaries as c, watchWire, type Wire } from './canaries.ts'
import { handCard } from './canary-cards.ts'
import { buyCard } from './canary-store.ts'
import { spendCard } from './canary-till.ts'
import { openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { freshKey, Refused, Visitor } from './visitor.ts'

export type Json = Readonly<Record<string, unknown>>

/** What a walk left behind. */
export interface Walked {
  readonly stage: OpenStage
  readonly wire: Wire
  readonly lines: readonly string[]
  /** Bodies of refusals. */
  readonly errors: readonly string[]
  readonly metrics: string
  /** Those that cards have, and those that one had before. */
  readonly cardSecrets: readonly string[]
  /** Keys, codes and tokens of links that were handed out, by name. */
  readonly tokens: Readonly<Record<string, string>>
  /** The text of the files that HR and a till carried away. */
  readonly exported: string
  /** What the people of the walk were shown, to prove that the canaries went in. */
  readonly shown: Json
  close(): Promise<void>
}

const company = 'cnry'

/** Walks the main job of a company whose people, secrets and words are canaries. */
export async function walkWithCanaries(dialect: 'sqlite' | 'mysql'): Promise<Walked> {
  const lines: string[] = []
  const log = createLog({ level: 'debug', stream: { write: (line: string) => void lines.push(line) } })
  const stage = await openStage(dialect, log)
  const wire = watchWire(stage.serverUrl)
  const errors: string[] = []
  const release = keepRefusals(stage.serverUrl, errors)
  try {
    await plant(stage)
    const hr = await step.memberOf(stage, c.bossUserId, company)
    const finance = await step.memberOf(stage, c.financeUserId, company)
    const rosterId = await bringStaff(hr)
    const { campaignId, orderId } = await decide(hr, finance, rosterId)
    const operator = new Visitor(stage.serverUrl)
    const session = await operator.call<Json>('/operator/session', { json: { key: c.operatorKey } })
    const lineView = await pay(stage, finance, operator, orderId)
    await step.waitDelivered(hr, campaignId)
    const people = await mendDeliveries(hr, campaignId)
    const pack = await step.openPack(stage, c.userid, campaignId, company)
    const card = await cardOf(stage, pack.cards[0]?.id ?? '')
    const handed = await handCard(stage, hr, { company, campaignId, cardId: pack.cards[0]?.id ?? '' })
    const spent = await spendCard(stage, operator, { company, cardId: pack.cards[0]?.id ?? '' })
    const bought = await buyCard(stage)
    await provoke(stage, hr, operator)
    const metrics = await (await fetch(`${stage.serverUrl}/metrics`)).text()
    const detail = await hr.call(`/hr/campaigns/${campaignId}`)
    const thanks = await hr.call(`/hr/campaigns/${campaignId}/thanks`)
    const kept = {
      handed: handed.shown,
      spent: spent.shown,
      bought: bought.shown,
      thanks,
      settings: await hr.call('/hr/settings'),
    }
    const shown = { session, lineView, people, card, detail, ...kept }
    return {
      stage,
      wire,
      lines,
      errors,
      metrics,
      shown,
      cardSecrets: [...(await openSecrets(stage)), ...handed.secrets],
      tokens: { ...handed.tokens, ...spent.tokens, ...bought.tokens },
      exported: `${handed.exported}\n${spent.dayFile}`,
      close: async () => {
        release()
        wire.stop()
        await stage.close()
      },
    }
  } catch (error) {
    release()
    wire.stop()
    await stage.close()
    throw error
  }
}

/** Keeps the body of every refusal that this process is given by the server. */
function keepRefusals(origin: string, errors: string[]): () => void {
  const real = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const answer = await real(input, init)
    if (answer.status >= 400 && answer.url.startsWith(origin)) errors.push(await answer.clone().text())
    return answer
  }
  return () => {
    globalThis.fetch = real
  }
}

/** The company, its WeCom and an operator, as `npm run operator` and `npm run setup` make them. */
async function plant(stage: OpenStage): Promise<void> {
  const corp = { corpId: 'wwcnry', agentId: 1_000_010, secret: c.corpSecret }
  const member = (userid: string, mobile: string | null = null) => ({ userid, name: userid, mobile })
  await step.fillDirectory({ ...stage, corp }, [
    member(c.bossUserId),
    member(c.financeUserId),
    member(c.userid, c.phone),
    member(c.correctedUserId),
  ])
  const callback = { token: c.callbackToken, encodingAesKey: c.callbackKey }
  const members = [
    { name: c.memberName, userid: c.bossUserId, roles: ['hr'] },
    { name: `${c.memberName}乙`, userid: c.financeUserId, roles: ['approver', 'finance'] },
  ]
  const entry = { code: company, name: '公司', wecom: { ...corp, callback }, members }
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  await applyPlatform(edge, PlatformFile.parse({ companies: [entry] }), false)
  await edge.tx((tx) =>
    createOperator(tx, { name: c.operatorName, roles: ['ops', 'risk', 'finance', 'admin'], key: c.operatorKey }),
  )
}

async function bringStaff(hr: Visitor): Promise<string> {
  const list = [
    '工号,姓名,手机号,部门,企业微信账号,入职日期,备注',
    `${c.staffNo},${c.name},${c.phone},总部,${c.userid},2019-02-17,${c.note}`,
    `CN2,${c.secondName},${c.wrongPhone},总部,,2019-02-18,`,
  ].join('\n')
  const rosterId = await step.uploadRoster(hr, `${c.fileName}.csv`, Buffer.from(list, 'utf8'))
  await step.waitRoster(hr, rosterId, ['needs_mending'])
  type Rows = { rows: { id: string; cells: { name?: string } }[] }
  const { rows } = await hr.call<Rows>(`/hr/rosters/${rosterId}/rows`, step.searchFor(c.secondName))
  const [row] = rows
  await hr.call(`/hr/rosters/${rosterId}/rows`, {
    method: 'PATCH',
    json: { rows: [{ id: row?.id, cells: { phone: c.secondPhone } }] },
  })
  await step.waitRoster(hr, rosterId, ['ready'])
  await step.applyRoster(hr, rosterId)
  return rosterId
}

/** Drafts, sends back with a word, mends the words, approves. */
async function decide(
  hr: Visitor,
  approver: Visitor,
  rosterId: string,
): Promise<{ campaignId: string; orderId: string }> {
  const { templates } = await hr.call<{ templates: { versionId: string; named: boolean }[] }>('/hr/templates')
  const content = {
    title: '中秋',
    occasion: 'mid_autumn',
    cover: 'mid_autumn',
    // Without a name, so that it can be bound as well.
    templateVersionId: templates.find(({ named }) => !named)?.versionId,
    rosterId,
    selection: { kind: 'all' },
    amountFrom: 'same',
    faceFen: 50_000,
    sendAtMs: null,
    greeting: `{姓名}，${c.greeting}，节日快乐`,
  }
  const key = freshKey()
  const { id } = await hr.call<{ id: string }>('/hr/campaigns', { json: content, key })
  await hr.call('/hr/campaigns', { json: { ...content, greeting: c.name }, key }).catch(expectRefused)
  const { contentHash } = await hr.call<{ contentHash: string }>(`/hr/campaigns/${id}/dry-run`)
  await hr.call(`/hr/campaigns/${id}/submit`, { json: { contentHash } })
  await approver.call(`/hr/campaigns/${id}/reject`, { json: { word: c.word } })
  const sentBack = await hr.call<{ version: number; word: string }>(`/hr/campaigns/${id}`)
  if (sentBack.word !== c.word) throw new Error('the word is not shown')
  const { version } = sentBack
  await hr.call(`/hr/campaigns/${id}`, { method: 'PUT', json: { ...content, greeting: `${c.greeting}！`, version } })
  return { campaignId: id, orderId: (await step.submitAndApprove(hr, approver, id)).orderId }
}

/** Half by bank, half by WeChat. */
async function pay(stage: OpenStage, finance: Visitor, operator: Visitor, orderId: string): Promise<unknown> {
  const { totalFen } = await step.readOrder(finance, orderId)
  const half = totalFen / 2
  const bank = await step.openPayment(finance, orderId, 'bank_transfer', half)
  await step.transfer(stage, `${bank.reference ?? ''} ${c.memo}`, half, c.payerName, c.payerAccount)
  await step.importStatement(stage, operator, `${c.statementName}.csv`)
  const wechat = await step.openPayment(finance, orderId, 'wechat_pay', half)
  await step.payByScan(stage, wechat, c.openid)
  await step.waitFunded(finance, orderId)
  await step.transfer(stage, c.memo, 100, c.payerName, c.payerAccount)
  await step.importStatement(stage, operator, `${c.statementName}2.csv`)
  return operator.call('/operator/statement-lines?outcome=unmatched')
}

/** The second person has no account that WeCom knows by the phone: corrected to one that it has. */
async function mendDeliveries(hr: Visitor, campaignId: string): Promise<unknown> {
  type People = { people: { deliveryId: string; state: string }[] }
  const path = `/hr/campaigns/${campaignId}/people`
  const { people } = await hr.call<People>(path, step.searchFor(c.secondPhone))
  if (people[0]?.state !== 'failed') throw new Error('the second person was reached')
  await hr.call(`/hr/deliveries/${people[0].deliveryId}/correct`, { json: { wecomUserId: c.correctedUserId } })
  await step.waitDelivered(hr, campaignId)
  return { all: await hr.call(path), found: await hr.call('/hr/people', step.searchFor(c.staffNo)) }
}

async function cardOf(stage: OpenStage, cardId: string): Promise<unknown> {
  const phone = new Visitor(stage.serverUrl, 'wxwork')
  await phone.signIn('employee', company, c.userid)
  return phone.call(`/employee/cards/${cardId}`)
}

/** Asks for what is refused, with canaries in the question. */
async function provoke(stage: OpenStage, hr: Visitor, operator: Visitor): Promise<void> {
  const csv = (text: string): { raw: Buffer } => ({ raw: Buffer.from(text, 'utf8') })
  const asks: (() => Promise<unknown>)[] = [
    () => hr.call('/hr/campaigns', { json: { title: c.name.repeat(40), greeting: c.greeting } }),
    () => hr.send('/hr/campaigns', { raw: Buffer.from(`{"greeting":"${c.greeting}`) }).then((answer) => answer.text()),
    () => hr.call('/hr/rosters/ros_0000000000000/rows', step.searchFor(c.phone)),
    () => hr.call('/hr/rosters/ros_0000000000000/replace', { json: { field: 'name', from: c.name, to: c.secondName } }),
    () => hr.call('/hr/deliveries/dlv_0000000000000/correct', { json: { wecomUserId: c.userid, phone: c.phone } }),
    () =>
      operator.call('/operator/bank-statements', {
        ...csv(
          `交易时间,收入,对方户名,对方账号,流水号,附言\n昨天,12.345,${c.payerName},${c.payerAccount},S1,${c.memo}`,
        ),
        headers: step.fileNamed(`${c.statementName}.csv`),
      }),
    () => new Visitor(stage.serverUrl).call('/operator/session', { json: { key: `${c.operatorKey}x` } }),
  ]
  for (const ask of asks) await ask().catch(expectRefused)
}

function expectRefused(error: unknown): void {
  if (!(error instanceof Refused)) throw error
}

async function openSecrets(stage: OpenStage): Promise<string[]> {
  const { house, store } = stage.running.open
  const rows = await store.read((em) =>
    sql<{ id: string; secret_sealed: Uint8Array }>(em, 'select id, secret_sealed from card'),
  )
  return rows.map((row) =>
    house.seal.open({ table: 'card', column: 'secret_sealed', rowId: row.id }, row.secret_sealed),
  )
}

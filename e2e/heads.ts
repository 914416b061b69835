import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import { handlers } from '../jobs/handlers.ts'
import { workOnce } from '../jobs/worker.ts'
import { startWecomSandbox, type WecomSandbox } from '../sandbox/wecom/server.ts'
import type { Ports } from '../server/channels/ports.ts'
import type { Actor, Edge } from '../server/kernel/context.ts'
import { change, sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { approveCampaign } from '../server/modules/campaign/approve-campaign.ts'
import { createCampaign } from '../server/modules/campaign/create-campaign.ts'
import { planCampaign } from '../server/modules/campaign/plan-campaign.ts'
import { readCampaign } from '../server/modules/campaign/read-campaign.ts'
import { submitCampaign } from '../server/modules/campaign/submit-campaign.ts'
import { createBrand } from '../server/modules/catalog/create-template.ts'
import { nextChinaDay } from '../server/modules/delivery/china-day.ts'
import { readDeliveryCounts } from '../server/modules/delivery/read-deliveries.ts'
import { openPayment } from '../server/modules/funding/open-payment.ts'
import { someContent } from '../server/testing/campaigns.ts'
import { aTemplate } from '../server/testing/cards.ts'
import { aCompany, type TestCompany } from '../server/testing/companies.ts'
import type { TestDatabase } from '../server/testing/databases.ts'
import { aUsedRoster, type ListedPerson } from '../server/testing/used-roster.ts'
import { corpOf, noSms, wecomOf } from '../server/testing/wecom.ts'

/** What a call to WeCom takes there and back, in virtual ms; calls made at once are counted one after the other. */
export const ROUND_TRIP_MS = 200
/** What the house takes for a job, in virtual ms, where its own work is not measured: one hand, one job at a time. */
const JOB_MS = 250
const FACE_FEN = 20_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** No scenario goes on for longer. */
const MOST_MS = 10 * 24 * HOUR_MS

/** Time that a driver moves, for the house and for WeCom alike. */
export class VirtualTime {
  readonly #measured: boolean
  #began = performance.now()
  #passedMs: number

  /** `measured`: what the house's own work really takes passes too. */
  constructor(startMs: number, measured: boolean) {
    this.#passedMs = startMs
    this.#measured = measured
  }

  readonly now = (): number => Math.floor(this.#passedMs + (this.#measured ? performance.now() - this.#began : 0))

  pass(ms: number): void {
    this.#passedMs += ms
  }

  /** A job of the house is over: where its work is not measured, the stated time passes. */
  worked(): void {
    if (!this.#measured) this.pass(JOB_MS)
  }

  /** Waits until an instant; one that is over is not waited for. */
  reach(atMs: number): void {
    this.pass(Math.max(0, atMs - this.now()))
  }

  /** What was not the house's work does not count. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now()
    const answer = await work()
    this.#began += performance.now() - began
    return answer
  }
}

export interface HeadsWish {
  readonly heads: number
  /** Accounts of the company in WeCom, each good for 200 messages a day; as many as heads where it is not said. */
  readonly accounts?: number
  /** The minute of the hour at which everything begins, or a moment within it; 5 where it is not said. */
  readonly minute?: number
  /** So many first on the list have no account there and are looked up by mobile; of them WeCom does not know so many. */
  readonly toLookUp?: number
  readonly unknown?: number
  /** What the house's own work really takes passes, in place of a stated time. */
  readonly measured?: boolean
}

/** What became of the heads. Times in seconds of virtual time from the approval until the house knew that WeCom took it. */
export interface HeadsFigures {
  readonly heads: number
  readonly acceptedP50S: number
  readonly acceptedP95S: number
  readonly acceptedMaxS: number
  /** Messages that WeCom dropped silently. */
  readonly dropped: number
  /** Calls that WeCom refused because a limit was passed. */
  readonly overQuota: number
  readonly states: Readonly<Record<string, number>>
  readonly booksBalanced: boolean
}

/** A company with its people in a sandbox's WeCom, and everybody's time. */
export interface HeadsStage {
  readonly database: TestDatabase
  readonly time: VirtualTime
  readonly box: WecomSandbox
  readonly company: TestCompany
  readonly people: readonly ListedPerson[]
  /** The scope of a process of the house, acting as somebody. */
  readonly edge: (actor?: Actor) => Edge
  readonly rosterId: Id<'roster'>
  close(): Promise<void>
}

/** Opens the stage: nobody has got anything yet, and the wallet pays for everybody. */
export async function openHeads(database: TestDatabase, wish: HeadsWish): Promise<HeadsStage> {
  // At noon of a day to come, for what the fixtures write is of today.
  const noonMs = nextChinaDay(Date.now() + 24 * HOUR_MS) + 12 * HOUR_MS
  const time = new VirtualTime(noonMs + (wish.minute ?? 5) * MINUTE_MS, wish.measured ?? false)
  const box = await startWecomSandbox({ now: time.now })
  const people = peopleOf(wish)
  const staff = people.flatMap(({ name, userid, phone }, index) => {
    if (phone == null) return { name, userid: userid ?? '' }
    return isUnknown(wish, index) ? [] : { name, userid: `found${index}`, mobile: phone }
  })
  const walletFen = wish.heads * FACE_FEN
  const company = await aCompany(database, { sandbox: box, staff, walletFen })
  await limitAccounts(database, box, company, wish.accounts ?? wish.heads)
  const { id: rosterId } = await aUsedRoster(database, company, people)
  const wecom = wecomOf(box, { now: time.now, fetch: overSomeWay(time) })
  const edge = (actor?: Actor) => database.edge({ wecom, sms: noSms } as Ports, actor, time.now)
  return { database, time, box, company, people, edge, rosterId, close: () => box.close() }
}

/** The unknown are spread evenly among those who are looked up. */
const isUnknown = ({ toLookUp = 0, unknown = 0 }: HeadsWish, index: number): boolean =>
  Math.floor(((index + 1) * unknown) / toLookUp) > Math.floor((index * unknown) / toLookUp)

function peopleOf({ heads, toLookUp = 0 }: HeadsWish): ListedPerson[] {
  return Array.from({ length: heads }, (_, index) => {
    const name = `员工${index}`
    return index < toLookUp ? { name, phone: String(13_100_000_000 + index) } : { name, userid: `head${index}` }
  })
}

/** So many accounts, in WeCom and as the company told us. */
async function limitAccounts(
  database: TestDatabase,
  { control }: WecomSandbox,
  { id, wecom }: TestCompany,
  accountLimit: number,
): Promise<void> {
  const trustedDomains = [new URL(database.house.publicUrl).host]
  control.upsertCorp({ ...corpOf(wecom), accountLimit, trustedDomains, members: [] })
  await database.tx((tx) =>
    change(tx.em, 'update wecom_connection set account_limit = ? where company_id = ?', [accountLimit, id]),
  )
}

/** Calls take their time: they arrive after half of it, and the answer takes the other half. */
function overSomeWay(time: VirtualTime): typeof globalThis.fetch {
  return async (url, init) => {
    time.pass(ROUND_TRIP_MS / 2)
    try {
      return await fetch(url, init)
    } finally {
      time.pass(ROUND_TRIP_MS / 2)
    }
  }
}

export interface StartedCampaign {
  readonly id: Id<'campaign'>
  readonly approvedAtMs: number
}

/** HR drafts a campaign for everybody and submits it; it is approved, and finance pays it from the wallet. */
export async function approveForAll({ database, time, company, edge, rosterId }: HeadsStage): Promise<StartedCampaign> {
  const templateVersionId = await database.tx(async (tx) =>
    aTemplate(tx, await createBrand(tx, { name: '青禾', issuerPrefix: '6230' })),
  )
  const hr = edge(company.as('hr'))
  const id = await hr.tx((tx) =>
    createCampaign(tx, someContent(templateVersionId, rosterId, { faceFen: fen(FACE_FEN) })),
  )
  const campaign = await hr.read((tx) => readCampaign(tx, id))
  if (!campaign) throw new Error('no such campaign')
  const { contentHash, priceTotalFen } = await hr.read((tx) => planCampaign(tx, campaign))
  await hr.tx((tx) => submitCampaign(tx, { id, contentHash }))
  const approvedAtMs = time.now()
  const orderId = await approveCampaign(edge(company.as('approver')), { id, contentHash })
  const payment = { orderId, source: 'wallet', amountFen: priceTotalFen } as const
  await openPayment(edge(company.as('finance')), payment, `pay:${orderId}`)
  return { id, approvedAtMs }
}

/**
 * Does what is to be done, job by job; where nothing is, the clock goes on to the next job that stands for a later
 * instant, until there is none. After each job the totals must add up, and now and then the books: else it throws.
 * `meanwhile` is told how many jobs were done.
 */
export async function workToTheEnd(
  stage: HeadsStage,
  campaignId: Id<'campaign'>,
  meanwhile: (jobs: number) => void = () => undefined,
): Promise<void> {
  const { time } = stage
  const edge = stage.edge()
  const endMs = time.now() + MOST_MS
  for (let jobs = 0; time.now() < endMs;) {
    meanwhile(jobs)
    const worked =
      (await workOnce(edge, handlers, 'fast')) ||
      (await workOnce(edge, handlers, 'small')) ||
      (await workOnce(edge, handlers, 'bulk'))
    if (worked) {
      jobs += 1
      time.worked()
      await time.aside(() => check(stage, campaignId, jobs % 20 === 0))
      continue
    }
    const nextMs = await time.aside(() => nextJob(stage))
    if (nextMs === null) return
    time.reach(nextMs)
  }
  throw new Error('it does not end')
}

async function nextJob({ database }: HeadsStage): Promise<number | null> {
  const [row] = await database.tx((tx) =>
    sql<{ atMs: unknown }>(tx.em, "select min(ready_at_ms) as atMs from job where state <> 'done'"),
  )
  return row?.atMs == null ? null : Number(row.atMs)
}

/** What must hold after every job. */
async function check({ database, people }: HeadsStage, campaignId: Id<'campaign'>, books: boolean): Promise<void> {
  const { counts, rows, findings } = await database.tx(async (tx) => ({
    counts: await readDeliveryCounts(tx, campaignId),
    rows: await readHeads(tx.em, campaignId),
    findings: books ? await proveBooks(tx) : [],
  }))
  const { pending, sent, failed, revoked } = counts
  const several = rows.some(({ n, heads }) => Number(n) !== Number(heads))
  const planned = rows.reduce((sum, { n }) => sum + Number(n), 0)
  const added = pending + sent + failed + revoked === people.length && planned <= people.length && pending >= 0
  if (!added || several || findings.length > 0)
    throw new Error(`the totals do not add up: ${JSON.stringify({ counts, rows, findings })}`)
}

const readHeads = (em: Parameters<typeof sql>[0], campaignId: Id<'campaign'>) =>
  sql<{ state: string; n: unknown; heads: unknown }>(
    em,
    'select state, count(*) as n, count(distinct person_id) as heads from delivery where campaign_id = ? group by state',
    [campaignId],
  )

/** What became of a campaign, by our tables and by what the sandbox counted. */
export async function readFigures(stage: HeadsStage, campaign: StartedCampaign): Promise<HeadsFigures> {
  const { database, box, company, people } = stage
  const { rows, sent, findings } = await database.tx(async (tx) => ({
    rows: await readHeads(tx.em, campaign.id),
    sent: await sql<{ atMs: unknown }>(
      tx.em,
      'select sent_at_ms as atMs from delivery where campaign_id = ? and sent_at_ms is not null order by sent_at_ms',
      [campaign.id],
    ),
    findings: await proveBooks(tx),
  }))
  const seconds = sent.map(({ atMs }) => (Number(atMs) - campaign.approvedAtMs) / 1000)
  const at = (share: number): number => seconds[Math.max(0, Math.ceil(seconds.length * share) - 1)] ?? 0
  const { corpId } = company.wecom
  return {
    heads: people.length,
    acceptedP50S: at(0.5),
    acceptedP95S: at(0.95),
    acceptedMaxS: at(1),
    dropped: box.control.stats(corpId)?.dropped ?? 0,
    overQuota: box.companies.log({ corpId }).filter(({ errcode }) => errcode === 45009).length,
    states: Object.fromEntries(rows.map(({ state, n }) => [state, Number(n)])),
    booksBalanced: findings.length === 0,
  }
}

import type { Id } from '../../../contract/ids.ts'
import { wallAt } from '../../../contract/wall-clock.ts'
import { dayOf, instantOf, startOfDay } from '../../kernel/company-day.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, insertIgnore, sql } from '../../kernel/sql.ts'
import { findExpiringCompanies, readExpiring, type Expiring } from '../card/read-expiring.ts'
import { readCompany, type CompanyFacts } from '../company/read-company.ts'
import { inSpace, spaceOf } from '../company/read-user-id-space.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { matchPeople, type Match } from '../staff/match-people.ts'
import { isUserId, sendBody, textCard } from './message-bodies.ts'
import { sendNotificationJob } from './notification-jobs.ts'
import { sealCall } from './seal-notification.ts'

const DAY_MS = 86_400_000
/** A person hears of a card's end at most three times: this many days before. The most pressing comes first. */
const stages = [1, 7, 30] as const
/** Nobody is reminded twice in a day, nor more than three times in 30 days. */
const MOST_IN_30_DAYS = 3
/** Ten in the morning on the company's clocks. */
const REMIND_AT_MINUTE = 10 * 60
const AT_ONCE = 1000

/** Job `deliveries.remind`, daily: a job for each company whose people hold cards that end soon, at ten on its clocks. */
export async function remindAll(edge: Edge): Promise<void> {
  await edge.tx(async (tx) => {
    const now = tx.clock.now()
    for (const companyId of await findExpiringCompanies(tx, now, now + 31 * DAY_MS)) {
      const company = await readCompany(tx, companyId)
      if (company === null) continue
      const atMs = nextMorning(now, company.timeZone)
      const key = `company.remind:${companyId}:${dayOf(atMs, company.timeZone)}`
      await enqueue(tx, [{ kind: 'company.remind', key, args: { companyId }, readyAtMs: atMs }])
    }
  })
}

function nextMorning(nowMs: number, zone: string): number {
  const today = instantOf(dayOf(nowMs, zone), REMIND_AT_MINUTE, zone)
  return today > nowMs ? today : instantOf(dayOf(nowMs + DAY_MS, zone), REMIND_AT_MINUTE, zone)
}

/**
 * Job `company.remind`: one message to each person whose card with a balance ends within 30, 7 or 1 days, once for each
 * stage and day of ending, the same bytes for up to 1,000. A day that was missed is made up for the next. May be killed
 * and run again: whoever has a notification gets no second one. Throws OutsideError where finding accounts has to wait.
 */
export async function remindHolders(edge: Edge, companyId: Id<'company'>): Promise<void> {
  const company = await edge.read((tx) => readCompany(tx, companyId))
  if (company?.state !== 'active') return
  const now = edge.clock.now()
  for (const [index, stage] of stages.entries()) {
    const fromMs = now + (stages[index - 1] ?? 0) * DAY_MS
    const toMs = now + stage * DAY_MS
    for (let afterId = ''; ;) {
      const page = { fromMs, toMs, afterId, limit: AT_ONCE }
      const holders = await edge.read((tx) => readExpiring(tx, companyId, page))
      await remindSome(edge, company, stage, holders)
      if (holders.length < AT_ONCE) break
      afterId = holders.at(-1)!.holderId
    }
  }
}

async function remindSome(
  edge: Edge,
  company: CompanyFacts,
  stage: number,
  holders: readonly Expiring[],
): Promise<void> {
  const byDay = new Map<string, Id<'person'>[]>()
  for (const { holderId, expiresAtMs } of holders) {
    const day = dayOf(expiresAtMs, company.timeZone)
    byDay.set(day, [...(byDay.get(day) ?? []), holderId])
  }
  for (const [day, personIds] of byDay) {
    const subject = `reminder:${stage}:${day}`
    const due = await edge.read((tx) => leaveTired(tx, company, subject, personIds))
    if (due.length === 0) continue
    const matches = await matchPeople(edge, company.id, due)
    await edge.tx((tx) => write(tx, { company, subject, day, due, matches }))
  }
}

/** Without those who were told of this, or got as many reminders lately as one may. */
async function leaveTired(
  tx: Tx,
  company: CompanyFacts,
  subject: string,
  personIds: readonly Id<'person'>[],
): Promise<Id<'person'>[]> {
  const now = tx.clock.now()
  const today = startOfDay(dayOf(now, company.timeZone), company.timeZone)
  const rows = await sql<{ id: string }>(
    tx.em,
    `select receiver_id as id from notification
      where company_id = ? and receiver_id in (${personIds.map(() => '?').join(',')}) and kind = 'reminder'
        and (created_at_ms > ? or subject = ?)
      group by receiver_id
      having count(*) >= ? or max(created_at_ms) >= ? or max(case when subject = ? then 1 else 0 end) = 1`,
    [company.id, ...personIds, now - 30 * DAY_MS, subject, MOST_IN_30_DAYS, today, subject],
  )
  const tired = new Set(rows.map(({ id }) => id))
  return personIds.filter((id) => !tired.has(id))
}

interface Reminder {
  readonly company: CompanyFacts
  readonly subject: string
  /** On which day of the company the card ends. */
  readonly day: string
  readonly due: readonly Id<'person'>[]
  readonly matches: ReadonlyMap<Id<'person'>, Match>
}

/** One transaction: a notification each, carried by the first of them, with the exact bytes of their call. */
async function write(tx: Tx, { company, subject, day, due, matches }: Reminder): Promise<void> {
  const app = await readWecomApp(tx, company.id)
  if (app === null) return
  const userIds = new Map<Id<'notification'>, string>()
  const rows = due.flatMap((personId) => {
    const match = matches.get(personId)
    if (match === undefined || !('userid' in match) || !isUserId(match.userid)) return []
    const id = tx.newId('notification')
    userIds.set(id, match.userid)
    const facts = { id, company_id: company.id, kind: 'reminder', subject, receiver_id: personId }
    return [{ ...facts, state: 'planned', version: 1, calls: 0, created_at_ms: tx.clock.now() }]
  })
  if (rows.length === 0) return
  await insertIgnore(tx.em, 'notification', rows)
  // Another worker may have been faster with some of them.
  const ids = [...userIds.keys()]
  const held = await sql<{ id: Id<'notification'> }>(
    tx.em,
    `select id from notification where id in (${ids.map(() => '?').join(',')}) order by id`,
    ids,
  )
  const carrier = held[0]?.id
  if (carrier === undefined) return
  const people: Record<string, Id<'notification'>[]> = {}
  const names = new Map<string, string>()
  for (const { id } of held) {
    const userId = userIds.get(id) ?? ''
    const key = inSpace(spaceOf(app.kind), userId)
    people[key] = [...(people[key] ?? []), id]
    if (!names.has(key)) names.set(key, userId)
  }
  const body = sendBody({ agentId: app.agentId, userIds: [...names.values()] }, reminderCard(tx, company, day))
  await change(tx.em, 'update notification set body_sealed = ? where id = ?', [
    sealCall(tx, carrier, { kind: 'send', body, people }),
    carrier,
  ])
  const carried = held.slice(1).map(({ id }) => id)
  if (carried.length > 0)
    await change(tx.em, `update notification set carrier_id = ? where id in (${carried.map(() => '?').join(',')})`, [
      carrier,
      ...carried,
    ])
  await enqueue(tx, [sendNotificationJob(carrier)])
}

/** One card for all: it says neither how much nor who. */
function reminderCard(tx: Tx, company: CompanyFacts, day: string) {
  const link = new URL('/pack/', tx.house.publicUrl)
  link.searchParams.set('company', company.code)
  const [, month, date] = day.split('-').map(Number)
  const year = Number(day.slice(0, 4)) === Number(wallAt(tx.clock.now(), company.timeZone).day.slice(0, 4))
  const when = `${year ? '' : `${day.slice(0, 4)} 年 `}${month} 月 ${date} 日`
  return textCard({
    title: '您的福利卡快到期了',
    description: `${company.name}送您的福利卡将于 ${when}到期，卡里还有余额，请在到期前使用。`,
    url: link.href,
    button: '去看看',
  })
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { ProvidedMariadb } from '../scripts/mariadb.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { beside, endLeases, FACE_FEN, type CrashStage } from './crash-stage.ts'
import { approveByCard, makeTrouble, type Troubles } from './crash-trouble.ts'
import * as step from './steps.ts'

/** Where a campaign stood when the kill came. */
export type Moment = 'before' | 'issuing' | 'pushing' | 'done'

/** What one round found. In a house that keeps its promises all of it is 0 or empty, from `withoutCard` to `findings`. */
export interface RoundReport {
  readonly moments: readonly Moment[]
  /** People without a card or with more than one. */
  readonly withoutCard: number
  readonly withSeveralCards: number
  /** People whose inbox shows no message, or several, of this campaign. */
  readonly withoutMessage: number
  readonly withSeveralMessages: number
  readonly pending: number
  readonly failed: number
  /** Heads that are in no state, or in two. */
  readonly stray: number
  /** Messages that WeCom dropped silently, and calls that it refused because a limit was passed. */
  readonly dropped: number
  readonly overLimit: number
  readonly findings: readonly string[]
  /** Calls that the sandbox recognised as repeats and suppressed. */
  readonly repeats: number
  readonly states: Readonly<Record<string, number>>
  readonly troubles: Troubles
}

/** How something is killed and brought back. */
export interface Killer {
  /** Kills it; resolves when it is dead and the database can be read. */
  kill(): Promise<void>
  /** Brings it back; resolves when it works again, or when it was killed meanwhile. */
  revive(): Promise<void>
}

/** kill -9 of the server, and its next start. */
export function serverKiller(stage: CrashStage): Killer {
  return {
    kill: async () => {
      await stage.kill()
      await endLeases(stage)
    },
    revive: () => stage.restart(),
  }
}

/** kill -9 of the workers beside the server: one of them, or all at once. */
export function workerKiller(stage: CrashStage): Killer {
  let killed = stage.workers
  return {
    kill: async () => {
      const one = Math.floor(Math.random() * (stage.workers.length + 1))
      killed = one === stage.workers.length ? stage.workers : stage.workers.slice(one, one + 1)
      await Promise.all(killed.map((worker) => worker.kill()))
      // Of workers that live on, too: they work on beside whoever takes their jobs.
      await endLeases(stage)
    },
    revive: async () => void (await Promise.all(killed.map((worker) => worker.restart()))),
  }
}

/** kill -9 of the database under a server that lives on. The server's own jobs may come twice then: that is allowed. */
export function databaseKiller(stage: CrashStage, database: ProvidedMariadb | null): Killer {
  return {
    kill: async () => {
      if (!database?.kill || !database.restart) throw new Error('only a private MariaDB may be killed')
      database.kill()
      await database.restart()
    },
    // The next kill may come while the leases are ended: then the server's own sweep does it a minute later.
    revive: async () => void (await endLeases(stage).catch(() => 0)),
  }
}

/**
 * One campaign for everybody: approved, paid from the wallet, and killed `delaysMs.length` times while its cards are
 * made and pushed; the first delay counts from the payment, each other one from the beginning of the revival before it.
 * What was done already when a kill came is not killed again. With `faults` the approver presses the card in WeCom, and
 * tokens, calls and callbacks go wrong all the while. Then waits for the end and recounts: cards in the database, messages in every person's chat, the books.
 */
export async function crashRound(
  stage: CrashStage,
  title: string,
  killer: Killer,
  delaysMs: readonly number[],
  faults = false,
): Promise<RoundReport & { readonly tookMs: number }> {
  const before = await statsOf(stage)
  // Messages are laid into the chats at once and the answer comes late: many a kill falls in between.
  const delayMs = Math.round(150 + Math.random() * 300)
  await step.control(`${stage.wecomUrl}/__ctl/faults`, { path: 'message/send', kind: 'delay', delayMs, times: 50 })
  const { rosterId } = stage
  const wish = { rosterId, title, amountFrom: 'same', faceFen: FACE_FEN } as const
  const campaignId = await step.draftCampaign(stage.hr, wish)
  const { orderId, pressed } = faults
    ? await approveByCard(stage, campaignId)
    : { ...(await step.submitAndApprove(stage.hr, stage.approver, campaignId)), pressed: false }
  const trouble = faults ? makeTrouble(stage) : null
  await step.openPayment(stage.finance, orderId, 'wallet', stage.people.length * FACE_FEN)
  const paidAtMs = Date.now()
  const moments: Moment[] = []
  let revived: Promise<void> = Promise.resolve()
  for (const delay of delaysMs) {
    await sleep(delay)
    await killer.kill()
    await revived
    const moment = await momentOf(stage, orderId, campaignId)
    moments.push(moment)
    revived = killer.revive()
    if (moment === 'done') break
  }
  await revived
  if (delaysMs.length > 0) await trouble?.stop()
  const progress = await waitDone(stage, campaignId)
  const tookMs = Date.now() - paidAtMs
  const troubles = {
    ...(await trouble?.stop()),
    ...(faults && { [pressed ? 'approved by the card' : 'approved in the console']: 1 }),
  }
  const after = await statsOf(stage)
  await fetch(`${stage.wecomUrl}/__ctl/faults`, { method: 'DELETE' })
  return {
    moments,
    tookMs,
    troubles,
    ...(await recount(stage, orderId, campaignId)),
    pending: progress.delivery.pending,
    failed: progress.delivery.failed,
    dropped: after.dropped - before.dropped,
    overLimit: after.refused - before.refused,
    repeats: after.suppressedDuplicates - before.suppressedDuplicates,
  }
}

/** What the sandbox counted until now; `refused`: calls of any API that were one too many. */
async function statsOf({ wecomUrl, corp: { corpId } }: CrashStage) {
  const stats = `${wecomUrl}/__ctl/stats/${corpId}`
  const { suppressedDuplicates, dropped } =
    await step.control<Record<'suppressedDuplicates' | 'dropped', number>>(stats)
  const { calls } = await step.control<{ calls: { errcode: number }[] }>(`${wecomUrl}/__ctl/log?corpId=${corpId}`)
  return { suppressedDuplicates, dropped, refused: calls.filter(({ errcode }) => errcode === TOO_MANY).length }
}
const TOO_MANY = 45009

async function momentOf(stage: CrashStage, orderId: string, campaignId: string): Promise<Moment> {
  return beside(stage, async (tx) => {
    const count = async (text: string, id: string) => Number((await sql<{ n: unknown }>(tx.em, text, [id]))[0]?.n)
    const left = await count("select count(*) as n from order_slice where order_id = ? and state = 'planned'", orderId)
    const made = await count("select count(*) as n from order_slice where order_id = ? and state = 'issued'", orderId)
    const ended = await count(
      "select count(*) as n from delivery where campaign_id = ? and state in ('sent', 'opened', 'failed')",
      campaignId,
    )
    if (left > 0) return made > 0 ? 'issuing' : 'before'
    return ended === stage.people.length ? 'done' : 'pushing'
  })
}

/** Waits for the end through whatever is down at the moment; gives up after three minutes. */
async function waitDone(stage: CrashStage, campaignId: string) {
  const deadline = Date.now() + 180_000
  for (;;) {
    const progress = await stage.hr
      .call<Awaited<ReturnType<typeof step.waitDelivered>>>(`/hr/campaigns/${campaignId}/progress`)
      .catch(() => null)
    if (progress?.issued === stage.people.length && progress.delivery.pending === 0) return progress
    if (Date.now() > deadline) throw new Error(`the campaign does not end: ${JSON.stringify(progress)}`)
    await sleep(50)
  }
}

async function recount(stage: CrashStage, orderId: string, campaignId: string) {
  const { cards, heads, findings } = await beside(stage, async (tx) => ({
    cards: await sql<{ holder_id: string; n: unknown }>(
      tx.em,
      'select order_item.holder_id, count(card.id) as n from order_item left join card on card.order_item_id = order_item.id where order_item.order_id = ? group by order_item.holder_id',
      [orderId],
    ),
    heads: await sql<{ state: string; people: unknown; n: unknown }>(
      tx.em,
      'select state, count(distinct person_id) as people, count(*) as n from delivery where campaign_id = ? group by state',
      [campaignId],
    ),
    findings: await proveBooks(tx),
  }))
  const several = heads.filter(({ n, people }) => Number(n) !== Number(people)).length
  const counted = heads.reduce((total, { n }) => total + Number(n), 0)
  return {
    withoutCard: stage.people.length - cards.filter((row) => Number(row.n) > 0).length,
    withSeveralCards: cards.filter((row) => Number(row.n) > 1).length,
    ...(await countMessages(stage, campaignId)),
    states: Object.fromEntries(heads.map(({ state, n }) => [state, Number(n)])),
    stray: several + Math.abs(stage.people.length - counted),
    findings: findings.map((finding) => `${finding.rule} ${finding.subject} ${finding.detail}`),
  }
}

/** How many people found no message of a campaign in their chat, or several. */
async function countMessages({ wecomUrl, corp, people }: CrashStage, campaignId: string) {
  const received = await step.control<Record<string, number>>(
    `${wecomUrl}/__ctl/received/${corp.corpId}?link=${campaignId}`,
  )
  const membersWith = (least: number): number =>
    Object.entries(received).reduce((sum, [messages, members]) => (Number(messages) >= least ? sum + members : sum), 0)
  return { withoutMessage: people.length - membersWith(1), withSeveralMessages: membersWith(2) }
}

/** Whether a round kept every promise. */
export const isClean = (round: RoundReport): boolean =>
  round.withoutCard + round.withSeveralCards + round.withoutMessage + round.withSeveralMessages === 0 &&
  round.pending + round.failed + round.stray + round.dropped + round.overLimit + round.findings.length === 0

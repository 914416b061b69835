import { setTimeout as sleep } from 'node:timers/promises'
import type { ProvidedMariadb } from '../scripts/mariadb.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { beside, endLeases, FACE_FEN, type CrashStage } from './crash-stage.ts'
import * as step from './steps.ts'

/** Where a campaign stood when the kill came. */
export type Moment = 'before' | 'issuing' | 'pushing' | 'done'

/** What one round found. All of it is 0 or empty in a house that keeps its promises, except `moments` and `repeats`. */
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
  readonly findings: readonly string[]
  /** Calls that the sandbox recognised as repeats and suppressed. */
  readonly repeats: number
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
 * What was done already when a kill came is not killed again. Then waits for the end and recounts: cards in the database, messages in every person's chat, the books.
 */
export async function crashRound(
  stage: CrashStage,
  title: string,
  killer: Killer,
  delaysMs: readonly number[],
): Promise<RoundReport & { readonly tookMs: number }> {
  const before = await statsOf(stage)
  // Messages are laid into the chats at once and the answer comes late: many a kill falls in between.
  const delayMs = Math.round(150 + Math.random() * 300)
  await step.control(`${stage.wecomUrl}/__ctl/faults`, { path: 'message/send', kind: 'delay', delayMs, times: 50 })
  const { rosterId } = stage
  const wish = { rosterId, title, amountFrom: 'same', faceFen: FACE_FEN } as const
  const campaignId = await step.draftCampaign(stage.hr, wish)
  const { orderId } = await step.submitAndApprove(stage.hr, stage.approver, campaignId)
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
  const progress = await waitDone(stage, campaignId)
  const tookMs = Date.now() - paidAtMs
  const after = await statsOf(stage)
  await fetch(`${stage.wecomUrl}/__ctl/faults`, { method: 'DELETE' })
  return {
    moments,
    tookMs,
    ...(await recount(stage, orderId, campaignId)),
    pending: progress.delivery.pending,
    failed: progress.delivery.failed,
    repeats: after.suppressedDuplicates - before.suppressedDuplicates,
  }
}

const statsOf = (stage: CrashStage) =>
  step.control<{ suppressedDuplicates: number }>(`${stage.wecomUrl}/__ctl/stats/${stage.corp.corpId}`)

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
  const { cards, findings } = await beside(stage, async (tx) => ({
    cards: await sql<{ holder_id: string; n: unknown }>(
      tx.em,
      'select order_item.holder_id, count(card.id) as n from order_item left join card on card.order_item_id = order_item.id where order_item.order_id = ? group by order_item.holder_id',
      [orderId],
    ),
    findings: await proveBooks(tx),
  }))
  const messages = await countMessages(stage, campaignId)
  return {
    withoutCard: stage.people.length - cards.filter((row) => Number(row.n) > 0).length,
    withSeveralCards: cards.filter((row) => Number(row.n) > 1).length,
    withoutMessage: messages.filter((count) => count === 0).length,
    withSeveralMessages: messages.filter((count) => count > 1).length,
    findings: findings.map((finding) => `${finding.rule} ${finding.subject} ${finding.detail}`),
  }
}

/** How many messages of a campaign lie in each person's chat. */
async function countMessages(stage: CrashStage, campaignId: string): Promise<number[]> {
  const waiting = stage.people.map((person) => person.userid)
  const counts: number[] = []
  const hand = async (): Promise<void> => {
    for (let userid = waiting.shift(); userid !== undefined; userid = waiting.shift()) {
      const inbox = await step.control<{ message: { url: string | null } }[]>(
        `${stage.wecomUrl}/__ctl/inbox/${stage.corp.corpId}/${userid}`,
      )
      counts.push(inbox.filter((received) => received.message.url?.includes(campaignId) === true).length)
    }
  }
  await Promise.all(Array.from({ length: 16 }, hand))
  return counts
}

/** Whether a round kept every promise. */
export const isClean = (round: RoundReport): boolean =>
  round.withoutCard + round.withSeveralCards + round.withoutMessage + round.withSeveralMessages === 0 &&
  round.pending + round.failed + round.findings.length === 0

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from '../server/kernel/sql.ts'
import { beside, type CrashStage } from './crash-stage.ts'
import * as step from './steps.ts'
import { Refused } from './visitor.ts'

/** What goes wrong around a sender, beside being killed. */
const troubles = [
  'tokens expire',
  'tokens are voided',
  'a send fails',
  'callbacks are lost',
  'callbacks are doubled',
  'callbacks are reordered',
  'callbacks are late',
  'somebody opens a message',
  'somebody joins',
  'somebody leaves',
  'somebody moves',
] as const
type Trouble = (typeof troubles)[number]

/** How often each of them was made. */
export type Troubles = Readonly<Partial<Record<Trouble | 'approved by the card' | 'approved in the console', number>>>

/** How a single call of message/send goes wrong. Each of them passes within seconds. */
const sendFaults = [
  { kind: 'errcode', errcode: -1 },
  { kind: 'errcode', errcode: 45033 },
  { kind: 'cut_before' },
  { kind: 'cut_after' },
  { kind: 'status500_before' },
  { kind: 'status500_after' },
] as const
const callbackFaults = ['callback_lose', 'callback_repeat', 'callback_reorder', 'callback_delay'] as const

/** For so long it goes on at the most: after that the round comes to its end in peace. */
const MOST_MS = 15_000
/** A callback that was lost never comes: after so long the approver takes the console. */
const PRESS_MS = 3_000

/**
 * Makes trouble until it is stopped: tokens end in the middle, calls of message/send fail before and after their effect,
 * and members open messages, join, leave and move, so that there are callbacks to lose, double, reorder and delay.
 */
export function makeTrouble(stage: CrashStage): { stop(): Promise<Troubles> } {
  const made: Partial<Record<Trouble, number>> = {}
  const guests: string[] = []
  let stopped = false
  const end = Date.now() + MOST_MS
  const running = (async () => {
    while (!stopped && Date.now() < end) {
      const trouble = pick(troubles)
      // A callback address that was not verified in time as the server started gets no events: then this one is not made.
      const brought = await bring(stage, trouble, guests).then(
        () => true,
        () => false,
      )
      if (brought) made[trouble] = (made[trouble] ?? 0) + 1
      await sleep(20 + Math.random() * 150)
    }
  })()
  return {
    stop: async () => {
      stopped = true
      await running
      await fetch(`${stage.wecomUrl}/__ctl/faults`, { method: 'DELETE' })
      return made
    },
  }
}

async function bring(stage: CrashStage, trouble: Trouble, guests: string[]): Promise<void> {
  const { corpId } = stage.corp
  const tell = (path: string, body: object) => step.control(`${stage.wecomUrl}/__ctl${path}`, body)
  const fault = (kind: (typeof callbackFaults)[number], more: object = {}) => tell('/faults', { kind, ...more })
  const somebody = pick(stage.people).userid
  switch (trouble) {
    case 'tokens expire':
      return void (await tell('/expire-tokens', {}))
    case 'tokens are voided':
      return void (await tell('/void-tokens', {}))
    case 'a send fails':
      return void (await tell('/faults', { path: 'message/send', ...pick(sendFaults) }))
    case 'callbacks are lost':
      return void (await fault('callback_lose'))
    case 'callbacks are doubled':
      return void (await fault('callback_repeat', { copies: 3 }))
    case 'callbacks are reordered':
      return void (await fault('callback_reorder', { times: 3 }))
    case 'callbacks are late':
      return void (await fault('callback_delay', { delayMs: 200 + Math.round(Math.random() * 2_000) }))
    case 'somebody opens a message':
      return void (await tell('/callback/events', { corpId, event: 'enter_agent', userid: somebody }))
    case 'somebody joins': {
      const guest = `guest${Math.random().toString(36).slice(2)}`
      guests.push(guest)
      return void (await tell(`/members/${guest}/enter`, { corpId, name: '新同事' }))
    }
    case 'somebody leaves': {
      const guest = guests.shift()
      return void (guest && (await tell(`/members/${guest}/leave`, { corpId })))
    }
    case 'somebody moves':
      return void (await tell(`/members/${somebody}/change`, {
        corpId,
        name: `员工${Math.floor(Math.random() * 1e6)}`,
      }))
  }
}

/**
 * Submits a draft, and the approver presses the button of the card that comes in WeCom, while what WeCom tells of it may
 * be lost, doubled or late. Where nothing comes of the press, they approve in the console. The order's id.
 */
export async function approveByCard(
  stage: CrashStage,
  campaignId: string,
): Promise<{ orderId: string; pressed: boolean }> {
  const { contentHash } = await stage.hr.call<{ contentHash: string }>(`/hr/campaigns/${campaignId}/dry-run`)
  await stage.hr.call(`/hr/campaigns/${campaignId}/submit`, { json: { contentHash } })
  const { corpId } = stage.corp
  const approver = 'zhoumin'
  const card = await until(PRESS_MS, async () => {
    const inbox = await step.control<{ message: { id: string } }[]>(
      `${stage.wecomUrl}/__ctl/inbox/${corpId}/${approver}`,
    )
    return inbox.find((received) => JSON.stringify(received).includes(campaignId)) ?? null
  })
  if (card !== null) {
    const kind = pick([...callbackFaults, null])
    if (kind !== null) await step.control(`${stage.wecomUrl}/__ctl/faults`, { kind, delayMs: 500, copies: 3 })
    const messageId = card.message.id
    await step.control(`${stage.wecomUrl}/__ctl/members/${approver}/press`, { corpId, messageId, key: 'approve' })
    const orderId = await until(PRESS_MS, () => orderOf(stage, campaignId))
    if (orderId !== null) return { orderId, pressed: true }
  }
  const { orderId } = await stage.approver
    .call<{ orderId: string }>(`/hr/campaigns/${campaignId}/approve`, { json: { contentHash } })
    .catch(async (error: unknown) => {
      // The press came after all, and its order is being written at this moment.
      if (!(error instanceof Refused) || error.code !== 'state_conflict') throw error
      return { orderId: (await until(60_000, () => orderOf(stage, campaignId))) ?? '' }
    })
  return { orderId, pressed: false }
}

async function orderOf({ hr }: CrashStage, campaignId: string): Promise<string | null> {
  return (await hr.call<{ orderId: string | null }>(`/hr/campaigns/${campaignId}`)).orderId
}

/** Asks again and again; null when nothing came in time. */
async function until<T>(mostMs: number, ask: () => Promise<T | null>): Promise<T | null> {
  const end = Date.now() + mostMs
  for (;;) {
    const answer = await ask()
    if (answer !== null || Date.now() > end) return answer
    await sleep(50)
  }
}

/**
 * What became of the callbacks that we took, by their state, and how many copies of them came. Waits half a minute for
 * those that are still to be worked.
 */
export async function settledEvents(stage: CrashStage): Promise<Readonly<Record<string, number>>> {
  const end = Date.now() + 30_000
  for (;;) {
    const rows = await beside(stage, (tx) =>
      sql<{ state: string; n: unknown; copies: unknown }>(
        tx.em,
        'select state, count(*) as n, sum(copies) as copies from wecom_event group by state',
      ),
    )
    const counts = Object.fromEntries(rows.map(({ state, n }) => [state, Number(n)]))
    const copies = rows.reduce((sum, row) => sum + Number(row.copies), 0)
    if (counts['received'] === undefined || Date.now() > end) return { ...counts, copies }
    await sleep(500)
  }
}

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!

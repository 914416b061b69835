import type { Id } from '../../../contract/ids.ts'
import { massSendMoves } from '../../../contract/states.ts'
import type { WecomApp, WecomMassSendResult } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { nextAskMs } from './rules.ts'
import { MassSend } from './tables.ts'

type Counts = Readonly<Record<WecomMassSendResult['state'], number>>

/**
 * Job `mass-send.poll`: asks what became of a mass-sending task, contact by contact, and comes back until nobody waits
 * or a week is over. WeCom tells the same contact under each member who has them: one who was sent to counts as sent.
 */
export async function pollMassSend(edge: Edge, id: Id<'massSend'>, round: number): Promise<void> {
  const { row, app } = await edge.read(async (tx) => {
    const found = await tx.em.findOne(MassSend, { id }, { disableIdentityMap: true })
    return { row: found, app: found && (await readWecomApp(tx, found.companyId)) }
  })
  if (row === null || row.state !== 'created' || !row.messageId) return
  const told = app === null ? null : await askResults(edge, app, row.messageId)
  await edge.tx(async (tx) => {
    if (told !== null) await recordCounts(tx, row, told)
    await goOn(tx, row, round)
  })
}

/** Better news wins where two members have the same contact. */
const rank: readonly WecomMassSendResult['state'][] = ['not_friend', 'unsent', 'over_quota', 'sent']

async function askResults(edge: Edge, app: WecomApp, messageId: string): Promise<Counts | null> {
  const states = new Map<string, WecomMassSendResult['state']>()
  try {
    for (const userid of await askMembers(edge, app, messageId)) {
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<typeof edge.ports.wecom.massSendResults>> =
          await edge.ports.wecom.massSendResults(app, messageId, userid, cursor)
        for (const { externalUserId, state } of page.items) {
          const known = states.get(externalUserId)
          if (known === undefined || rank.indexOf(state) > rank.indexOf(known)) states.set(externalUserId, state)
        }
        cursor = page.next
      } while (cursor !== null)
    }
  } catch (error) {
    if (!(error instanceof OutsideError) || error.outcome !== 'refused') throw error
    edge.log.warn({ code: error.code }, 'wecom does not tell the result of a mass-sending task')
    return null
  }
  const count = (state: WecomMassSendResult['state']) => [...states.values()].filter((one) => one === state).length
  return {
    unsent: count('unsent'),
    sent: count('sent'),
    not_friend: count('not_friend'),
    over_quota: count('over_quota'),
  }
}

async function askMembers(edge: Edge, app: WecomApp, messageId: string): Promise<string[]> {
  const members: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof edge.ports.wecom.massSendTasks>> = await edge.ports.wecom.massSendTasks(
      app,
      messageId,
      cursor,
    )
    members.push(...page.items.map(({ userid }) => userid))
    cursor = page.next
  } while (cursor !== null)
  return members
}

interface Row {
  readonly id: Id<'massSend'>
  readonly targets: number
  readonly createdAtMs: number
}

/** The counts always add up to the targets: whom WeCom does not tell of is no friend of any member any more. */
async function recordCounts(tx: Tx, row: Row, told: Counts): Promise<void> {
  const now = tx.clock.now()
  const sent = Math.min(told.sent, row.targets)
  const overQuota = Math.min(told.over_quota, row.targets - sent)
  const waiting = Math.min(told.unsent, row.targets - sent - overQuota)
  const rest = row.targets - sent - overQuota - waiting
  // Before WeCom has made the members' tasks nothing is told at all; nobody is lost by that.
  const heard = sent + overQuota + waiting + told.not_friend > 0
  if (!heard) return void (await change(tx.em, 'update mass_send set asked_at_ms = ? where id = ?', [now, row.id]))
  await change(
    tx.em,
    "update mass_send set sent = ?, over_quota = ?, waiting = ?, not_friends = ?, asked_at_ms = ? where id = ? and state = 'created'",
    [sent, overQuota, waiting, rest, now, row.id],
  )
}

async function goOn(tx: Tx, row: Row, round: number): Promise<void> {
  const now = tx.clock.now()
  const fresh = await tx.em.findOneOrFail(MassSend, { id: row.id }, { disableIdentityMap: true })
  const wait = nextAskMs(now - row.createdAtMs)
  if (wait === null || fresh.waiting === 0) {
    await move(tx, { table: 'mass_send', id: row.id, from: 'created', to: 'finished', moves: massSendMoves })
    return
  }
  const args = { massSendId: row.id, round: round + 1 }
  await enqueue(tx, [
    { kind: 'mass-send.poll', key: `mass-send.poll:${row.id}:${round + 1}`, args, readyAtMs: now + wait },
  ])
}

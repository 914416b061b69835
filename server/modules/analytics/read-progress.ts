import { setTimeout as sleep } from 'node:timers/promises'
import { deliveryReasons, deliveryReasonSentence } from '../../../contract/delivery-reasons.ts'
import type { Lang } from '../../../contract/error-codes.ts'
import type { Progress } from '../../../contract/hr/delivery.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import type { SendEvent } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { readCarried, readFailures, readRecalls } from '../delivery/read-deliveries.ts'
import { countRecallable } from '../delivery/recall-campaign.ts'
import { readStages } from './read-campaigns.ts'

const LOOK_MS = 500
const BEAT_MS = 15_000

/**
 * Where one campaign of the own company stands: paid, made, sent, opened, and who was not reached and why. Refuses with
 * `not_found` for others, and `state_conflict` before its approval.
 */
export async function readProgress(tx: Tx, campaignId: Id<'campaign'>, lang: Lang): Promise<Progress> {
  const campaign = await findOwnCampaign(tx, campaignId)
  const { id, state, orderId = null, heads = null, priceTotalFen = null } = campaign
  if (orderId === null) return refuse('state_conflict')
  const stages = (await readStages(tx, [{ id, orderId, heads, priceTotalFen }])).get(id)
  if (stages === undefined) return refuse('not_found')
  const failures = await readFailures(tx, id)
  // Whoever opened the card is past recalling, and so are messages of yesterday.
  const unopened = stages.delivery.sent - stages.delivery.opened
  const recallable = Math.min(unopened, await countRecallable(tx, id))
  return {
    ...stages,
    campaignId: id,
    state,
    orderId,
    failures: failures.map(({ reason, count }) => ({
      reason,
      text: deliveryReasonSentence(reason, lang),
      retryable: deliveryReasons[reason].retryable,
      count,
    })),
    carried: await readCarried(tx, id),
    recall: { recallable, tooOld: unopened - recallable, batches: await readRecalls(tx, id) },
  }
}

/** Sends the progress whenever it has changed, until nothing more can change by itself or the other side leaves. */
export async function followProgress(
  edge: Edge,
  campaignId: Id<'campaign'>,
  lang: Lang,
  send: SendEvent,
  gone: AbortSignal,
): Promise<void> {
  let shown = ''
  let sentAtMs = edge.clock.now()
  while (!gone.aborted) {
    const progress = await edge.read((tx) => readProgress(tx, campaignId, lang))
    const text = JSON.stringify(progress)
    if (text !== shown && !send('progress', progress)) return
    if (text !== shown) sentAtMs = edge.clock.now()
    shown = text
    if (isOver(progress)) return
    if (edge.clock.now() - sentAtMs >= BEAT_MS) {
      // A line now and then keeps what stands between from closing a quiet connection.
      if (!send('beat', {})) return
      sentAtMs = edge.clock.now()
    }
    await sleep(LOOK_MS, undefined, { signal: gone }).catch(() => undefined)
  }
}

/** A finished campaign moves again after a resend; it is over once nobody is pending. */
const isOver = ({ state, delivery }: Progress): boolean =>
  state === 'cancelled' || (state === 'finished' && delivery.pending === 0)

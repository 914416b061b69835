import type { DeliveryReason } from '../../../contract/delivery-reasons.ts'
import type { WecomApp, WecomSent } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { nextChinaDay } from './china-day.ts'
import { meaningOfCode } from './reasons-of-codes.ts'
import { waitAfter } from './rules.ts'
import { RESERVATION_MS } from './send-limits.ts'

/** One call of message/send, written down before it is made. */
export interface Call {
  readonly app: WecomApp
  readonly body: string
  /** How many calls there were with this one. */
  readonly calls: number
  /** An earlier call went out and nobody knows what became of it. */
  readonly doubtful: boolean
  /** When it was counted against WeCom's limits. */
  readonly atMs: number
}

/** How a call ended. */
export type Ending =
  | { readonly sent: WecomSent }
  /** Nothing more will be tried. `reached`: some of it may have arrived all the same. `broken`: the code of a dead connection. */
  | { readonly failed: DeliveryReason; readonly reached: boolean; readonly broken?: string }
  /** Called again with the same bytes. `noEffect`: it certainly reached nobody. */
  | { readonly later: number; readonly noEffect: boolean }
  /** Nobody was reached, and nobody else will be before that instant: the app's quota of the day is used up. */
  | { readonly closedUntilMs: number }

/** Calls that were answered with "too many" before we take the day for used up: a block of a minute would be over. */
const QUOTA_CALLS = 3
const MINUTE_MS = 60_000

/**
 * Calls WeCom, outside of any transaction, and judges the answer by section 9 of its protocol sheet. A call that could
 * not begin soon after it was counted is not made.
 */
export async function callAndJudge(edge: Edge, call: Call): Promise<Ending> {
  const { app, body, calls, doubtful } = call
  const aged = edge.clock.now() - call.atMs > RESERVATION_MS
  if (aged) return { later: 0, noEffect: !doubtful }
  try {
    return { sent: await edge.ports.wecom.send(app, body) }
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    const { outcome, code } = error
    edge.log.warn({ outcome, code, calls }, 'a message was not answered as sent')
    return judge(error, call, edge.clock.now())
  }
}

function judge(error: OutsideError, { calls, doubtful }: Call, nowMs: number): Ending {
  // What an earlier, unanswered call did is not undone by this refusal.
  const give = (reason: DeliveryReason, broken?: string): Ending => ({
    ...(doubtful ? { failed: 'outcome_unknown', reached: true } : { failed: reason, reached: false }),
    ...(broken === undefined ? {} : { broken }),
  })
  const meaning = meaningOfCode(error.code)
  switch (error.outcome) {
    case 'unknown':
      return { later: waitAfter(calls), noEffect: false }
    case 'busy':
      if (isQuota(error, meaning) && calls >= QUOTA_CALLS)
        return doubtful ? give('quota_used_up') : { closedUntilMs: nextChinaDay(nowMs) + MINUTE_MS }
      return { later: Math.max(error.retryAfterMs, waitAfter(calls)), noEffect: !doubtful }
    case 'refused':
      return give(reasonOf(meaning) ?? 'refused_by_wecom')
    case 'broken':
      // Some codes are a matter of these people's accounts (701008): the connection stands.
      return give(reasonOf(meaning) ?? 'app_not_connected', isBreaking(meaning) ? error.code : undefined)
  }
}

type Meaning = ReturnType<typeof meaningOfCode>
const reasonOf = (meaning: Meaning): DeliveryReason | null =>
  meaning !== null && 'reason' in meaning ? meaning.reason : null
const isBreaking = (meaning: Meaning): boolean => meaning === null || ('breaks' in meaning && meaning.breaks === true)

/** 45009 on a message is the app's quota of the day (protocols wecom 10); on `gettoken` it is a block of our address. */
const isQuota = (error: OutsideError, meaning: Meaning): boolean =>
  meaning !== null && 'wait' in meaning && meaning.wait === 'tomorrow' && error.message.includes('message/send')

import { fen, type Fen } from '../../../contract/fen.ts'
import type { SplitReceiverState } from '../../../contract/states.ts'
import {
  reactTo,
  RECEIVERS_PER_CALL,
  CALLS_PER_TRANSACTION,
  sumShares,
  takeShares,
  type Party,
  type Share,
  type Target,
} from './rules.ts'

/** A receiver of a call that was made. */
export interface TriedReceiver {
  readonly account: string
  readonly amountFen: number
  readonly state: SplitReceiverState
  readonly failReason: string | null
  readonly finishedAtMs: number | null
}
/** What was decided about a receiver: not by sharing any more, or refusals that count no more. */
export interface Verdict {
  readonly reason: string | null
  readonly forgiven: number
}
export type Verdicts = Readonly<Record<string, Verdict>>

export interface NextOf {
  readonly targets: readonly Target[]
  readonly tried: readonly TriedReceiver[]
  readonly verdicts: Verdicts
  /** What of the transaction may still be shared. */
  readonly roomFen: number
  /** Calls of sharing that count against the limit of the transaction. */
  readonly callsMade: number
  readonly nowMs: number
}

/** A receiver of a call to make. */
export interface PlannedReceiver {
  readonly account: string
  readonly party: Party
  readonly amountFen: Fen
  readonly shares: readonly Share[]
  /** WeChat Pay did not like the words of an earlier call. */
  readonly plain: boolean
}
export type NextWork =
  | { readonly kind: 'share'; readonly calls: readonly (readonly PlannedReceiver[])[] }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'stuck'; readonly reason: string }
  | { readonly kind: 'unfreeze' }

/**
 * What a split that is at rest needs next: the calls that can be made now, each with as many receivers as it takes; else
 * the next instant to try a refused receiver again; else a person; else the rest is unfrozen. `givenUp` names receivers
 * whose reason sends them to a payout.
 */
export function nextWork(of: NextOf): { work: NextWork; givenUp: Record<string, string> } {
  const givenUp: Record<string, string> = {}
  const ready: PlannedReceiver[] = []
  let room = of.roomFen
  let untilMs: number | null = null
  let stuck: string | null = null
  for (const target of of.targets) {
    const judged = judge(target, of)
    switch (judged.kind) {
      case 'done':
        break
      case 'payout':
        givenUp[target.account] = judged.reason
        break
      case 'stuck':
        stuck ??= judged.reason
        break
      case 'wait':
        untilMs = Math.min(untilMs ?? judged.untilMs, judged.untilMs)
        break
      case 'ready': {
        const amount = Math.min(judged.restFen, room)
        room -= amount
        if (amount > 0) ready.push(receiverOf(target, judged, amount))
      }
    }
  }
  const free = CALLS_PER_TRANSACTION - 1 - of.callsMade
  const calls = inCalls(ready).slice(0, Math.max(0, free))
  if (calls.length > 0) return { work: { kind: 'share', calls }, givenUp }
  if (untilMs !== null && free > 0) return { work: { kind: 'wait', untilMs }, givenUp }
  if (stuck !== null) return { work: { kind: 'stuck', reason: stuck }, givenUp }
  return { work: { kind: 'unfreeze' }, givenUp }
}

type Judged =
  | { readonly kind: 'done' }
  | { readonly kind: 'payout' | 'stuck'; readonly reason: string }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'ready'; readonly gotFen: number; readonly restFen: number; readonly plain: boolean }

function judge(target: Target, of: NextOf): Judged {
  const own = of.tried.filter((one) => one.account === target.account)
  const gotFen = own.filter((one) => one.state !== 'closed').reduce((sum, one) => sum + one.amountFen, 0)
  const restFen = sumShares(target.shares) - gotFen
  const verdict = of.verdicts[target.account]
  if (restFen <= 0 || (verdict !== undefined && verdict.reason !== null)) return { kind: 'done' }
  const closed = own.filter((one) => one.state === 'closed').slice(verdict?.forgiven ?? 0)
  const last = closed.at(-1)
  if (last === undefined) return { kind: 'ready', gotFen, restFen, plain: false }
  const reason = last.failReason ?? 'UNKNOWN'
  const reaction = reactTo(reason, closed.length)
  if (reaction.kind === 'payout') return { kind: 'payout', reason }
  if (reaction.kind === 'person') return { kind: 'stuck', reason }
  const untilMs = (last.finishedAtMs ?? of.nowMs) + reaction.afterMs
  if (untilMs > of.nowMs) return { kind: 'wait', untilMs }
  return { kind: 'ready', gotFen, restFen, plain: reason === 'INVALID_REQUEST' }
}

function receiverOf(target: Target, judged: { gotFen: number; plain: boolean }, amount: number): PlannedReceiver {
  const { account, party } = target
  const shares = takeShares(target.shares, judged.gotFen, amount)
  return { account, party, amountFen: fen(amount), shares, plain: judged.plain }
}

function inCalls(receivers: readonly PlannedReceiver[]): PlannedReceiver[][] {
  const calls: PlannedReceiver[][] = []
  for (let from = 0; from < receivers.length; from += RECEIVERS_PER_CALL)
    calls.push(receivers.slice(from, from + RECEIVERS_PER_CALL))
  return calls
}

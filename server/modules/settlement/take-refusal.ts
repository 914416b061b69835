import type { Tx } from '../../kernel/context.ts'
import type { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { endFlight } from '../funding/take-flight.ts'
import { finishSplit, wakeRefund } from './finish-split.ts'
import type { Target } from './rules.ts'
import { nextTryMs } from './rules.ts'
import { giveUp, loseCalls, moveSplit, readCalls } from './plan-next.ts'
import { scheduleSplit } from './schedule-split.ts'
import { ShareRelation, SplitReceiver, type SplitCallRow, type SplitRow } from './tables.ts'

const TOO_EARLY_MS = 60_000
const BROKEN_MS = 600_000
/** A refusal of the same kind so often: somebody must look. */
const MOST_REFUSALS = 3

/**
 * What follows from a call that did not succeed. Not known or overloaded: it is asked about later under its number. Too
 * early: later, the same number, and the transaction is free meanwhile. Refused for good: the call is lost, which is
 * certain, and what is due is planned anew; where that cannot help, a person must look. The caller holds the order.
 */
export async function takeRefusal(tx: Tx, split: SplitRow, call: SplitCallRow, error: OutsideError): Promise<void> {
  const now = tx.clock.now()
  const code = error.code.slice(0, 40)
  /** It certainly took no effect: the transaction is free until it is tried again. */
  const rest = async (afterMs: number) => {
    await change(tx.em, 'update split_call set error = ? where id = ?', [code, call.id])
    await endFlight(tx, split.paymentId, split.id)
    await scheduleSplit(tx, split, { kind: 'call', atMs: now + afterMs })
  }
  // Said by the second host after the first gave no answer it is `unknown`: the first may have taken the call.
  if (code === 'SHARING_TOO_EARLY' && error.outcome === 'refused') return rest(TOO_EARLY_MS)
  switch (error.outcome) {
    case 'unknown':
      await scheduleSplit(tx, split, { kind: 'call', atMs: now + nextTryMs(call.tries) })
      return
    case 'busy':
      await scheduleSplit(tx, split, { kind: 'call', atMs: now + Math.max(1_000, error.retryAfterMs) })
      return
    case 'broken':
      if (code === 'NO_AUTH') return askPerson(tx, split, call, code)
      return rest(BROKEN_MS)
    case 'refused':
      return takeNo(tx, split, call, code)
  }
}

async function takeNo(tx: Tx, split: SplitRow, call: SplitCallRow, code: string): Promise<void> {
  if (call.kind === 'unfreeze' && (code === 'NOT_ENOUGH' || code === 'SHARING_ENDED')) {
    // Nothing is left: WeChat Pay has unfrozen it by itself, or an earlier call did.
    await loseCalls(tx, [call], code)
    return finishSplit(tx, split, null)
  }
  const again = call.kind === 'share' && (await count(tx, split, code)) < MOST_REFUSALS
  switch (code) {
    case 'SHARING_ENDED':
      await giveUp(tx, split, await targetsLeft(split, code))
      break
    case 'SHARING_NO_RELATION':
    case 'NO_RELATION':
      if (!again) return askPerson(tx, split, call, code)
      await forgetRelations(tx, split, call)
      break
    case 'NOT_ENOUGH':
      if (!again) return askPerson(tx, split, call, code)
      break
    default:
      return askPerson(tx, split, call, code)
  }
  await loseCalls(tx, [call], code)
  await endFlight(tx, split.paymentId, split.id)
  await scheduleSplit(tx, split, { kind: 'call', atMs: tx.clock.now() })
}

/** How many calls of the split were lost for this reason. */
const count = async (tx: Tx, split: SplitRow, code: string): Promise<number> =>
  (await readCalls(tx, split)).filter((one) => one.state === 'lost' && one.error === code).length

const targetsLeft = async (split: SplitRow, reason: string): Promise<Record<string, string>> =>
  Object.fromEntries((JSON.parse(split.targets) as Target[]).map((target) => [target.account, reason]))

async function forgetRelations(tx: Tx, split: SplitRow, call: SplitCallRow): Promise<void> {
  const rows = await tx.em.find(SplitReceiver, { callId: call.id }, { disableIdentityMap: true })
  const account = { $in: rows.map((row) => row.account) }
  await tx.em.nativeDelete(ShareRelation, { mchid: split.mchid, account })
}

/** Nothing of it is under way: the transaction is free, and the split waits for a person. */
async function askPerson(tx: Tx, split: SplitRow, call: SplitCallRow, code: string): Promise<void> {
  if (call.state === 'planned' || call.state === 'sent') await loseCalls(tx, [call], code)
  await moveSplit(tx, split, 'stuck', code)
  await endFlight(tx, split.paymentId, split.id)
  await change(tx.em, 'update split set step = step + 1, next_at_ms = null where id = ?', [split.id])
  if (split.unfreezeFor) await wakeRefund(tx, split.unfreezeFor, `stuck:${split.step}`)
}

import type { Id } from '../../../contract/ids.ts'
import { splitCallMoves } from '../../../contract/states.ts'
import type { ShareFacts, WechatPayMerchant } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { endFlight, takeFlight } from '../funding/take-flight.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { ensureRelations } from './ensure-relations.ts'
import { readGone } from './note-refund.ts'
import { mayCallNow } from './pace.ts'
import { loseCalls, moveSplit, planNext, readCalls, stillDue } from './plan-next.ts'
import { recordShare } from './record-share.ts'
import { takeRefusal } from './take-refusal.ts'
import { nextPollMs } from './rules.ts'
import { scheduleSplit } from './schedule-split.ts'
import { Split, SplitReceiver, type SplitCallRow, type SplitRow } from './tables.ts'

/** How often to look where a refund has the transaction. */
const LOOK_MS = 15_000

interface Held {
  readonly split: SplitRow
  readonly call: SplitCallRow
}

/**
 * The body of jobs `share.send` and `share.poll`: brings a split one call further. A call that was sent and not answered
 * is asked about before it is sent again, with the same number and body. It may be killed at any point and run again,
 * twice at once too: what `step` another run has passed does nothing. The transaction is held for sharing from the call's
 * sending until its end, and free in between, so that refunds get their turn.
 */
export async function driveSplit(edge: Edge, splitId: Id<'split'>, step: number): Promise<void> {
  const held = await edge.tx((tx) => begin(tx, edge, splitId, step))
  if (held === null) return
  if (held.call.state !== 'planned') return ask(edge, held)
  const ready = await prepare(edge, held)
  if (ready !== null) await (ready.beside ? ask(edge, ready) : send(edge, ready))
}

const merchantOf = (split: SplitRow): WechatPayMerchant => ({ mchid: split.mchid, appid: split.appid })

/** Reads a split at this step while its order is held; null when the step is over. */
async function readAtStep(tx: Tx, splitId: Id<'split'>, step: number): Promise<SplitRow | null> {
  const read = async () => {
    const split = await tx.em.findOne(Split, { id: splitId }, { disableIdentityMap: true })
    return split?.step === step && split.state !== 'finished' && split.state !== 'stuck' ? split : null
  }
  const seen = await read()
  if (seen === null) return null
  await lockOrders(tx, [seen.orderId])
  // Another run of the same step may have ended it while we waited for the order.
  return read()
}

/** The call to ask about, or to send next; null where there is none now, and the next job is written. */
async function begin(tx: Tx, edge: Edge, splitId: Id<'split'>, step: number): Promise<Held | null> {
  const split = await readAtStep(tx, splitId, step)
  if (split === null) return null
  const open = await readOpenCall(tx, split)
  if (!open) return takeNext(tx, edge, split)
  if (open.error === null || open.error === undefined) return { split, call: open }
  return takeRested(tx, edge, split, open)
}

const readOpenCall = async (tx: Tx, split: SplitRow): Promise<SplitCallRow | undefined> =>
  (await readCalls(tx, split)).find((call) => call.state === 'sent' || call.state === 'processing')

/**
 * A call that was refused for now: it took no effect, and the transaction was free meanwhile. The same number again,
 * unless a refund has changed what is due: then it is lost and planned anew.
 */
async function takeRested(tx: Tx, edge: Edge, split: SplitRow, call: SplitCallRow): Promise<Held | null> {
  if (!(await holdTransaction(tx, split))) return null
  if (await stillDue(tx, split, call)) {
    await change(tx.em, 'update split_call set error = null where id = ?', [call.id])
    return { split, call: { ...call, error: null } }
  }
  await loseCalls(tx, [call], call.error ?? null)
  return takeNext(tx, edge, split)
}

/** Takes the transaction for sharing; false, and a later look, where a refund has it. */
async function holdTransaction(tx: Tx, split: SplitRow): Promise<boolean> {
  if (split.unfreezeFor !== null && split.unfreezeFor !== undefined) return true
  if (!(await takeFlight(tx, split.paymentId, 'share', split.id))) {
    await scheduleSplit(tx, split, { kind: 'look', atMs: tx.clock.now() + LOOK_MS })
    return false
  }
  await syncRefunded(tx, split)
  return true
}

/** Takes the transaction, unless a refund has it, and brings what is planned in line with what is due. */
async function takeNext(tx: Tx, edge: Edge, split: SplitRow, unsplitFen?: number): Promise<Held | null> {
  if (!(await holdTransaction(tx, split))) return null
  const next = await planNext(tx, edge.ports.wechatPay, split, unsplitFen)
  if (next.kind === 'call') return { split, call: next.call }
  await endFlight(tx, split.paymentId, split.id)
  if (next.kind === 'wait') await scheduleSplit(tx, split, { kind: 'look', atMs: next.untilMs })
  return null
}

/** While we have the transaction no refund is under way: what went back stands. */
async function syncRefunded(tx: Tx, split: SplitRow): Promise<void> {
  split.refundedFen = await readGone(tx, split.paymentId)
  await change(tx.em, 'update split set refunded_fen = ?, version = version + 1 where id = ?', [
    split.refundedFen,
    split.id,
  ])
}

/**
 * Relations, what is left to share and the merchant's turn; then the call is marked as sent, before it is. `beside`:
 * another run of this step has sent one meanwhile, whose outcome nobody knows: nothing else goes out before it.
 */
async function prepare(edge: Edge, { split, call }: Held): Promise<(Held & { readonly beside: boolean }) | null> {
  const { id, step } = split
  try {
    if (!(await mayCallNow(edge, split.mchid))) return await restAgain(edge, split, 0)
    let unsplitFen: number | undefined
    if (call.kind === 'share') {
      await ensureRelations(edge, merchantOf(split), await edge.read((tx) => readAccounts(tx, call)))
      unsplitFen = await edge.ports.wechatPay.unsplitAmount(merchantOf(split), split.transactionId)
    }
    return await edge.tx(async (tx) => {
      const now = await readAtStep(tx, id, step)
      if (now === null) return null
      const open = await readOpenCall(tx, now)
      if (open) return { split: now, call: open, beside: true }
      const next = await takeNext(tx, edge, now, unsplitFen)
      if (next === null || next.call.state !== 'planned') return null
      const sent = await markSent(tx, now, next.call)
      return sent && { ...sent, beside: false }
    })
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    return edge.tx(async (tx) => {
      const now = await readAtStep(tx, id, step)
      if (now === null) return null
      if (await readOpenCall(tx, now)) await scheduleSplit(tx, now, { kind: 'call', atMs: tx.clock.now() })
      else await takeRefusal(tx, now, call, error)
      return null
    })
  }
}

async function restAgain(edge: Edge, split: SplitRow, afterMs: number): Promise<null> {
  await edge.tx(async (tx) => {
    const now = await readAtStep(tx, split.id, split.step)
    if (now === null) return
    if (!(await readOpenCall(tx, now))) await endFlight(tx, now.paymentId, now.id)
    await scheduleSplit(tx, now, { kind: 'call', atMs: tx.clock.now() + afterMs })
  })
  return null
}

async function markSent(tx: Tx, split: SplitRow, call: SplitCallRow): Promise<Held | null> {
  const now = tx.clock.now()
  const moved = await move(tx, {
    table: 'split_call',
    id: call.id,
    from: 'planned',
    to: 'sent',
    moves: splitCallMoves,
    set: { sent_at_ms: now, tries: 1 },
  })
  if (!moved) return null
  if (call.kind === 'share') await moveSplit(tx, split, 'sharing')
  await change(tx.em, 'update split set last_call_at_ms = ? where id = ?', [now, split.id])
  return { split: { ...split, lastCallAtMs: now }, call: { ...call, state: 'sent', tries: 1, sentAtMs: now } }
}

const readAccounts = async (tx: Tx, call: SplitCallRow) =>
  (await tx.em.find(SplitReceiver, { callId: call.id }, { disableIdentityMap: true })).map(({ account, party }) => {
    return { account, party }
  })

async function send(edge: Edge, { split, call }: Held): Promise<void> {
  const { wechatPay } = edge.ports
  const merchant = merchantOf(split)
  await hear(edge, { split, call }, () =>
    call.kind === 'share' ? wechatPay.share(merchant, call.body) : wechatPay.unfreeze(merchant, call.body),
  )
}

/** A call that was sent: asked about first; where WeChat Pay has no such number it never arrived and is sent again. */
async function ask(edge: Edge, { split, call }: Held): Promise<void> {
  const { wechatPay } = edge.ports
  let known: ShareFacts | null = null
  const answered = await hear(edge, { split, call }, async () => {
    known = await wechatPay.queryShare(merchantOf(split), split.transactionId, call.outOrderNo)
    return known
  })
  if (!answered || known !== null) return
  if (call.state === 'processing') throw new Error(`split call ${call.id} is not known to WeChat Pay any more`)
  if (!(await mayCallNow(edge, split.mchid))) {
    await edge.tx(async (tx) => {
      const now = await readAtStep(tx, split.id, split.step)
      if (now !== null) await scheduleSplit(tx, now, { kind: 'call', atMs: tx.clock.now() })
    })
    return
  }
  await edge.tx(async (tx) => {
    await change(tx.em, 'update split_call set tries = tries + 1 where id = ?', [call.id])
    await change(tx.em, 'update split set last_call_at_ms = ? where id = ?', [tx.clock.now(), split.id])
  })
  await send(edge, { split, call: { ...call, tries: call.tries + 1 } })
}

/** Listens to an answer and writes it down with the next job. False when there was none to take. */
async function hear(edge: Edge, held: Held, calling: () => Promise<ShareFacts | null>): Promise<boolean> {
  const { id, step } = held.split
  try {
    const facts = await calling()
    if (facts !== null) await edge.tx((tx) => takeAnswer(tx, edge, id, step, held.call, facts))
    return true
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    await edge.tx(async (tx) => {
      const split = await readAtStep(tx, id, step)
      const call = split && (await readCalls(tx, split)).find((one) => one.id === held.call.id)
      if (split && call) await takeRefusal(tx, split, call, error)
    })
    return false
  }
}

async function takeAnswer(
  tx: Tx,
  edge: Edge,
  splitId: Id<'split'>,
  step: number,
  asked: SplitCallRow,
  facts: ShareFacts,
): Promise<void> {
  const split = await readAtStep(tx, splitId, step)
  const call = split && (await readCalls(tx, split)).find((one) => one.id === asked.id)
  if (!split || !call) return
  const now = tx.clock.now()
  if (await recordShare(tx, split, call, facts)) {
    if (split.state === 'finished') return
    await endFlight(tx, split.paymentId, split.id)
    await scheduleSplit(tx, split, { kind: 'call', atMs: now })
    return
  }
  await change(tx.em, 'update split_call set polls = polls + 1 where id = ?', [call.id])
  await scheduleSplit(tx, split, { kind: 'poll', atMs: now + nextPollMs(call.polls) })
}

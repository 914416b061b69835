import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { splitReceiverMoves, splitReturnMoves } from '../../../contract/states.ts'
import type { ReturnFacts, WechatPayMerchant } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { wakeRefund } from './finish-split.ts'
import { owedTo } from './record-share.ts'
import { nextReturnPollMs, nextTryMs, takeShares, type Share } from './rules.ts'
import { Split, SplitCall, SplitReceiver, SplitReturn, type SplitReturnRow, type SplitRow } from './tables.ts'

export interface WantedReturn {
  readonly receiverId: Id<'splitReceiver'>
  readonly amountFen: Fen
}
const RETURN_WORDS = '退款退回分账'
const NOT_READY_MS = 60_000
const BROKEN_MS = 600_000

/**
 * Asks receivers of a split to give back what they got for a refund part: each return with its number, and a job
 * `share.return` that brings it to its end and then wakes the part (`refund.part`). The caller has the transaction's
 * flight for the part. Throws when a receiver has less than is wanted.
 */
export async function planReturns(
  tx: Tx,
  splitId: Id<'split'>,
  refundPartId: Id<'refundPart'>,
  wanted: readonly WantedReturn[],
): Promise<void> {
  const now = tx.clock.now()
  for (const [index, { receiverId, amountFen }] of wanted.entries()) {
    const receiver = await tx.em.findOneOrFail(SplitReceiver, { id: receiverId, splitId }, { disableIdentityMap: true })
    const has = receiver.state === 'success' || receiver.state === 'returned'
    if (!has || amountFen <= 0 || receiver.returnedFen + amountFen > receiver.amountFen)
      throw new Error(`receiver ${receiverId} cannot give back ${amountFen} fen`)
    const id = tx.newId('splitReturn')
    await tx.em.insert(SplitReturn, {
      id,
      splitId,
      receiverId,
      refundPartId,
      state: 'planned',
      version: 1,
      outReturnNo: `FLB${id.slice(4)}`,
      body: '',
      amountFen,
      tries: 0,
      polls: 0,
      step: 0,
      failReason: null,
      createdAtMs: now,
      finishedAtMs: null,
    })
    await move(tx, {
      table: 'split_receiver',
      id: receiverId,
      from: receiver.state,
      to: 'returning',
      moves: splitReceiverMoves,
    })
    // Calls about one transaction are a second apart (protocols wechat-pay 5.6).
    await enqueue(tx, [jobOf(id, 0, now + index * 1_000)])
  }
}

const jobOf = (returnId: Id<'splitReturn'>, step: number, readyAtMs: number) => ({
  kind: 'share.return',
  key: `share.return:${returnId}:${step}`,
  args: { returnId, step },
  readyAtMs,
})

interface HeldReturn {
  readonly row: SplitReturnRow
  readonly split: SplitRow
  readonly outOrderNo: string
  readonly first: boolean
}

/**
 * The body of job `share.return`: brings a return one call further. What was sent and not answered is asked about first
 * and repeated with the same number and body; a changed number could take the money twice (protocols wechat-pay 5.5).
 */
export async function returnShare(edge: Edge, returnId: Id<'splitReturn'>, step: number): Promise<void> {
  const held = await edge.tx((tx) => begin(tx, edge, returnId, step))
  if (held === null) return
  const { row, split, outOrderNo } = held
  const merchant: WechatPayMerchant = { mchid: split.mchid, appid: split.appid }
  const { wechatPay } = edge.ports
  try {
    const known = held.first ? null : await wechatPay.queryReturn(merchant, outOrderNo, row.outReturnNo)
    if (known === null && row.state === 'processing')
      throw new Error(`return ${returnId} is not known to WeChat Pay any more`)
    if (known === null && !held.first)
      await edge.tx((tx) => change(tx.em, 'update split_return set tries = tries + 1 where id = ?', [returnId]))
    const facts = known ?? (await wechatPay.returnShare(merchant, row.body))
    await edge.tx((tx) => takeReturn(tx, returnId, step, facts))
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    await edge.tx((tx) => takeRefusal(tx, returnId, step, error))
  }
}

async function readAtStep(tx: Tx, returnId: Id<'splitReturn'>, step: number): Promise<SplitReturnRow | null> {
  await change(tx.em, 'update split_return set version = version + 1 where id = ?', [returnId])
  const row = await tx.em.findOne(SplitReturn, { id: returnId }, { disableIdentityMap: true })
  return row && row.step === step && row.state !== 'done' && row.state !== 'failed' ? row : null
}

async function begin(tx: Tx, edge: Edge, returnId: Id<'splitReturn'>, step: number): Promise<HeldReturn | null> {
  const row = await readAtStep(tx, returnId, step)
  if (!row) return null
  const split = await tx.em.findOneOrFail(Split, { id: row.splitId }, { disableIdentityMap: true })
  const receiver = await tx.em.findOneOrFail(SplitReceiver, { id: row.receiverId }, { disableIdentityMap: true })
  const { outOrderNo } = await tx.em.findOneOrFail(SplitCall, { id: receiver.callId }, { disableIdentityMap: true })
  if (row.state !== 'planned') return { row, split, outOrderNo, first: false }
  const body = edge.ports.wechatPay.returnBody({
    outOrderNo,
    outReturnNo: row.outReturnNo,
    account: receiver.account,
    amount: row.amountFen,
    description: RETURN_WORDS,
  })
  const sending = { table: 'split_return', id: row.id, from: 'planned', to: 'sent', moves: splitReturnMoves }
  if (!(await move(tx, { ...sending, set: { body, tries: 1 } }))) return null
  return { row: { ...row, state: 'sent', body }, split, outOrderNo, first: true }
}

async function goOn(tx: Tx, row: SplitReturnRow, afterMs: number): Promise<void> {
  await change(tx.em, 'update split_return set step = step + 1 where id = ?', [row.id])
  await enqueue(tx, [jobOf(row.id, row.step + 1, tx.clock.now() + afterMs)])
}

async function takeReturn(tx: Tx, returnId: Id<'splitReturn'>, step: number, facts: ReturnFacts): Promise<void> {
  const row = await readAtStep(tx, returnId, step)
  if (!row) return
  if (facts.amount !== row.amountFen) throw new Error(`return ${returnId} is told of ${facts.amount} fen`)
  switch (facts.result) {
    case 'SUCCESS':
      return end(tx, row, null, facts.finishedAtMs)
    case 'FAILED':
      return end(tx, row, facts.failReason ?? 'UNKNOWN')
    case 'PROCESSING':
      if (row.state === 'sent')
        await move(tx, { table: 'split_return', id: returnId, from: 'sent', to: 'processing', moves: splitReturnMoves })
      await change(tx.em, 'update split_return set polls = polls + 1 where id = ?', [returnId])
      return goOn(tx, row, nextReturnPollMs(row.polls))
  }
}

async function takeRefusal(tx: Tx, returnId: Id<'splitReturn'>, step: number, error: OutsideError): Promise<void> {
  const row = await readAtStep(tx, returnId, step)
  if (!row) return
  if (error.code === 'RETURN_NOT_READY') return goOn(tx, row, NOT_READY_MS)
  switch (error.outcome) {
    case 'unknown':
      await change(tx.em, 'update split_return set tries = tries + 1 where id = ?', [returnId])
      return goOn(tx, row, nextTryMs(row.tries))
    case 'busy':
      return goOn(tx, row, Math.max(1_000, error.retryAfterMs))
    case 'broken':
      return error.code === 'NO_AUTH' ? end(tx, row, 'NO_AUTH') : goOn(tx, row, BROKEN_MS)
    case 'refused':
      return end(tx, row, error.code)
  }
}

/** The money came back, and is posted once; or it did not, and the refund part is told why. */
async function end(
  tx: Tx,
  row: SplitReturnRow,
  failReason: string | null,
  madeAtMs: number | null = null,
): Promise<void> {
  const now = tx.clock.now()
  const set = { fail_reason: failReason?.slice(0, 40) ?? null, finished_at_ms: now, made_at_ms: madeAtMs ?? now }
  const to = failReason === null ? 'done' : 'failed'
  const step = { table: 'split_return', id: row.id, from: row.state, to, moves: splitReturnMoves, set }
  if (!(await move(tx, step))) return
  const receiver = await tx.em.findOneOrFail(SplitReceiver, { id: row.receiverId }, { disableIdentityMap: true })
  const split = await tx.em.findOneOrFail(Split, { id: row.splitId }, { disableIdentityMap: true })
  const back = failReason === null ? row.amountFen : fen(0)
  const whole = receiver.returnedFen + back === receiver.amountFen
  await move(tx, {
    table: 'split_receiver',
    id: receiver.id,
    from: 'returning',
    to: whole ? 'returned' : 'success',
    moves: splitReceiverMoves,
    set: { returned_fen: receiver.returnedFen + back },
  })
  if (back > 0) {
    await change(tx.em, 'update split set returned_fen = returned_fen + ?, version = version + 1 where id = ?', [
      back,
      split.id,
    ])
    const shares = takeShares(JSON.parse(receiver.shares) as Share[], receiver.returnedFen, back)
    const lines = [
      debit(account.collected(split.mchid), back),
      ...shares.map((share) => credit(owedTo(tx, split, share.payee), share.fen)),
    ]
    await post(tx, [{ kind: 'split_returned', ref: row.id, lines }])
  }
  await wakeRefund(tx, row.refundPartId, `return:${row.id}`)
}

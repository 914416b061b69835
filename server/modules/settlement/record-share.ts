import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import { splitCallMoves, splitReceiverMoves } from '../../../contract/states.ts'
import type { ShareFacts } from '../../channels/wechatpay-port.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change } from '../../kernel/sql.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { credit, debit, post, type NewEntry } from '../ledger/post.ts'
import { finishSplit } from './finish-split.ts'
import type { Share } from './rules.ts'
import { ShareRelation, SplitReceiver, type SplitCallRow, type SplitReceiverRow, type SplitRow } from './tables.ts'

/**
 * Takes what WeChat Pay says of a call, receiver by receiver: `FINISHED` says that it was executed, not that anybody got
 * money. Each success is posted once, however often it is told. True once the call is over; a finished call of
 * unfreezing ends the split. The caller holds the order.
 */
export async function recordShare(tx: Tx, split: SplitRow, call: SplitCallRow, facts: ShareFacts): Promise<boolean> {
  if (call.state === 'sent')
    await move(tx, { table: 'split_call', id: call.id, from: 'sent', to: 'processing', moves: splitCallMoves })
  const judged = call.kind === 'unfreeze' || (await judgeReceivers(tx, split, call, facts))
  if (facts.state !== 'FINISHED' || !judged) return false
  const over = await move(tx, {
    table: 'split_call',
    id: call.id,
    from: 'processing',
    to: 'finished',
    moves: splitCallMoves,
    set: { finished_at_ms: tx.clock.now() },
  })
  if (over && call.kind === 'unfreeze') await finishSplit(tx, split, freedOf(split, facts))
  return true
}

/** The extra row of an unfreeze: what went back to who collected. Null where WeChat Pay does not say. */
function freedOf(split: SplitRow, facts: ShareFacts): Fen | null {
  const own = facts.receivers.filter((one) => one.account === split.mchid && one.result === 'SUCCESS')
  return own.length === 0 ? null : sumFen(own.map((one) => one.amount))
}

/** True once each of them has an end. */
async function judgeReceivers(tx: Tx, split: SplitRow, call: SplitCallRow, facts: ShareFacts): Promise<boolean> {
  const rows = await tx.em.find(
    SplitReceiver,
    { callId: call.id },
    { orderBy: { id: 'asc' }, disableIdentityMap: true },
  )
  const told = new Map(facts.receivers.map((one) => [one.account, one]))
  const entries: NewEntry[] = []
  let pending = 0
  for (const row of rows.filter((one) => one.state === 'pending')) {
    const fact = told.get(row.account)
    if (!fact || fact.result === 'PENDING') {
      pending += 1
      continue
    }
    if (fact.amount !== row.amountFen)
      throw new Error(`split call ${call.id}: ${row.account} is told ${fact.amount} instead of ${row.amountFen}`)
    const success = fact.result === 'SUCCESS'
    const moved = await move(tx, {
      table: 'split_receiver',
      id: row.id,
      from: 'pending',
      to: success ? 'success' : 'closed',
      moves: splitReceiverMoves,
      set: {
        fail_reason: success ? null : (fact.failReason ?? 'UNKNOWN'),
        detail_id: fact.detailId,
        finished_at_ms: fact.finishedAtMs ?? tx.clock.now(),
      },
    })
    if (!moved) continue
    if (success) entries.push(await countSuccess(tx, split, row))
    else if (fact.failReason === 'NO_RELATION')
      await tx.em.nativeDelete(ShareRelation, { mchid: split.mchid, account: row.account })
  }
  await post(tx, entries)
  return pending === 0
}

async function countSuccess(tx: Tx, split: SplitRow, row: SplitReceiverRow): Promise<NewEntry> {
  await change(tx.em, 'update split set shared_fen = shared_fen + ?, version = version + 1 where id = ?', [
    row.amountFen,
    split.id,
  ])
  split.sharedFen = fen(split.sharedFen + row.amountFen)
  const shares = JSON.parse(row.shares) as Share[]
  return {
    kind: 'split',
    ref: row.id,
    lines: [
      ...shares.map((share) => debit(owedTo(tx, split, share.payee), share.fen)),
      credit(account.collected(split.mchid), row.amountFen),
    ],
  }
}

/** The account from which a payee is paid: our own commission moves to where our merchant collects. */
export function owedTo(tx: Tx, split: Pick<SplitRow, 'brandId'>, payee: string): Account {
  if (payee === 'platform') return account.collected(tx.house.wechatPay.platform?.mchid ?? 'platform')
  return payee === split.brandId ? account.brandPayable(split.brandId) : account.channelPayable(payee)
}

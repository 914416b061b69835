import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { WechatPayPort } from '../../channels/wechatpay-port.ts'
import type { Tx } from '../../kernel/context.ts'
import type { PlannedReceiver } from './next-work.ts'
import type { Party } from './rules.ts'
import { SplitCall, SplitReceiver, type SplitCallRow, type SplitRow } from './tables.ts'

/** Makes the exact texts of calls; pure, so a transaction may hold it. */
export type Bodies = Pick<WechatPayPort, 'shareBody' | 'unfreezeBody' | 'returnBody'>

const words: Readonly<Record<Party, string>> = { platform: '平台服务费', channel: '渠道服务费', brand: '商品货款' }
const PLAIN_WORDS = '结算款'
const UNFREEZE_WORDS = '解冻剩余资金'

/** Writes calls of sharing with their numbers, bodies and receivers, before any of them is made. */
export async function writeShares(
  tx: Tx,
  bodies: Bodies,
  split: SplitRow,
  calls: readonly (readonly PlannedReceiver[])[],
  firstSeq: number,
): Promise<void> {
  for (const [index, receivers] of calls.entries()) {
    const id = tx.newId('splitCall')
    const outOrderNo = numberOf(id)
    const body = bodies.shareBody({
      transactionId: split.transactionId,
      outOrderNo,
      receivers: receivers.map((one) => ({
        account: one.account,
        amount: one.amountFen,
        description: one.plain ? PLAIN_WORDS : words[one.party],
      })),
      unfreezeRest: false,
    })
    await tx.em.insert(SplitCall, callRow(tx, split, { id, outOrderNo, body, kind: 'share', seq: firstSeq + index }))
    const rows = receivers.map((one) => ({
      id: tx.newId('splitReceiver'),
      splitId: split.id,
      callId: id,
      account: one.account,
      party: one.party,
      shares: JSON.stringify(one.shares),
      amountFen: one.amountFen,
      returnedFen: fen(0),
      state: 'pending' as const,
      version: 1,
      failReason: null,
      detailId: null,
      finishedAtMs: null,
    }))
    await tx.em.insertMany(SplitReceiver, rows)
  }
}

/** Writes the call that frees the rest. */
export async function writeUnfreeze(tx: Tx, bodies: Bodies, split: SplitRow, seq: number): Promise<void> {
  const id = tx.newId('splitCall')
  const outOrderNo = numberOf(id)
  const { transactionId } = split
  const body = bodies.unfreezeBody({ transactionId, outOrderNo, description: UNFREEZE_WORDS })
  await tx.em.insert(SplitCall, callRow(tx, split, { id, outOrderNo, body, kind: 'unfreeze', seq }))
}

/** Ours, and never another's: what follows the prefix is the call's own id. */
const numberOf = (id: Id<'splitCall'>): string => `FLS${id.slice(4)}`

function callRow(tx: Tx, split: SplitRow, call: Pick<SplitCallRow, 'id' | 'outOrderNo' | 'body' | 'kind' | 'seq'>) {
  return {
    ...call,
    splitId: split.id,
    state: 'planned' as const,
    version: 1,
    tries: 0,
    polls: 0,
    error: null,
    createdAtMs: tx.clock.now(),
    sentAtMs: null,
    finishedAtMs: null,
  }
}

import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { SplitReceiverState, SplitState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { readLiveReceivers } from './plan-next.ts'
import { feeOf, type Party } from './rules.ts'
import { Settlement, Split, SplitReturn, type SplitRow } from './tables.ts'

/** How the sharing of one transaction stands. */
export interface SplitFacts {
  readonly id: Id<'split'>
  readonly state: SplitState
  /** Who collected: a refund of what was unfrozen is paid from their own balance. */
  readonly collector: 'brand' | 'platform'
  /** What a refund can still take from frozen money by one call. */
  readonly frozenFen: Fen
  readonly sharedFen: Fen
  readonly returnedFen: Fen
  /** What WeChat Pay kept; null before the end. */
  readonly feeFen: Fen | null
  readonly receivers: readonly {
    readonly id: Id<'splitReceiver'>
    readonly account: string
    readonly party: Party
    readonly amountFen: Fen
    readonly returnedFen: Fen
    readonly state: SplitReceiverState
  }[]
}

/** The split of a payment; null where nothing of it was planned yet: all of it is frozen. */
export async function readSplitOfPayment(tx: Tx, paymentId: Id<'payment'>): Promise<SplitFacts | null> {
  const split = await tx.em.findOne(Split, { paymentId }, { disableIdentityMap: true })
  if (!split) return null
  const receivers = await readLiveReceivers(tx, split)
  const { id, state, collector, sharedFen, returnedFen } = split
  return {
    id,
    state,
    collector,
    frozenFen: frozenOf(split, tx.house.wechatPay.feeBp(split.mchid)),
    sharedFen,
    returnedFen,
    feeFen: split.feeFen ?? null,
    receivers: receivers.map((one) => ({
      id: one.id,
      account: one.account,
      party: one.party,
      amountFen: one.amountFen,
      returnedFen: one.returnedFen,
      state: one.state,
    })),
  }
}

/** Once something was shared, what WeChat Pay keeps stays behind as well. */
function frozenOf(split: SplitRow, feeBp: number): Fen {
  if (split.state === 'finished') return fen(0)
  const netFen = fen(split.paidFen - split.refundedFen)
  return split.sharedFen === 0 ? netFen : fen(Math.max(0, netFen - split.sharedFen - feeOf(netFen, feeBp)))
}

/** How the returns stand that a refund part asked for. */
export interface ReturnsFacts {
  /** Not over yet. */
  readonly open: number
  readonly returnedFen: Fen
  /** Of it: left to who collected, because the transaction was freed before a refund took it. */
  readonly keptFen: Fen
  /** Why the last of them failed that no later one made good; null: none did. */
  readonly failed: string | null
}

export async function readReturns(tx: Tx, refundPartId: Id<'refundPart'>): Promise<ReturnsFacts> {
  const rows = await tx.em.find(SplitReturn, { refundPartId }, { orderBy: { id: 'asc' }, disableIdentityMap: true })
  const newest = new Map(rows.map((row) => [row.receiverId, row]))
  return {
    open: rows.filter((row) => row.state !== 'done' && row.state !== 'failed').length,
    returnedFen: sumFen(rows.filter((row) => row.state === 'done').map((row) => row.amountFen)),
    keptFen: sumFen(rows.filter((row) => row.keptAtMs != null).map((row) => row.amountFen)),
    failed: [...newest.values()].findLast((row) => row.state === 'failed')?.failReason ?? null,
  }
}

/** Whether the money of an order was planned to its parties: refunds after that come out of what they got. */
export async function isPlanned(tx: Tx, orderId: Id<'order'>): Promise<boolean> {
  return (await tx.em.findOne(Settlement, { orderId }, { disableIdentityMap: true })) !== null
}

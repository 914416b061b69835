import { setImmediate as breathe } from 'node:timers/promises'
import { fen } from '../../contract/fen.ts'
import type {
  RefundFacts,
  RefundWish,
  ShareFacts,
  ShareWish,
  UnfreezeWish,
  WechatPayPort,
} from '../channels/wechatpay-port.ts'

interface Trade {
  readonly paid: number
  shared: number
  refunded: number
  ended: boolean
  /** Calls of sharing and refunds that have begun and are not over. */
  sharing: number
  refunding: number
}

/** A WeChat Pay in memory that notes each rule of sharing and refunds that is broken against it (protocols 4.5 and 5). */
export interface MiniWechat {
  readonly port: WechatPayPort
  readonly flaws: string[]
  readonly know: (transactionId: string, paid: number) => void
}

/** Waits for a few turns of the event loop: what runs beside gets in between. */
export async function pause(most: number): Promise<void> {
  for (let turn = Math.floor(Math.random() * (most + 1)); turn > 0; turn -= 1) await breathe()
}

// One closure holds the whole small world: cut in pieces it would pass its four maps around.
// oxlint-disable-next-line max-lines-per-function
export function miniWechat(): MiniWechat {
  const trades = new Map<string, Trade>()
  const shares = new Map<string, { wish: ShareWish; over: boolean }>()
  const refunds = new Map<string, { facts: RefundFacts; over: boolean }>()
  const flaws: string[] = []
  const of = (id: string): Trade => trades.get(id)!
  const factsOf = (outOrderNo: string, state: ShareFacts['state']): ShareFacts => ({
    outOrderNo,
    orderId: `O${outOrderNo}`,
    state,
    receivers: (shares.get(outOrderNo)?.wish.receivers ?? []).map((receiver) => ({
      ...receiver,
      result: state === 'FINISHED' ? ('SUCCESS' as const) : ('PENDING' as const),
      failReason: null,
      detailId: null,
      finishedAtMs: null,
    })),
  })
  async function begin(wish: ShareWish): Promise<ShareFacts> {
    const trade = of(wish.transactionId)
    if (trade.refunding > 0) flaws.push(`${wish.transactionId}: shared while a refund is under way`)
    if (trade.ended) flaws.push(`${wish.transactionId}: shared after its end`)
    if (!shares.has(wish.outOrderNo)) trade.sharing += 1
    shares.set(wish.outOrderNo, shares.get(wish.outOrderNo) ?? { wish, over: false })
    await pause(3)
    return factsOf(wish.outOrderNo, 'PROCESSING')
  }
  function finish(outOrderNo: string): ShareFacts | null {
    const known = shares.get(outOrderNo)
    if (!known) return null
    if (!known.over) {
      const trade = of(known.wish.transactionId)
      trade.shared += known.wish.receivers.reduce((sum, receiver) => sum + receiver.amount, 0)
      trade.ended ||= known.wish.unfreezeRest
      trade.sharing -= 1
      known.over = true
    }
    return factsOf(outOrderNo, 'FINISHED')
  }
  const used = {
    paymentBody: JSON.stringify,
    prepare: () => Promise.resolve({ kind: 'native' as const, codeUrl: 'weixin://mini' }),
    addReceiver: () => Promise.resolve(),
    unsplitAmount: (_merchant: unknown, id: string) =>
      Promise.resolve(fen(of(id).ended ? 0 : of(id).paid - of(id).shared - of(id).refunded)),
    shareBody: JSON.stringify,
    share: (_merchant: unknown, body: string) => begin(JSON.parse(body) as ShareWish),
    unfreezeBody: JSON.stringify,
    unfreeze: (_merchant: unknown, body: string) =>
      begin({ receivers: [], unfreezeRest: true, ...(JSON.parse(body) as UnfreezeWish) }),
    queryShare: (_merchant: unknown, _id: string, outOrderNo: string) => Promise.resolve(finish(outOrderNo)),
    returnBody: JSON.stringify,
    returnShare: (_merchant: unknown, body: string) => {
      const wish = JSON.parse(body) as { outReturnNo: string; amount: number }
      const told = { outReturnNo: wish.outReturnNo, returnId: `B${wish.outReturnNo}`, result: 'SUCCESS' as const }
      return Promise.resolve({ ...told, failReason: null, amount: fen(wish.amount) })
    },
    queryReturn: () => Promise.resolve(null),
    refundBody: JSON.stringify,
    refund: async (_merchant: unknown, body: string): Promise<RefundFacts> => {
      const { transactionId, outRefundNo, refund } = JSON.parse(body) as RefundWish
      const trade = of(transactionId)
      if (trade.sharing > 0) flaws.push(`${transactionId}: refunded while it is shared`)
      if (!trade.ended && trade.shared > 0 && refund > trade.paid - trade.shared - trade.refunded)
        flaws.push(`${transactionId}: refunded more than is frozen`)
      if (refunds.has(outRefundNo)) return refunds.get(outRefundNo)!.facts
      trade.refunding += 1
      const facts: RefundFacts = {
        outRefundNo,
        refundId: `R${outRefundNo}`,
        transactionId,
        status: 'PROCESSING',
        refund,
        successAtMs: null,
      }
      refunds.set(outRefundNo, { facts, over: false })
      await pause(3)
      return facts
    },
    queryRefund: (_merchant: unknown, outRefundNo: string) => {
      const known = refunds.get(outRefundNo)
      if (!known) return Promise.resolve(null)
      if (!known.over) {
        const trade = of(known.facts.transactionId)
        trade.refunding -= 1
        trade.refunded += known.facts.refund
        known.over = true
        if (trade.refunded > trade.paid) flaws.push(`${known.facts.transactionId}: refunded more than it brought`)
      }
      return Promise.resolve({ ...known.facts, status: 'SUCCESS' as const })
    },
  }
  return {
    flaws,
    know: (id, paid) => trades.set(id, { paid, shared: 0, refunded: 0, ended: false, sharing: 0, refunding: 0 }),
    port: used as unknown as WechatPayPort,
  }
}

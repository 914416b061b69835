import { z } from 'zod'
import type { RefundFacts, WechatPayTrade } from '../../channels/wechatpay-port.ts'
import { coalesce } from '../../kernel/coalesce.ts'
import type { Edge } from '../../kernel/context.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import type { House } from '../../kernel/house.ts'
import { acceptNotices, type NoticeAnswer } from './accept-notices.ts'
import { checkCombined } from './check-combined.ts'

/** A notice is a few hundred bytes; one of ten sub-orders a few thousand. */
const NOTICE_BYTES = 64 * 1024

/** A payer looks at WeChat's own page for longer than that. */
const PACE_MS = 60

/** Takes what WeChat Pay tells of a refund; it lives to the right of this module and is given to it. */
export type RefundNoticeTaker = (edge: Edge, refund: RefundFacts & { readonly mchid: string }) => Promise<void>

/** What one notice told: the trades of a combined payment stay together. */
interface Told {
  readonly edge: Edge
  readonly trades: readonly WechatPayTrade[]
}
const queues = new WeakMap<House, (told: Told) => Promise<readonly NoticeAnswer[]>>()

/** The queue of a house's notices: those that arrive while one transaction runs share the next. */
function noticesOf(edge: Edge): (told: Told) => Promise<readonly NoticeAnswer[]> {
  const known = queues.get(edge.house)
  if (known) return known
  const actor = { kind: 'system', name: 'wechat_pay' } as const
  const queue = coalesce<Told, readonly NoticeAnswer[]>({
    most: 125,
    atOnce: 2,
    paceMs: PACE_MS,
    waiting: 2000,
    // Buyers wait for the cards that the worker makes: only a storm of notices comes before them.
    crowdAt: 100,
    doMany: async (told) => {
      const trades = told.flatMap((one) => one.trades)
      const answers = await told[0]!.edge.tx((tx) => acceptNotices({ ...tx, actor }, trades))
      let from = 0
      return told.map((one) => answers.slice(from, (from += one.trades.length)))
    },
  })
  queues.set(edge.house, queue)
  return queue
}

/** Where WeChat Pay tells of payments and refunds. Its signature over the raw bytes stands in for a sign-in. */
export const noticeEndpoint = (takeRefund: RefundNoticeTaker | undefined): Endpoint =>
  endpoint({
    method: 'POST',
    path: '/notify/wechatpay',
    may: 'notice',
    bare: true,
    body: 'raw',
    limitBytes: NOTICE_BYTES,
    scope: 'edge',
    input: z.object({}),
    output: 'stream',
    run: async (edge, _input, http) => {
      const { trades, refund, eventType } = await edge.ports.wechatPay.openNotice(
        http.headers,
        http.raw ?? Buffer.alloc(0),
      )
      if (refund !== null && takeRefund !== undefined) return takeRefund(edge, refund)
      if (trades.length === 0) return edge.log.warn({ eventType }, 'a notice of another kind')
      if (trades.length > 1 && !(await checkCombined(edge, trades)))
        refuse('notice_refused', { detail: 'combined_differs' })
      for (const answer of await noticesOf(edge)({ edge, trades })) mustBeTaken(answer)
    },
  })

function mustBeTaken(answer: NoticeAnswer): void {
  switch (answer.kind) {
    case 'accepted':
    case 'repeated':
    case 'unpaid':
      return
    default:
      refuse('notice_refused', { detail: answer.kind })
  }
}

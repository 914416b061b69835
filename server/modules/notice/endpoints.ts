import { z } from 'zod'
import { WechatCallbackInput } from '../../../contract/outside/wechat.ts'
import { AcceptedInput, Inbox, InboxReadInput, NoticeGrants } from '../../../contract/store/notice.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { buyerOf } from '../../kernel/tenant.ts'
import { countGrant, readGrants } from './count-grants.ts'
import { readInbox, readUpTo } from './read-inbox.ts'
import { takeWechatEvent } from './take-event.ts'

const none = z.object({})
/** An event is a few kilobytes. */
const EVENT_BYTES = 64 * 1024

/** What buyers are told and allow, and what WeChat tells us of it. */
export const noticeEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/store/notices', may: 'buyer.read', scope: 'read' } as const),
    input: none,
    output: NoticeGrants,
    run: (tx) => readGrants(tx, buyerOf(tx.actor)),
  }),
  endpoint({
    ...({ method: 'POST', path: '/store/notices', may: 'buyer.act', scope: 'tx', body: 'json' } as const),
    idempotent: true,
    input: AcceptedInput,
    output: NoticeGrants,
    run: async (tx, { kinds }, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      const buyerId = buyerOf(tx.actor)
      await once(tx, `notices:${buyerId}`, key, { kinds: kinds.join() }, async () => {
        for (const kind of new Set(kinds)) await countGrant(tx, { buyerId, kind, eventAtMs: null })
      })
      return readGrants(tx, buyerId)
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/store/inbox', may: 'buyer.read', scope: 'read' } as const),
    input: none,
    output: Inbox,
    run: readInbox,
  }),
  endpoint({
    ...({ method: 'POST', path: '/store/inbox/read', may: 'buyer.act', scope: 'tx', body: 'json' } as const),
    input: InboxReadInput,
    output: Inbox,
    run: async (tx, { upTo }) => {
      await readUpTo(tx, upTo)
      return readInbox(tx)
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/notify/wechat', may: 'notice', scope: 'edge' } as const),
    input: WechatCallbackInput,
    output: 'stream',
    run: async (edge, query, http) => {
      http.setHeader('Content-Type', 'text/plain; charset=utf-8')
      return edge.ports.wechat.verifyCallback(query)
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/notify/wechat', may: 'notice', scope: 'edge', crowd: true } as const),
    ...({ body: 'raw', limitBytes: EVENT_BYTES } as const),
    input: WechatCallbackInput,
    output: 'stream',
    run: async (edge, query, http) => {
      http.setHeader('Content-Type', 'text/plain; charset=utf-8')
      return takeWechatEvent(edge, query, http.raw ?? Buffer.alloc(0))
    },
  }),
]

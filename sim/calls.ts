/** What our server asks of WeChat Pay, watched from outside: what it must never do is named (protocols wechat-pay 9, 10.3). */
export interface WatchedCalls {
  readonly fetch: typeof globalThis.fetch
  /** What was done that must not be. */
  readonly broken: string[]
}

interface Numbered {
  readonly number: string
  /** A repeat gives a fresh credential while a payment is unpaid: nothing has to be asked before. */
  readonly freely: boolean
}

/** Which field of which call is its number. */
const posts: readonly { readonly path: RegExp; readonly field: string; readonly freely: boolean }[] = [
  { path: /^\/v3\/combine-transactions\/\w+$/, field: 'combine_out_trade_no', freely: true },
  { path: /^\/v3\/pay\/transactions\/\w+$/, field: 'out_trade_no', freely: true },
  { path: /^\/v3\/refund\/domestic\/refunds$/, field: 'out_refund_no', freely: false },
  { path: /^\/v3\/profitsharing\/orders(\/unfreeze)?$/, field: 'out_order_no', freely: false },
  { path: /^\/v3\/profitsharing\/return-orders$/, field: 'out_return_no', freely: false },
]
const queries = /^\/v3\/(?:refund\/domestic\/refunds|profitsharing\/orders|profitsharing\/return-orders)\/([^/?]+)/

/** A worker that was slow may send, late, what another asked about and sent meanwhile: the same number and bytes. */
const MOST_SENDINGS = 2

/**
 * Passes calls on. Each number stands for one body for ever; and a refund, a share, an unfreezing or a return is repeated
 * only by who has asked WeChat Pay about its number and was answered.
 */
export function watchCalls(fetch: typeof globalThis.fetch): WatchedCalls {
  const broken: string[] = []
  const bodies = new Map<string, string>()
  /** How often a number may be sent before anybody asks about it again. */
  const sendings = new Map<string, number>()
  return {
    broken,
    fetch: async (input, init) => {
      const { pathname } = new URL(input as string)
      const posted = init?.method === 'POST' ? numberOf(pathname, init.body as string) : null
      if (posted !== null) notePost(posted, `${pathname} ${init?.body as string}`)
      const answer = await fetch(input, init)
      const asked = init?.method === 'POST' ? undefined : queries.exec(pathname)?.[1]
      if (asked !== undefined && (answer.status === 200 || answer.status === 404))
        sendings.set(asked, Math.min(MOST_SENDINGS, (sendings.get(asked) ?? 1) + 1))
      return answer
    },
  }

  function notePost({ number, freely }: Numbered, body: string): void {
    const known = bodies.get(number)
    bodies.set(number, body)
    if (known !== undefined && known !== body) broken.push(`number ${number} was sent with another body`)
    if (freely) return
    const left = sendings.get(number) ?? 1
    if (left === 0) broken.push(`number ${number} was sent again before anybody asked about it`)
    sendings.set(number, Math.max(0, left - 1))
  }
}

function numberOf(pathname: string, body: string): Numbered | null {
  const post = posts.find((one) => one.path.test(pathname))
  if (post === undefined) return null
  const number = (JSON.parse(body) as Record<string, unknown>)[post.field]
  return typeof number === 'string' ? { number, freely: post.freely } : null
}

import inject from 'light-my-request'
import { virtualClock, type Clock } from '../clock.ts'
import { handlerOf } from '../wechatpay/app.ts'
import { createWorld, type WorldOptions } from '../wechatpay/create-world.ts'
import type { World } from '../wechatpay/state.ts'

/** WeChat Pay inside the process of whoever calls it. */
export interface InProcessPay {
  readonly world: World
  readonly clock: Clock
  /**
   * As the global one, for any address: the same handler answers, without a socket and without a real timer. Rejects with a
   * TypeError where a connection would have been cut or would have gone on without an answer. Redirects are not followed.
   */
  readonly fetch: typeof globalThis.fetch
}

/**
 * WeChat Pay without a server and on a virtual clock: nothing happens but inside `fetch` and `clock.advance`, in an order that
 * depends on nothing else. `post` takes the notices, `random` gives all chance.
 */
export function wechatPayInProcess(startMs: number, options: WorldOptions = {}): InProcessPay {
  const clock = virtualClock(startMs)
  const world = createWorld(clock, options)
  const handle = handlerOf(world, { side: 'pay', neighbours: {} })
  return {
    world,
    clock,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      request.signal.throwIfAborted()
      const answer = await inject(handle, {
        method: request.method as 'GET',
        url: request.url,
        headers: Object.fromEntries(request.headers),
        payload: Buffer.from(await request.arrayBuffer()),
      }).catch((cause: unknown) => {
        throw new TypeError('fetch failed', { cause })
      })
      const headers = Object.entries(answer.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)] satisfies [string, string]],
      )
      const empty = answer.statusCode === 204 || answer.statusCode === 304
      return new Response(empty ? null : new Uint8Array(answer.rawPayload), { status: answer.statusCode, headers })
    },
  }
}

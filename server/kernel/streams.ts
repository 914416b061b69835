import type Koa from 'koa'
import type { Http, SendEvent } from './endpoint.ts'
import { refuse } from './errors.ts'

/** Streams that one person may hold open in a process: each of them asks the database twice a second. */
const STREAMS_EACH = 12

/** Said instead of an error of its own, which nobody reads. */
const OVER = 'over'

/** Server-sent events, so many for each who listens, each ended after `streamMs`: the page comes back and is asked who it is. */
export interface Streams {
  open(ctx: Koa.Context, listener: string, produce: Parameters<Http['sse']>[0]): void
}

/** Keeps count of the streams of this process. */
export function countStreams(streamMs: number): Streams {
  const held = new Map<string, number>()
  const admit = (listener: string): void => {
    const count = held.get(listener) ?? 0
    if (count >= STREAMS_EACH) refuse('too_many_requests', { retryAfterMs: 5_000 })
    held.set(listener, count + 1)
  }
  const giveBack = (listener: string): void => {
    const count = (held.get(listener) ?? 1) - 1
    if (count === 0) held.delete(listener)
    else held.set(listener, count)
  }
  return {
    open: (ctx, listener, produce) => {
      ctx.status = 200
      ctx.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' })
      if (ctx.method === 'HEAD') return
      admit(listener)
      const { res } = ctx
      const gone = new AbortController()
      const over = setTimeout(() => gone.abort(OVER), streamMs)
      res.once('close', () => {
        clearTimeout(over)
        giveBack(listener)
        gone.abort(OVER)
      })
      // Written here, not by Koa: a stream of its own between the two takes as long as all the rest of an event.
      ctx.respond = false
      // What comes in one moment goes out at once: the first event with the head, the last one with the end.
      let text = ''
      const take = (): string => {
        const all = text
        text = ''
        return all
      }
      const flush = (): void => {
        if (text !== '') res.write(take())
      }
      const send: SendEvent = (event, data) => {
        if (gone.signal.aborted) return false
        if (text === '') process.nextTick(flush)
        text += `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
        return true
      }
      produce(send, gone.signal).then(
        () => res.end(take()),
        (error: unknown) => {
          ctx.app.emit('error', error, ctx)
          res.destroy()
        },
      )
    },
  }
}

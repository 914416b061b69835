import { PassThrough } from 'node:stream'
import type Koa from 'koa'
import type { Http, SendEvent } from './endpoint.ts'
import { refuse } from './errors.ts'

/** Streams that one person may hold open in a process: each of them asks the database twice a second. */
const STREAMS_EACH = 12

/** Server-sent events, so many for each who listens, each ended after `streamMs`: the page comes back and is asked who it is. */
export interface Streams {
  open(ctx: Koa.Context, listener: string, produce: Parameters<Http['sse']>[0]): void
}

/** Keeps count of the streams of this process. */
export function countStreams(streamMs: number): Streams {
  const held = new Map<string, number>()
  const take = (listener: string): void => {
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
      take(listener)
      const stream = new PassThrough()
      const gone = new AbortController()
      const over = setTimeout(() => gone.abort(), streamMs)
      ctx.res.once('close', () => {
        clearTimeout(over)
        giveBack(listener)
        gone.abort()
      })
      ctx.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
      ctx.status = 200
      ctx.body = stream
      const send: SendEvent = (event, data) => {
        if (gone.signal.aborted) return false
        stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
        return true
      }
      produce(send, gone.signal).then(
        () => stream.end(),
        () => stream.destroy(),
      )
    },
  }
}

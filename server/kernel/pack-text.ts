import { finished, Readable } from 'node:stream'
import type Koa from 'koa'
import compress from 'koa-compress'
import type { RootLog } from './log.ts'

/** Types by their whole name: an xlsx is a zip already, though its type speaks of xml. */
const isText = (type: string): boolean =>
  /^text\/|[/+](json|javascript|xml)$/.test(type) && type !== 'text/event-stream'

const goneAway = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'])

/**
 * Compresses answers of text, and tells the log which answers could not be sent. Where the stream of an answer fails,
 * what compresses it fails too, so that the connection is cut: by itself it would wait for more for ever, and so would
 * the reader.
 */
export function packText(app: Koa, log: RootLog): void {
  const told = new WeakSet<Error>()
  const watch = (ctx: Koa.Context, source: Readable): void => {
    finished(source, { writable: false }, (error) => {
      if (!error) return
      // It failed by itself, not because its reader had left: whatever its code says.
      if (!ctx.res.destroyed && !ctx.req.socket.destroyed) {
        told.add(error)
        log.error({ requestId: ctx.state['requestId'], err: error }, 'answer broke off')
      }
      if (ctx.body instanceof Readable && ctx.body !== source) ctx.body.destroy(error)
    })
  }
  // A browser that leaves a stream or a download is no fault; anything else that Koa could not answer is.
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (!goneAway.has(error.code ?? '') && !told.has(error)) log.error({ err: error }, 'answer failed')
  })
  const pack = compress({ filter: isText })
  app.use((ctx, next) =>
    pack(ctx, async () => {
      await next()
      if (ctx.body instanceof Readable) watch(ctx, ctx.body)
    }),
  )
}

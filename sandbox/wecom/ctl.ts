import type { Context } from 'koa'
import type Router from 'koa-router'
import { ZodError } from 'zod'
import { readBody } from './body.ts'

const MOST_BODY = 64 * 1024 * 1024

/** A control call that changes something: a JSON body, answered with `ok` and what `run` gives; 400 says what was wrong. */
export function changeRoute(router: Router, path: string, run: (body: never, ctx: Context) => unknown): void {
  router.post(path, async (ctx) => {
    const raw = await readBody(ctx, MOST_BODY)
    try {
      const answered = await run((raw.length === 0 ? {} : JSON.parse(raw.toString('utf8'))) as never, ctx)
      ctx.body = { ok: true, ...(typeof answered === 'object' ? answered : {}) }
    } catch (error) {
      const known = error instanceof ZodError || error instanceof SyntaxError || error instanceof RangeError
      if (!known) throw error
      ctx.status = 400
      ctx.body = { ok: false, error: error instanceof ZodError ? error.issues.slice(0, 20) : error.message }
    }
  })
}

/** Answers a control call that reads; null is 404. */
export function showValue(ctx: Context, value: unknown): void {
  ctx.status = value === null ? 404 : 200
  ctx.body = value === null ? { ok: false } : value
}

import type { RouterContext } from 'koa-router'
import { z } from 'zod'

/** Reads a control call's body; null after answering 400. */
export function readControl<T>(ctx: RouterContext, schema: z.ZodType<T>): T | null {
  let value: unknown
  try {
    value = JSON.parse((ctx.state['raw'] as Buffer).toString('utf8')) as unknown
  } catch {
    value = undefined
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  ctx.status = 400
  ctx.body = { error: z.prettifyError(parsed.error) }
  return null
}

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import Router from 'koa-router'
import { z } from 'zod'
import { readBody } from './body.ts'
import { readJson } from './gate.ts'
import { takeFault, type WecomState } from './state.ts'

const STALE_S = 300
const MOST_BYTES = 8 * 1024
const MOST_TEXT = 500
const form = z.strictObject({
  mobile: z.string().regex(/^1\d{10}$/),
  text: z.string().min(1).max(MOST_TEXT),
  reference: z.string().min(1).max(64),
})

/**
 * A short message service: POST /sms/messages with JSON {mobile, text, reference}, signed in `x-sms-signature` by
 * HMAC-SHA256 over `x-sms-timestamp`, a dot and the raw body. The same reference again is answered alike and sends
 * nothing. Messages lie in the phone with that mobile.
 */
export function smsRoutes(state: WecomState): Router {
  const router = new Router()
  router.post('/sms/messages', async (ctx) => {
    const raw = await readBody(ctx, MOST_BYTES)
    const { status, code } = take(state, ctx, raw)
    ctx.status = status
    if (status === 429) ctx.set('retry-after', '2')
    ctx.body = { code }
  })
  return router
}

function take(state: WecomState, ctx: Context, raw: Buffer): { readonly status: number; readonly code: string } {
  const { sms } = state.outer.customers
  const seconds = ctx.get('x-sms-timestamp')
  const wanted = createHmac('sha256', sms.key).update(`${seconds}.`).update(raw).digest()
  const given = Buffer.from(ctx.get('x-sms-signature'), 'hex')
  const signed = sms.key !== '' && given.length === wanted.length && timingSafeEqual(given, wanted)
  if (!signed) return { status: 401, code: 'SIGNATURE_WRONG' }
  if (Math.abs(state.clock.wall() / 1_000 - Number(seconds)) > STALE_S) return { status: 401, code: 'STALE' }
  if (takeFault(state, ['sms_busy'], null)) return { status: 429, code: 'TOO_MANY' }
  const read = form.safeParse(readJson(raw))
  if (!read.success)
    return { status: 400, code: read.error.issues[0]?.path[0] === 'mobile' ? 'MOBILE_INVALID' : 'FORM_INVALID' }
  const before = sms.sent.get(read.data.reference)
  if (before) {
    const same = before.mobile === read.data.mobile && before.text === read.data.text
    return same ? { status: 200, code: 'OK' } : { status: 409, code: 'REFERENCE_USED' }
  }
  if (takeFault(state, ['sms_refuse'], null)) return { status: 400, code: 'MOBILE_REFUSED' }
  const message = { ...read.data, atMs: state.now() }
  sms.sent.set(message.reference, message)
  if (takeFault(state, ['sms_lose'], null)) return { status: 200, code: 'OK' }
  const texts = sms.texts.get(message.mobile) ?? []
  sms.texts.set(message.mobile, texts)
  texts.push(message)
  return { status: 200, code: 'OK' }
}

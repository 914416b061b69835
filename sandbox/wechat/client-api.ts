import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'koa'
import Router from 'koa-router'
import { z } from 'zod'
import type { Place } from '../look/page.ts'
import { readBody } from '../wecom/body.ts'
import { phoneOf } from './authorise.ts'
import { judgePage, pageConfig } from './judge-page.ts'
import { answerPopup } from './message-api.ts'
import { payInClient } from './pay-in-client.ts'
import { sendLink } from './send-link.ts'
import { permissionOf, takeFault, type Person, type WechatState } from './state.ts'

const script = readFileSync(join(import.meta.dirname, 'client.js'), 'utf8')
const MOST_BODY = 64 * 1024

/** What one call of the script is answered from. */
interface ClientCall {
  readonly state: WechatState
  readonly payPort: number | undefined
  readonly person: Person | null
  readonly body: unknown
}
type Run = (call: ClientCall) => unknown

/**
 * The script that makes a plain browser a client of WeChat, and what it asks. It runs in pages of any origin, with the
 * cookie of the phone that this browser was made.
 */
export function clientRoutes(state: WechatState, place: Place): Router {
  const router = new Router()
  router.get('/client.js', (ctx) => {
    ctx.type = 'text/javascript; charset=utf-8'
    ctx.set('cache-control', 'no-store')
    ctx.set('cross-origin-resource-policy', 'cross-origin')
    ctx.body = script
  })
  for (const [name, run] of Object.entries(calls))
    router.post(`/client/${name}`, async (ctx) => {
      allow(ctx)
      const text = (await readBody(ctx, MOST_BODY)).toString('utf8')
      const { payPort } = place.neighbours
      try {
        ctx.body = await run({ state, payPort, person: phoneOf(state, ctx), body: JSON.parse(text) })
      } catch (error) {
        if (!(error instanceof z.ZodError) && !(error instanceof SyntaxError)) throw error
        ctx.status = 400
      }
    })
  return router
}

/** Any page may ask: it is a sandbox, on this machine alone. */
function allow(ctx: Context): void {
  ctx.set('access-control-allow-origin', ctx.get('origin') || '*')
  ctx.set('access-control-allow-credentials', 'true')
  ctx.set('vary', 'origin')
}

const preset = z.object({
  appId: z.string(),
  pageUrl: z.string().max(4_000),
  kind: z.enum(['friend', 'timeline']),
  title: z.string().max(200),
  desc: z.string().max(400).default(''),
  link: z.string().max(4_000),
  imgUrl: z.string().max(4_000).default(''),
})
const shared = preset.omit({ appId: true, kind: true, pageUrl: true }).extend({ to: z.string() })
const wanted = z.object({ appId: z.string(), templateIds: z.array(z.string()).max(50) })
const answered = z.object({ appId: z.string(), answers: z.record(z.string(), z.boolean()), always: z.boolean() })

const calls: Readonly<Record<string, Run>> = {
  /** Whose phone it is, and to whom they may send. */
  me: ({ state, person }) => ({
    person: person && { id: person.id, name: person.name },
    friends: [...state.persons.values()].filter((one) => one !== person).map(({ id, name }) => ({ id, name })),
    location: state.location,
  }),
  /** Open tags work only on a page that was configured with them. */
  config: ({ state, body }) =>
    judgePage(state, pageConfig.parse(body)) ?? {
      errMsg: 'config:ok',
      tags: takeFault(state, ['tags_unsupported'], null) === null,
    },
  preset: ({ state, person, body }) => {
    const { appId, ...one } = preset.parse(body)
    const domains = state.apps.get(appId)?.domains ?? []
    if (!URL.canParse(one.link) || !domains.includes(new URL(one.link).host)) return { ok: false }
    state.presets.set(`${person?.id ?? ''} ${one.pageUrl} ${one.kind}`, { ...one, personId: person?.id ?? '' })
    return { ok: true }
  },
  share: ({ state, person, body }) => {
    const { to, ...link } = shared.parse(body)
    return { ok: person !== null && sendLink(state, person.id, to, link) !== null }
  },
  /** What the popup shows: three templates at most, and what was answered for always. */
  subscription: ({ state, person, body }) => {
    const { appId, templateIds } = wanted.parse(body)
    const app = state.apps.get(appId)
    if (templateIds.length === 0) return { errCode: 10_001 }
    if (templateIds.length > 5) return { errCode: 20_003 }
    if (!app || !person || templateIds.some((id) => !app.templates.has(id))) return { errCode: 20_001 }
    if (!person.messagesOn) return { errCode: 20_004 }
    return {
      errCode: 0,
      templates: templateIds.map((id) => {
        const { always } = permissionOf(state, appId, person.id, id)
        return { id, title: app.templates.get(id)?.title ?? '', always }
      }),
    }
  },
  subscribe: ({ state, person, body }) => {
    const { appId, answers, always } = answered.parse(body)
    const app = state.apps.get(appId)
    if (app && person) answerPopup(state, app, person, answers, always)
    return { ok: app !== undefined && person !== null }
  },
  /** What the pay sheet shows. */
  sheet: ({ state, body, ...at }) => payInClient(state, at, body, 'sheet'),
  pay: ({ state, body, ...at }) => payInClient(state, at, body, 'pay'),
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type Koa from 'koa'
import send from 'koa-send'

const built = join(import.meta.dirname, '../wecom-app/dist')
/** The build's own files lie flat. Anything else is not looked for: whether a file is there must not be told either. */
const asset = /^\/assets\/[\w-][\w.-]*$/
interface Shell {
  /** The folder of the build whose page it is. */
  readonly page: string
  /** What of a phone it may use (Permissions-Policy): a page that needs no camera never gets one. */
  readonly uses: readonly string[]
}
/** The pages by the first part of their paths. A buyer's cards are shown by the pages of the card pack. */
const shells: Readonly<Record<string, Shell>> = {
  console: { page: 'console', uses: [] },
  pack: { page: 'pack', uses: ['geolocation'] },
  mine: { page: 'pack', uses: ['geolocation'] },
  shop: { page: 'shop', uses: [] },
  ops: { page: 'ops', uses: [] },
  till: { page: 'till', uses: ['camera'] },
}
/** What stands on a card in a chat: clients show it within their own pages. */
const picture = /^\/assets\/cover-[\w-]+\.jpg$/
const guarded = ['camera', 'geolocation', 'microphone']

/**
 * Serves the built pages: files as they are (hashed ones for a year), and for every other path below /console/, /pack/,
 * /mine/, /shop/, /ops/ and /till/ that page's shell, so that its router can read the path. `/` leads to the console.
 */
export function pagesOf(root = built): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/') return ctx.redirect('/console/')
    const first = ctx.path.split('/', 2)[1] ?? ''
    const shell = Object.hasOwn(shells, first) ? shells[first] : undefined
    const file = asset.test(ctx.path) ? ctx.path : shell === undefined ? null : `/${shell.page}/index.html`
    if (file === null || !existsSync(join(root, file))) return next()
    const forever = file.startsWith('/assets/')
    await send(ctx, file, { root, ...(forever ? { maxAge: 31_536_000_000, immutable: true } : {}) })
    if (picture.test(file)) ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
    if (forever) return
    ctx.set('Cache-Control', 'no-cache')
    ctx.set('Permissions-Policy', policyOf(shell?.uses ?? []))
  }
}

const policyOf = (used: readonly string[]): string =>
  guarded.map((feature) => `${feature}=(${used.includes(feature) ? 'self' : ''})`).join(', ')

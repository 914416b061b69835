import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type Koa from 'koa'
import send from 'koa-send'

const built = join(import.meta.dirname, '../wecom-app/dist')
/** The build's own files lie flat. Anything else is not looked for: whether a file is there must not be told either. */
const asset = /^\/assets\/[\w-][\w.-]*$/
/** The pages, each with what of a phone it may use (Permissions-Policy): a page that needs no camera never gets one. */
const shells: Readonly<Record<string, readonly string[]>> = {
  console: [],
  pack: ['geolocation'],
  ops: [],
  till: ['camera'],
}
const guarded = ['camera', 'geolocation', 'microphone']

/**
 * Serves the built pages: files as they are (hashed ones for a year), and for every other path below /console/, /pack/,
 * /ops/ and /till/ that page's shell, so that its router can read the path. `/` leads to the console.
 */
export function pagesOf(root = built): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/') return ctx.redirect('/console/')
    const shell = Object.keys(shells).find((name) => ctx.path === `/${name}` || ctx.path.startsWith(`/${name}/`))
    const file = asset.test(ctx.path) ? ctx.path : shell === undefined ? null : `/${shell}/index.html`
    if (file === null || !existsSync(join(root, file))) return next()
    const forever = file.startsWith('/assets/')
    await send(ctx, file, { root, ...(forever ? { maxAge: 31_536_000_000, immutable: true } : {}) })
    if (forever) return
    ctx.set('Cache-Control', 'no-cache')
    ctx.set('Permissions-Policy', policyOf(shells[shell ?? ''] ?? []))
  }
}

const policyOf = (used: readonly string[]): string =>
  guarded.map((feature) => `${feature}=(${used.includes(feature) ? 'self' : ''})`).join(', ')

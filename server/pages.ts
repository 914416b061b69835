import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type Koa from 'koa'
import send from 'koa-send'

const built = join(import.meta.dirname, '../wecom-app/dist')
/** The build's own files lie flat. Anything else is not looked for: whether a file is there must not be told either. */
const asset = /^\/assets\/[\w-][\w.-]*$/
const shells = ['console', 'pack', 'ops']

/**
 * Serves the built pages: files as they are (hashed ones for a year), and for every other path below /console/, /pack/
 * and /ops/ that page's shell, so that its router can read the path. `/` leads to the console.
 */
export function pagesOf(root = built): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/') return ctx.redirect('/console/')
    const shell = shells.find((name) => ctx.path === `/${name}` || ctx.path.startsWith(`/${name}/`))
    const file = asset.test(ctx.path) ? ctx.path : shell === undefined ? null : `/${shell}/index.html`
    if (file === null || !existsSync(join(root, file))) return next()
    const forever = file.startsWith('/assets/')
    await send(ctx, file, { root, ...(forever ? { maxAge: 31_536_000_000, immutable: true } : {}) })
    if (!forever) ctx.set('Cache-Control', 'no-cache')
  }
}

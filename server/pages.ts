import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type Koa from 'koa'
import send from 'koa-send'

const root = join(import.meta.dirname, '../wecom-app/dist')
const shells = ['console', 'pack', 'ops']

/**
 * Serves the built pages: files as they are (hashed ones for a year), and for every other path below /console/, /pack/
 * and /ops/ that page's shell, so that its router can read the path. `/` leads to the console.
 */
export function pagesOf(): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/') return ctx.redirect('/console/')
    const shell = shells.find((name) => ctx.path === `/${name}` || ctx.path.startsWith(`/${name}/`))
    const file = ctx.path.startsWith('/assets/') ? ctx.path : shell === undefined ? null : `/${shell}/index.html`
    if (file === null || !existsSync(join(root, file))) return next()
    const forever = file.startsWith('/assets/')
    await send(ctx, file, { root, ...(forever ? { maxAge: 31_536_000_000, immutable: true } : {}) })
    if (!forever) ctx.set('Cache-Control', 'no-cache')
  }
}

import type Koa from 'koa'
import Router from 'koa-router'
import type { Endpoint } from './endpoint.ts'

/**
 * The router tries one endpoint after the other, and there are hundreds: so those under each first part of a path have a router of
 * their own. Beside it, which methods a path knows.
 */
export function routesOf(endpoints: readonly Endpoint[], run: (ctx: Koa.Context, one: Endpoint) => Promise<void>) {
  const partOf = (path: string): string => path.split('/', 2)[1]?.toLowerCase() ?? ''
  const parts = new Map(
    [...Map.groupBy(endpoints, ({ path }) => partOf(path))].map(([part, some]) => {
      const router = new Router()
      for (const one of some) router.register(one.path, [one.method], (ctx: Koa.Context) => run(ctx, one))
      return [part, { router, handle: router.routes() }]
    }),
  )
  const routes: Koa.Middleware = (ctx, next) => {
    const handle = parts.get(partOf(ctx.path))?.handle
    return handle === undefined ? next() : handle(ctx as Parameters<typeof handle>[0], next)
  }
  const methodsAt = (path: string, method: string): string[] => {
    const layers = parts.get(partOf(path))?.router.match(path, method).path ?? []
    return [...new Set(layers.flatMap((layer) => layer.methods))]
  }
  return { routes, methodsAt }
}

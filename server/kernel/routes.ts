import type Koa from 'koa'
import Router from 'koa-router'
import type { Endpoint } from './endpoint.ts'

/**
 * The router tries one endpoint after the other, and there are hundreds: so those under each first part of a path have a router of
 * their own. Beside it, which methods a path knows.
 */
export function routesOf(endpoints: readonly Endpoint[], run: (ctx: Koa.Context, one: Endpoint) => Promise<void>) {
  const partOf = (path: string): string => path.split('/', 2)[1]?.toLowerCase() ?? ''
  const routers = new Map<string, Router>()
  for (const [part, some] of Map.groupBy(endpoints, ({ path }) => partOf(path))) {
    const router = new Router()
    for (const one of some) router.register(one.path, [one.method], (ctx: Koa.Context) => run(ctx, one))
    routers.set(part, router)
  }
  const handlers = new Map([...routers].map(([part, router]) => [part, router.routes()]))
  const routes: Koa.Middleware = (ctx, next) => {
    const handle = handlers.get(partOf(ctx.path))
    return handle === undefined ? next() : handle(ctx as Parameters<typeof handle>[0], next)
  }
  const methodsAt = (path: string, method: string): string[] => {
    const layers = routers.get(partOf(path))?.match(path, method).path ?? []
    return [...new Set(layers.flatMap((layer) => layer.methods))]
  }
  return { routes, methodsAt }
}

import type { Context } from 'koa'
import Router from 'koa-router'
import { queryText } from '../look/page.ts'
import { changeRoute, showValue } from './ctl.ts'
import type { CompanyControl } from './company-control.ts'

/** The control calls for companies, their apps and people, below /__ctl (protocol sheet 11.4). */
export function companyControlRoutes(control: CompanyControl): Router {
  const router = new Router({ prefix: '/__ctl' })
  changeRoute(router, '/apps', (body) => control.putApp(body))
  changeRoute(router, '/contact-sync', (body) => control.openContactSync(body))
  changeRoute(router, '/departments', (body) => control.putDepartment(body))
  changeRoute(router, '/departments/remove', (body) => control.removeDepartment(body))
  changeRoute(router, '/tags', (body) => control.putTag(body))
  changeRoute(router, '/js/verify', (body) => control.verifySignature(body))
  const ofMember = (path: string, run: (userid: string, body: never) => unknown) =>
    changeRoute(router, `/members/:userid/${path}`, (body, ctx) => run(useridOf(ctx), body))
  ofMember('enter', (userid, body) => control.enter(userid, body))
  ofMember('leave', (userid, body) => control.leave(userid, body))
  for (const path of ['change', 'rename', 'move']) ofMember(path, (userid, body) => control.changeMember(userid, body))
  ofMember('open-message', (userid, body) => control.openMessage(userid, body))
  ofMember('press', (userid, body) => control.press(userid, body))
  router.get('/log', (ctx) => {
    const [corpId, api] = [queryText(ctx, 'corpId'), queryText(ctx, 'api')]
    const wish = { ...(corpId === '' ? {} : { corpId }), ...(api === '' ? {} : { api }) }
    showValue(ctx, { calls: control.log(wish) })
  })
  router.get('/drops/:corpId', (ctx) => showValue(ctx, control.drops(ctx.params['corpId'] ?? '')))
  router.get('/received/:corpId', (ctx) =>
    showValue(ctx, control.received(ctx.params['corpId'] ?? '', queryText(ctx, 'link'))),
  )
  return router
}

function useridOf(ctx: Context): string {
  return (ctx as Context & { params: Record<string, string> }).params['userid'] ?? ''
}

import type Koa from 'koa'
import helmet from 'koa-helmet'
import type { WechatHouse } from './house.ts'

/** The pages that WeChat's client shows: they alone load its JS-SDK. */
const inWechat = /^\/(shop|mine)(\/|$)/
const self = "'self'"

/**
 * What pages may load, and from where: from us alone. Pages that WeChat shows load its JS-SDK too; in the sandbox that
 * script also asks the sandbox.
 */
export function pagePolicy(wechat: Pick<WechatHouse, 'jsSdkUrl' | 'clientScriptUrl'> | null): Koa.Middleware {
  const ours = policyWith([], [])
  if (wechat === null) return ours
  const asked = wechat.clientScriptUrl === null ? [] : [new URL(wechat.clientScriptUrl).origin]
  const wider = policyWith([new URL(wechat.jsSdkUrl).origin], asked)
  return (ctx, next) => (inWechat.test(ctx.path) ? wider : ours)(ctx, next)
}

function policyWith(scripts: readonly string[], asked: readonly string[]): Koa.Middleware {
  return helmet({
    contentSecurityPolicy: {
      directives: {
        defaultSrc: [self],
        scriptSrc: [self, ...scripts],
        connectSrc: [self, ...asked],
        styleSrc: [self, "'unsafe-inline'"],
        imgSrc: [self, 'data:', 'blob:'],
        upgradeInsecureRequests: null,
      },
    },
  })
}

import { z } from 'zod'
import type { WecomApp, WecomIdentity, WecomPort } from '../ports.ts'
import { fieldsOf, type Api, type WecomBases } from './call.ts'

const Identity = z.object({
  userid: z.string().nullish(),
  openid: z.string().nullish(),
  external_userid: z.string().nullish(),
  user_ticket: z.string().nullish(),
  /** Only in the answer to a third-party suite: the company the member belongs to. */
  corpid: z.string().nullish(),
})
const Detail = z.object({ mobile: z.string().nullish() })

/** Who somebody is: sign-in addresses, codes, and what a member agreed to show (protocols wecom 3.1 to 3.4). */
export function identityCalls(
  api: Api,
  bases: WecomBases,
): Pick<WecomPort, 'signInUrl' | 'identityByCode' | 'mobileByTicket'> {
  return {
    signInUrl: (app, where, redirectUri, state, scope = 'silent') => {
      if (!/^[A-Za-z0-9]{1,128}$/.test(state)) throw new RangeError('state takes letters and digits only')
      const back = { redirect_uri: redirectUri, state }
      if (where === 'desktop') return desktopUrl(bases, app, back)
      const query = new URLSearchParams({
        appid: appIdOf(app),
        ...back,
        response_type: 'code',
        scope: scope === 'consent' ? 'snsapi_privateinfo' : 'snsapi_base',
        // Without it consent is passed over, and accounts of provider apps are not activated by opening a page.
        agentid: String(app.agentId),
      })
      return new URL(`/connect/oauth2/authorize?${query.toString()}#wechat_redirect`, bases.oauthBase).href
    },
    async identityByCode(app, code) {
      // The code is spent by the call: silence leaves it unknown.
      if (app.kind === 'third_party') {
        const call = { api: 'service/auth/getuserinfo3rd', query: { code }, effect: true }
        return identityOf(app, fieldsOf(Identity, call, await api.suite(suiteOf(app), call)))
      }
      const call = { api: 'auth/getuserinfo', query: { code }, effect: true }
      return identityOf(app, fieldsOf(Identity, call, await api.app(app, call)))
    },
    async mobileByTicket(app, ticket) {
      // Third-party apps never see a mobile (3.3): asking would only cost the member's consent.
      if (app.kind === 'third_party') return null
      const call = { api: 'auth/getuserdetail', body: JSON.stringify({ user_ticket: ticket }), effect: false }
      return fieldsOf(Detail, call, await api.app(app, call)).mobile || null
    },
  }
}

/** A member is one of this very company: linked companies answer `CorpId/userid`, other installers of a suite a corpid. */
function identityOf(app: WecomApp, told: z.infer<typeof Identity>): WecomIdentity {
  const foreign = Boolean(told.corpid) && told.corpid !== app.corpId
  if (told.userid && !told.userid.includes('/') && !foreign)
    return { kind: 'member', userid: told.userid, ticket: told.user_ticket || null }
  return { kind: 'outsider', openid: told.openid || null, externalUserId: told.external_userid || null }
}

function desktopUrl(bases: WecomBases, app: WecomApp, back: Readonly<Record<string, string>>): string {
  const who =
    app.kind === 'third_party'
      ? { login_type: 'ServiceApp', appid: suiteOf(app) }
      : { login_type: 'CorpApp', appid: app.corpId, agentid: String(app.agentId) }
  const query = new URLSearchParams({ ...who, ...back })
  return new URL(`/wwlogin/sso/login?${query.toString()}`, bases.loginBase).href
}

const appIdOf = (app: WecomApp): string => (app.kind === 'third_party' ? suiteOf(app) : app.corpId)

/** The suite a third-party app comes from. Throws RangeError where the connection does not name one. */
export function suiteOf(app: WecomApp): string {
  if (app.suiteId === null) throw new RangeError('a third-party app comes from a suite')
  return app.suiteId
}

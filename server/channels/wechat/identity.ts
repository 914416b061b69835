import { z } from 'zod'
import { OutsideError } from '../../kernel/outside.ts'
import type { WechatPort } from '../wechat-port.ts'
import type { WechatAccount } from './account.ts'
import { accepted, fieldsOf, type Call, type Request, type WechatBases } from './call.ts'

const openid = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
const unionid = openid.nullish()
const Exchanged = z.object({ openid, unionid, is_snapshotuser: z.coerce.number().nullish() })
const Session = z.object({ openid, unionid })

/** Who somebody is: the authorise page and the two kinds of codes (2 and 6.1). */
export function identityCalls(
  request: Request,
  bases: WechatBases,
  account: WechatAccount,
): Pick<WechatPort, 'authoriseUrl' | 'identityByCode' | 'identityByMiniProgramCode'> {
  return {
    authoriseUrl(scope, redirectUri, state) {
      if (!/^[A-Za-z0-9]{1,128}$/.test(state)) throw new RangeError('state takes up to 128 letters and digits')
      // In this order: the client is said to match the address by pattern (2.1).
      const query = new URLSearchParams([
        ['appid', account.appid],
        ['redirect_uri', redirectUri],
        ['response_type', 'code'],
        ['scope', scope],
        ['state', state],
      ])
      return new URL(`/connect/oauth2/authorize?${query.toString()}#wechat_redirect`, bases.oauthBase).href
    },
    async identityByCode(code) {
      // The code is spent by the call: silence leaves it unknown.
      const { appid, secret } = account
      const query = { appid, secret, code, grant_type: 'authorization_code' }
      const call: Call = { api: 'sns/oauth2/access_token', query, effect: true }
      const told = fieldsOf(Exchanged, call, await spend(request, call))
      return { openid: told.openid, unionid: told.unionid || null, snapshot: told.is_snapshotuser === 1 }
    },
    async identityByMiniProgramCode(code) {
      const program = account.miniProgram
      if (program === null)
        throw new OutsideError('broken', 'not_configured', 'no mini program of wechat is configured')
      const query = { appid: program.appid, secret: program.secret, js_code: code, grant_type: 'authorization_code' }
      const call: Call = { api: 'sns/jscode2session', query, effect: true }
      const told = fieldsOf(Session, call, await spend(request, call))
      return { appid: program.appid, openid: told.openid, unionid: told.unionid || null }
    },
  }
}

const spend = async (request: Request, call: Call) => accepted(call, await request(call))

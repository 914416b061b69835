import { z } from 'zod'
import type { WecomPort } from '../ports.ts'
import { fieldsOf, listOf, type Api, type WecomBases } from './call.ts'

type SuitePort = Pick<WecomPort, 'installUrl' | 'permanentCode' | 'authInfo' | 'activateLicences'>

const PreAuthCode = z.object({ pre_auth_code: z.string().min(1) })
const Permanent = z.object({
  permanent_code: z.string().min(1),
  auth_corp_info: z.object({ corpid: z.string().min(1), corp_name: z.string().nullish() }),
  auth_user_info: z.object({ userid: z.string().nullish(), open_userid: z.string().nullish() }).nullish(),
})
const privilege = z.object({
  allow_party: listOf(z.int()),
  allow_user: listOf(z.string()),
  allow_tag: listOf(z.int()),
  extra_party: listOf(z.int()),
  extra_user: listOf(z.string()),
  extra_tag: listOf(z.int()),
})
const AuthInfo = z.object({
  auth_corp_info: z.object({
    corpid: z.string().min(1),
    corp_name: z.string().nullish(),
    corp_full_name: z.string().nullish(),
    corp_user_max: z.number().int().nonnegative().nullish(),
  }),
  auth_info: z.object({
    // One app of the corp; its agentid is what messages are sent with.
    agent: z.tuple(
      [z.object({ agentid: z.int(), auth_mode: z.int().nullish(), privilege: privilege.nullish() })],
      z.unknown(),
    ),
  }),
})
const Activated = z.object({
  active_result: listOf(z.object({ userid: z.string(), errcode: z.number().int().nullish() })),
})

const LICENCES_AT_ONCE = 1_000

/** Installing a suite, what an installed one may do, and licences (protocols wecom 8.2, 8.8). */
export function suiteCalls(api: Api, bases: WecomBases, testSuites: ReadonlySet<string>): SuitePort {
  return {
    async installUrl(suiteId, redirectUri, state) {
      if (!/^[A-Za-z0-9]{1,128}$/.test(state)) throw new RangeError('state takes letters and digits only')
      const call = { api: 'service/get_pre_auth_code', effect: false }
      const { pre_auth_code: code } = fieldsOf(PreAuthCode, call, await api.suite(suiteId, call))
      if (testSuites.has(suiteId)) {
        // A suite that is not released yet installs as a test only.
        const body = JSON.stringify({ pre_auth_code: code, session_info: { auth_type: 1 } })
        await api.suite(suiteId, { api: 'service/set_session_info', body, effect: false })
      }
      const query = new URLSearchParams({ suite_id: suiteId, pre_auth_code: code, redirect_uri: redirectUri, state })
      return new URL(`/3rdapp/install?${query.toString()}`, bases.installBase).href
    },
    async permanentCode(suiteId, authCode) {
      const body = JSON.stringify({ auth_code: authCode })
      const call = { api: 'service/v2/get_permanent_code', body, effect: true }
      const told = fieldsOf(Permanent, call, await api.suite(suiteId, call))
      const { corpid: corpId, corp_name: corpName } = told.auth_corp_info
      const admin = told.auth_user_info
      return {
        corpId,
        corpName: corpName ?? '',
        permanentCode: told.permanent_code,
        adminUserId: admin?.userid || admin?.open_userid || null,
      }
    },
    async authInfo(suiteId, corpId, permanentCode) {
      const body = JSON.stringify({ auth_corpid: corpId, permanent_code: permanentCode })
      const call = { api: 'service/v2/get_auth_info', body, effect: false }
      const { auth_corp_info: corp, auth_info: info } = fieldsOf(AuthInfo, call, await api.suite(suiteId, call))
      const [agent] = info.agent
      const seen = agent.privilege
      return {
        corpId: corp.corpid,
        corpName: corp.corp_full_name || corp.corp_name || '',
        agentId: agent.agentid,
        accountLimit: corp.corp_user_max ?? 0,
        authMode: agent.auth_mode === 1 ? 'member' : 'admin',
        departments: [...new Set([...(seen?.allow_party ?? []), ...(seen?.extra_party ?? [])])],
        userIds: [...new Set([...(seen?.allow_user ?? []), ...(seen?.extra_user ?? [])])],
        tags: [...new Set([...(seen?.allow_tag ?? []), ...(seen?.extra_tag ?? [])])],
      }
    },
    async activateLicences(app, list) {
      if (list.length > LICENCES_AT_ONCE) throw new RangeError('at most 1,000 accounts at once')
      if (list.length === 0) return new Map()
      const active_list = list.map(({ userid, activeCode: active_code }) => ({ active_code, userid }))
      const body = JSON.stringify({ corpid: app.corpId, active_list })
      const call = { api: 'license/batch_active_account', body, effect: true }
      const { active_result: results } = fieldsOf(Activated, call, await api.provider(call))
      const failed = results.filter((one) => (one.errcode ?? 0) !== 0)
      return new Map(failed.map((one) => [one.userid, String(one.errcode)]))
    },
  }
}

import { z } from 'zod'
import { openRoute, ownerRoute, readJson, type Answer, type ApiRoute, type Call, type OwnerCall } from './gate.ts'
import { corpIdFor, userIdFor } from './ids.ts'
import { corpBehind, openCorpId } from './outer-ids.ts'
import { exchange, installedApp, makePreAuthCode, suiteOf } from './suites.ts'
import { corpOf, type App, type Corp, type WecomState } from './state.ts'
import type { Suite } from './suite-state.ts'
import { issueAppToken, issueToken } from './tokens.ts'

const text = z.string().min(1)
const suiteTokenForm = z.looseObject({ suite_id: text, suite_secret: text, suite_ticket: text })
const providerTokenForm = z.looseObject({ corpid: text, provider_secret: text })
const sessionForm = z.looseObject({
  pre_auth_code: text,
  session_info: z.looseObject({ auth_type: z.union([z.literal(0), z.literal(1)]).optional() }),
})
const codeForm = z.looseObject({ auth_code: text })
const permanentForm = z.looseObject({ auth_corpid: text, permanent_code: text })
const corpForm = z.looseObject({ corpid: text })

/** The calls of providers and their suites (protocol sheet 8). */
export const suiteRoutes: readonly ApiRoute[] = [
  openRoute('POST', '/service/get_suite_token', suiteToken),
  openRoute('POST', '/service/get_provider_token', providerToken),
  ownerRoute('suite', 'GET', '/service/get_pre_auth_code', ofSuite(preAuthCode)),
  ownerRoute('suite', 'POST', '/service/set_session_info', ofSuite(setSession)),
  ownerRoute('suite', 'POST', '/service/v2/get_permanent_code', ofSuite(permanentCode)),
  ownerRoute('suite', 'POST', '/service/v2/get_auth_info', ofSuite(authInfo)),
  ownerRoute('suite', 'POST', '/service/get_corp_token', ofSuite(corpToken)),
  ownerRoute('provider', 'POST', '/service/corpid_to_opencorpid', toOpenCorpId),
]

type SuiteCall = Call & { readonly suite: Suite }

/** A call with the token of a suite, with the suite. */
export function ofSuite(run: (call: SuiteCall) => Answer): (call: OwnerCall) => Answer {
  return (call) => {
    const suite = call.owner.kind === 'suite' ? suiteOf(call.state, call.owner.suiteId) : undefined
    return suite ? run({ ...call, suite }) : { errcode: 40082 }
  }
}

/** Nothing works before the first ticket, and with one older than 30 minutes (40085). errcode is left out on success. */
function suiteToken({ state, raw }: Call): Answer {
  const form = suiteTokenForm.safeParse(readJson(raw))
  if (!form.success) return { errcode: 40058 }
  const suite = suiteOf(state, form.data.suite_id)
  if (!suite || suite.secret !== form.data.suite_secret) return { errcode: 40001 }
  const ticket = suite.tickets.find((one) => one.value === form.data.suite_ticket)
  if (!ticket || state.now() >= ticket.untilMs) return { errcode: 40085 }
  const { access_token, expires_in } = issueToken(state, { kind: 'suite', suiteId: suite.suiteId })
  return { suite_access_token: access_token, expires_in }
}

function providerToken({ state, raw }: Call): Answer {
  const form = providerTokenForm.safeParse(readJson(raw))
  if (!form.success) return { errcode: 40058 }
  const provider = state.outer.suites.providers.get(form.data.corpid)
  if (!provider) return { errcode: 40013 }
  if (provider.secret !== form.data.provider_secret) return { errcode: 40001 }
  const { access_token, expires_in } = issueToken(state, { kind: 'provider', corpId: provider.corpId })
  return { provider_access_token: access_token, expires_in }
}

function preAuthCode({ state, suite }: SuiteCall): Answer {
  return { errcode: 0, pre_auth_code: makePreAuthCode(state, suite), expires_in: 1_200 }
}

function setSession({ state, suite, raw }: SuiteCall): Answer {
  const form = sessionForm.safeParse(readJson(raw))
  if (!form.success) return { errcode: 40058 }
  const code = suite.preAuthCodes.get(form.data.pre_auth_code)
  if (!code) return { errcode: 40077 }
  if (state.now() >= code.untilMs) return { errcode: 42007 }
  code.formal = form.data.session_info.auth_type !== 1
  return { errcode: 0 }
}

function permanentCode({ state, suite, raw }: SuiteCall): Answer {
  const form = codeForm.safeParse(readJson(raw))
  if (!form.success) return { errcode: 40058 }
  const given = exchange(state, suite, form.data.auth_code)
  if (!given) return { errcode: 40078 }
  const { app, corp } = given
  const admin = userIdFor(app, given.install.adminUserId)
  return {
    errcode: 0,
    permanent_code: app.secret,
    auth_corp_info: { corpid: corpIdFor(app, corp.corpId), corp_name: corp.name },
    auth_user_info: { userid: admin, open_userid: admin, name: admin },
    ...(given.state === '' ? {} : { state: given.state }),
  }
}

/** The company and app that a permanent code opens, or the errcode: dead and wrong ones 40084, nobody's company 48004. */
function opened(state: WecomState, suite: Suite, raw: Buffer): { corp: Corp; app: App } | number {
  const form = permanentForm.safeParse(readJson(raw))
  if (!form.success) return 40058
  const { auth_corpid: corpId, permanent_code: code } = form.data
  const corp = corpBehind(state, suite.providerCorpId, corpId)
  if (!corp) return 40013
  if (state.outer.suites.deadCodes.has(code)) return 40084
  const app = installedApp(suite, corp)
  if (!app) return 48004
  return app.secret === code ? { corp, app } : 40084
}

function authInfo({ state, suite, raw }: SuiteCall): Answer {
  const found = opened(state, suite, raw)
  if (typeof found === 'number') return { errcode: found }
  const { corp, app } = found
  const range = app.visible
  const users = range === 'all' ? [] : [...range.userIds].map((id) => corp.members.get(id)?.userid ?? id)
  return {
    errcode: 0,
    auth_corp_info: {
      corpid: corpIdFor(app, corp.corpId),
      corp_name: corp.name,
      corp_full_name: corp.name,
      corp_type: 'verified',
      corp_user_max: corp.accountLimit,
      subject_type: 1,
    },
    auth_info: {
      agent: [
        {
          agentid: app.agentId,
          name: app.name,
          auth_mode: 0,
          is_customized_app: app.kind === 'customised',
          privilege: {
            level: 1,
            allow_party: range === 'all' ? [1] : [...range.departments],
            allow_user: users.map((id) => userIdFor(app, id)),
            allow_tag: range === 'all' ? [] : [...range.tags],
            extra_party: [],
            extra_user: [],
            extra_tag: [],
          },
        },
      ],
    },
  }
}

/** Third-party only: a customised app asks gettoken with its permanent code (48002 here). errcode is left out on success. */
function corpToken({ state, suite, raw }: SuiteCall): Answer {
  if (suite.kind !== 'third_party') return { errcode: 48002 }
  const found = opened(state, suite, raw)
  if (typeof found === 'number') return { errcode: found }
  if (!found.app.on) return { errcode: 50003 }
  return { ...issueAppToken(state, found.corp, found.app) }
}

function toOpenCorpId({ state, owner, raw }: OwnerCall): Answer {
  const form = corpForm.safeParse(readJson(raw))
  const corp = form.success ? corpOf(state, form.data.corpid) : undefined
  if (!corp || owner.kind !== 'provider') return { errcode: 40013 }
  return { errcode: 0, open_corpid: openCorpId(owner.corpId, corp.corpId) }
}

import { z } from 'zod'
import { ownerRoute, readJson, type Answer, type ApiRoute, type OwnerCall } from './gate.ts'
import { plainOf } from './cipher.ts'
import { corpBehind } from './outer-ids.ts'
import { putMember } from './members.ts'
import type { Corp, WecomState } from './state.ts'
import type { Provider } from './suite-state.ts'

/** A year of a licence is 372 days and ends at the midnight after (8.8), in China. */
const YEAR_MS = 372 * 86_400_000
const DAY_MS = 86_400_000
const CHINA_MS = 8 * 3_600_000
const MOST_ACTIVE = 1_000
const text = z.string().min(1)
const oneForm = z.looseObject({ active_code: text, corpid: text, userid: text })
const manyForm = z.looseObject({
  corpid: text,
  active_list: z.array(z.looseObject({ active_code: text, userid: text })).min(1),
})
const typeForm = z.looseObject({ type: z.union([z.literal(1), z.literal(2)]), corpid: text, userid: text })

/** The calls about interface licences (8.8), with the provider's token. */
export const licenceRoutes: readonly ApiRoute[] = [
  ownerRoute('provider', 'POST', '/license/active_account', activateOne),
  ownerRoute('provider', 'POST', '/license/batch_active_account', activateMany),
  ownerRoute('provider', 'POST', '/license/active_account_by_type', activateByType),
]

function providerOf({ state, owner }: OwnerCall): Provider | undefined {
  return owner.kind === 'provider' ? state.outer.suites.providers.get(owner.corpId) : undefined
}

function activateOne(call: OwnerCall): Answer {
  const form = oneForm.safeParse(readJson(call.raw))
  const provider = providerOf(call)
  if (!form.success || !provider) return { errcode: 40058 }
  const corp = corpBehind(call.state, provider.corpId, form.data.corpid)
  if (!corp) return { errcode: 40013 }
  return { errcode: activate(call.state, provider, corp, form.data.userid, form.data.active_code) }
}

function activateMany(call: OwnerCall): Answer {
  const form = manyForm.safeParse(readJson(call.raw))
  const provider = providerOf(call)
  if (!form.success || !provider) return { errcode: 40058 }
  if (form.data.active_list.length > MOST_ACTIVE) return { errcode: 40032 }
  const corp = corpBehind(call.state, provider.corpId, form.data.corpid)
  if (!corp) return { errcode: 40013 }
  const result = form.data.active_list.map(({ active_code, userid }) => ({
    active_code,
    userid,
    errcode: activate(call.state, provider, corp, userid, active_code),
  }))
  return { errcode: 0, active_result: result }
}

function activateByType(call: OwnerCall): Answer {
  const form = typeForm.safeParse(readJson(call.raw))
  const provider = providerOf(call)
  if (!form.success || !provider) return { errcode: 40058 }
  const corp = corpBehind(call.state, provider.corpId, form.data.corpid)
  if (!corp) return { errcode: 40013 }
  const kind = form.data.type === 1 ? 'base' : 'interop'
  const free = [...provider.licences].find(([, one]) => one.kind === kind && one.usedBy === null)
  return { errcode: free ? activate(call.state, provider, corp, form.data.userid, free[0]) : 40058 }
}

/** Gives a member the licence behind a code. A repeat for the same member is no mistake and changes nothing. */
function activate(state: WecomState, provider: Provider, corp: Corp, userid: string, code: string): number {
  const plain = plainOf(provider.corpId, userid)
  const member = plain === null ? undefined : corp.members.get(plain.toLowerCase())
  if (!member) return 60111
  const bought = provider.licences.get(code)
  const user = `${corp.corpId.toLowerCase()}/${member.userid.toLowerCase()}`
  if (!bought || (bought.usedBy !== null && bought.usedBy !== user)) return 40058
  if (bought.usedBy === user) return 0
  bought.usedBy = user
  const endMs = state.now() + YEAR_MS
  const untilMs = Math.ceil((endMs + CHINA_MS) / DAY_MS) * DAY_MS - CHINA_MS
  const kind = member.licence?.kind === 'interop' ? 'interop' : bought.kind
  putMember(corp, { ...member, licence: { kind, untilMs } })
  return 0
}

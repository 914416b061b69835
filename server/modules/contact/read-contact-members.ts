import type { ContactMembers } from '../../../contract/hr/contact.ts'
import type { Edge } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { contactCodeSentence } from './contact-codes.ts'

/** Members whose names are asked for one by one; the rest are shown by their account. */
const MOST_NAMED = 50
const AT_ONCE = 5

/**
 * Who of the company may serve a QR code, as WeCom tells at this moment. Refuses with `wecom_not_connected`, and
 * `provider_unavailable` with what to do where WeCom does not grant customer contact.
 */
export async function readContactMembers(edge: Edge): Promise<ContactMembers> {
  const companyId = companyOf(edge.actor)
  const app = (await edge.read((tx) => readWecomApp(tx, companyId))) ?? refuse('wecom_not_connected')
  try {
    const userIds = await edge.ports.wecom.followUsers(app)
    const names = new Map<string, string | null>()
    const named = userIds.slice(0, MOST_NAMED)
    for (let from = 0; from < named.length; from += AT_ONCE)
      await Promise.all(
        named.slice(from, from + AT_ONCE).map(async (userid) => {
          const member = await edge.ports.wecom.member(app, userid).catch(() => null)
          names.set(userid, member?.name ?? null)
        }),
      )
    return { members: userIds.map((userid) => ({ userid, name: names.get(userid) ?? null })) }
  } catch (error) {
    if (!(error instanceof OutsideError) || error.outcome === 'busy' || error.outcome === 'unknown') throw error
    const { code } = error
    return refuse('provider_unavailable', {
      cause: error,
      detail: { zh: `${contactCodeSentence(code, 'zh')}。`, en: `${contactCodeSentence(code, 'en')}.` },
    })
  }
}

import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { cancelConnection } from './cancel-connection.ts'
import { fieldOf, happenedAtMs, type WecomEventView } from './read-event.ts'
import { readInstall } from './read-install.ts'
import { refreshAuthorisation } from './refresh-authorisation.ts'
import { takeAuthorisation } from './take-authorisation.ts'

type CompanyMade = (tx: Tx, companyId: Id<'company'>) => Promise<void>

/**
 * `create_auth` and `reset_permanent_code`: exchanges the auth code within its ten minutes. An install that was begun on
 * our site belongs to the company that began it. Refuses and throws as takeAuthorisation does.
 */
export async function takeInstall(edge: Edge, event: WecomEventView, companyMade: CompanyMade): Promise<void> {
  const authCode = fieldOf(event, 'AuthCode')
  const { suiteId } = event
  if (authCode === null || suiteId === null) return
  const intent = await edge.read((tx) => readInstall(tx, fieldOf(event, 'State')))
  const companyId = intent?.suiteId === suiteId ? intent.companyId : null
  const [atMs, renews] = [happenedAtMs(event), event.kind === 'reset_permanent_code']
  await takeAuthorisation(edge, { suiteId, authCode, companyId, companyMade, atMs, renews, patienceMs: 0 })
}

/** `change_auth` carries no difference: WeCom is asked anew (protocols wecom, 8.4). Throws OutsideError. */
export async function takeChange(edge: Edge, event: WecomEventView): Promise<void> {
  if (event.companyId !== null) await refreshAuthorisation(edge, event.companyId)
}

/**
 * A `cancel_auth` that did not end the connection when it came: it was older than the credential, or of a corp that was
 * not here yet. WeCom is asked whether the authorisation still stands. Throws OutsideError.
 */
export async function takeCancellation(edge: Edge, event: WecomEventView): Promise<void> {
  const corpId = fieldOf(event, 'AuthCorpId')
  const { suiteId, companyId } = event
  if (suiteId === null || corpId === null || companyId === null) return
  const atMs = happenedAtMs(event)
  if (await edge.tx((tx) => cancelConnection(tx, { suiteId, corpId, atMs }))) return
  await refreshAuthorisation(edge, companyId)
}

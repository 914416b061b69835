import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readInstall, spendInstall } from './read-install.ts'
import { refreshAuthorisation } from './refresh-authorisation.ts'
import { takeAuthorisation } from './take-authorisation.ts'

/** A person waits for the page: longer than another process needs to store an answer, and no longer. */
const PATIENCE_MS = 3_000

/**
 * Takes the administrator back from WeCom's install page and connects the company that began it; what was granted is read
 * at once where WeCom tells it, and by a job else. Refuses with `wecom_install_expired` for a state that is missing, not
 * ours, another company's, over or used before; as takeAuthorisation does; throws OutsideError.
 */
export async function completeInstall(
  edge: Edge,
  back: { readonly authCode: string | undefined; readonly state: string },
): Promise<void> {
  const companyId = companyOf(edge.actor)
  const intent = await edge.tx(async (tx) => {
    const found = await readInstall(tx, back.state)
    if (found === null || found.companyId !== companyId) return null
    return (await spendInstall(tx, back.state)) ? found : null
  })
  if (intent === null || back.authCode === undefined || back.authCode === '') refuse('wecom_install_expired')
  const { suiteId } = intent
  await takeAuthorisation(edge, {
    suiteId,
    authCode: back.authCode,
    companyId,
    atMs: edge.clock.now(),
    patienceMs: PATIENCE_MS,
    companyMade,
  })
  await refreshAuthorisation(edge, companyId).catch((error: unknown) => {
    if (!(error instanceof OutsideError)) throw error
    edge.log.warn({ companyId, code: error.code }, 'wecom did not tell what was granted; a job asks again')
  })
}

/** The company is there: nothing is made here. */
const companyMade = async (_tx: Tx, _companyId: Id<'company'>): Promise<void> => undefined

import type { Edge } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import type { InstallIntent } from './read-install.ts'

const STATE_BYTES = 16

/**
 * Where the acting administrator goes to install one of our suites for their company (protocols wecom, 8.2). Who began it
 * is kept by the state, for the market may tell us of the same install before the browser is back. Refuses with
 * `not_found` for a suite that is not ours; throws OutsideError.
 */
export async function beginInstall(edge: Edge, suiteId: string): Promise<string> {
  const suite = edge.house.wecomSuites.find((one) => one.suiteId === suiteId) ?? refuse('not_found')
  const state = edge.random(STATE_BYTES).toString('hex')
  const url = await edge.ports.wecom.installUrl(
    suite.suiteId,
    `${edge.house.publicUrl}/hr/wecom/install-callback`,
    state,
  )
  const intent: InstallIntent = {
    companyId: companyOf(edge.actor),
    memberId: memberOf(edge.actor),
    suiteId: suite.suiteId,
    beganAtMs: edge.clock.now(),
  }
  await edge.tx((tx) => once(tx, 'wecom-install', state, {}, async () => intent))
  return url
}

import { z } from 'zod'
import {
  CallbackKeys,
  Check,
  CheckInput,
  ConnectInput,
  InstallCallbackInput,
  InstallInput,
  InstallUrl,
  WecomWizard,
} from '../../../contract/hr/wecom.ts'
import { Revived } from '../../../contract/operator/platform.ts'
import { ProviderView, ReviveEventInput } from '../../../contract/operator/wecom.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse, toAppError } from '../../kernel/errors.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { beginInstall } from './begin-install.ts'
import { checkConnection } from './check-connection.ts'
import { completeInstall } from './complete-install.ts'
import { connectWecom } from './connect-wecom.ts'
import { makeCallbackKeys } from './make-callback-keys.ts'
import { readProvider } from './read-provider.ts'
import { readConnection } from './read-wecom-app.ts'
import { readWizard } from './read-wizard.ts'
import { refreshAuthorisation } from './refresh-authorisation.ts'
import { reviveEvent } from './revive-event.ts'

const none = z.object({})

/** WeCom's codes for a secret or corp id that is not the app's. */
const notTheSecret = new Set(['40001', '40013', '40091'])

/**
 * A secret is proved before it takes the place of another: with a wrong one nobody could sign in any more. A WeCom that
 * refuses for another reason (an app that is put off), or does not answer, stands in no one's way to a corp that is theirs
 * already. Another corp is proved for certain: whoever holds its id keeps its own administrators out. Refuses with
 * `wecom_secret_refused` and `provider_unavailable`.
 */
async function connectProved(edge: Edge, app: z.output<typeof ConnectInput>): Promise<z.input<typeof WecomWizard>> {
  const { corpId, agentId, secret } = app
  if (secret !== undefined) {
    const facts = await edge.read((tx) => readConnection(tx, companyOf(tx.actor)))
    const tried = { kind: 'self_built', corpId, agentId, secret, suiteId: null, contactSecret: null } as const
    await edge.ports.wecom.checkCredential(tried).catch((error: unknown) => {
      if (!(error instanceof OutsideError)) throw error
      if (notTheSecret.has(error.code)) refuse('wecom_secret_refused', { field: 'secret', detail: error.code })
      if (error.outcome === 'broken' || facts?.corpId === corpId) return
      refuse('provider_unavailable', { cause: error, retryAfterMs: error.retryAfterMs })
    })
  }
  return edge.tx((tx) => connectSelfBuilt(tx, app))
}

/** An installed app is changed in WeCom, where it was granted; a form here would only contradict it. */
async function connectSelfBuilt(tx: Tx, app: z.output<typeof ConnectInput>): Promise<z.input<typeof WecomWizard>> {
  const companyId = companyOf(tx.actor)
  const facts = await readConnection(tx, companyId)
  if (facts !== null && facts.kind !== 'self_built' && facts.state !== 'cancelled') refuse('state_conflict')
  const { secret, contactSecret, ...plain } = app
  await connectWecom(tx, {
    companyId,
    ...plain,
    ...(secret !== undefined && { secret }),
    ...(contactSecret !== undefined && { contactSecret }),
  })
  return readWizard(tx)
}

/** The administrator's browser comes back from WeCom: whatever became of it, a page says so. */
async function backFromInstall(edge: Edge, http: Http, back: z.output<typeof InstallCallbackInput>): Promise<void> {
  try {
    await completeInstall(edge, { authCode: back.auth_code, state: back.state })
    http.redirect('/console/wecom?installed=1')
  } catch (error) {
    const known = toAppError(error)
    edge.log.warn({ code: known.code, err: known.cause ?? known }, 'wecom install not finished')
    http.redirect(`/console/wecom?problem=${known.code}`)
  }
}

const companyEndpoints = [
  endpoint({
    ...({ method: 'GET', path: '/hr/wecom', may: 'wecom.read', scope: 'read' } as const),
    input: none,
    output: WecomWizard,
    run: readWizard,
  }),
  endpoint({
    ...({ method: 'PUT', path: '/hr/wecom', may: 'wecom.manage', scope: 'edge', body: 'json' } as const),
    input: ConnectInput,
    output: WecomWizard,
    run: connectProved,
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/wecom/callback-keys', may: 'wecom.manage', scope: 'tx' } as const),
    input: none,
    output: CallbackKeys,
    run: makeCallbackKeys,
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/wecom/checks/:point', may: 'wecom.manage', scope: 'edge' } as const),
    input: CheckInput,
    output: Check,
    run: (edge, { point }) => checkConnection(edge, point),
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/wecom/refresh', may: 'wecom.manage', scope: 'edge' } as const),
    input: none,
    output: WecomWizard,
    run: async (edge) => {
      await refreshAuthorisation(edge, companyOf(edge.actor))
      return edge.read(readWizard)
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/wecom/install', may: 'wecom.manage', scope: 'edge', body: 'json' } as const),
    input: InstallInput,
    output: InstallUrl,
    run: async (edge, { suiteId }) => ({ url: await beginInstall(edge, suiteId) }),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/wecom/install-callback', may: 'wecom.manage', scope: 'edge' } as const),
    output: 'stream',
    input: InstallCallbackInput,
    run: (edge, back, http) => backFromInstall(edge, http, back),
  }),
]

const platformEndpoints = [
  endpoint({
    ...({ method: 'GET', path: '/operator/wecom', may: 'platform.read', scope: 'read' } as const),
    input: none,
    output: ProviderView,
    run: readProvider,
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/wecom/events/:id/revive', may: 'jobs.revive', scope: 'tx' } as const),
    input: ReviveEventInput,
    output: Revived,
    run: async (tx, { id }) => ({ revived: await reviveEvent(tx, id) }),
  }),
]

/** How a company is connected to WeCom, and what the platform's people see of all of it. */
export const wecomEndpoints: readonly Endpoint[] = [...companyEndpoints, ...platformEndpoints]

import { z } from 'zod'
import { HrSession, HrSettings, SignInCallbackInput, SignInInput } from '../../../contract/hr/session.ts'
import { OperatorSession, OperatorSignIn } from '../../../contract/operator/platform.ts'
import { WecomCallbackInput } from '../../../contract/outside/wecom.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { AppError, refuse } from '../../kernel/errors.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { closeSession, openSession } from './open-session.ts'
import { readCompany } from './read-company.ts'
import { findMemberByUserId, readMemberNames, readMembers, rolesOf } from './read-members.ts'
import { findOperatorByKey, readOperator } from './read-operator.ts'
import { readCallbackKeys, readConnection } from './read-wecom-app.ts'
import { beginSignIn, completeSignIn } from './sign-in.ts'
import { checkKeyTries, countWrongKey } from './throttle-keys.ts'

const none = z.object({})

/** A person's browser that was sent back to us sees a page with the sentence; a program sees the problem. */
async function orSignInPage(http: Http, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof AppError) || !http.headers['accept']?.includes('text/html')) throw error
    http.redirect(`/console/sign-in?problem=${error.code}`)
  }
}

async function signInMember(edge: Edge, http: Http, back: z.output<typeof SignInCallbackInput>): Promise<void> {
  const signedIn = await completeSignIn(edge, http, { code: back.code, state: back.state, audience: 'member' })
  if (signedIn === null) return
  const { companyId, userid, returnPath } = signedIn
  const memberId = await edge.tx(async (tx) => {
    const found = (await findMemberByUserId(tx, companyId, userid)) ?? refuse('sign_in_not_allowed')
    await trail(tx, { objectId: found, act: 'member.signed_in' })
    return found
  })
  openSession(edge, http, { kind: 'member', companyId, memberId })
  http.redirect(returnPath)
}

async function presentSession(tx: Tx): Promise<z.input<typeof HrSession>> {
  const companyId = companyOf(tx.actor)
  const memberId = memberOf(tx.actor)
  const company = (await readCompany(tx, companyId)) ?? refuse('unauthenticated')
  const memberName = (await readMemberNames(tx, [memberId])).get(memberId) ?? refuse('unauthenticated')
  const roles = tx.actor.kind === 'member' ? rolesOf(tx.actor.roles.join(',')) : []
  const { id, code, name, paymentRoute } = company
  return {
    member: { id: memberId, name: memberName, roles },
    company: { id, code, name, paymentRoute },
    sandbox: tx.house.sandbox,
  }
}

async function presentSettings(tx: Tx): Promise<z.input<typeof HrSettings>> {
  const companyId = companyOf(tx.actor)
  const company = (await readCompany(tx, companyId)) ?? refuse('not_found')
  const members = await readMembers(tx, companyId)
  const connection = await readConnection(tx, companyId)
  return {
    members: members.map((member) => ({ ...member, roles: [...member.roles] })),
    wecom: connection && { ...connection, callbackUrl: `${tx.house.publicUrl}/callback/wecom/${companyId}` },
    paymentRoute: company.paymentRoute,
  }
}

async function presentOperator(tx: Tx): Promise<z.input<typeof OperatorSession>> {
  const operatorId = tx.actor.kind === 'operator' ? tx.actor.operatorId : refuse('forbidden')
  const operator = (await readOperator(tx, operatorId)) ?? refuse('unauthenticated')
  return { ...operator, roles: [...operator.roles], sandbox: tx.house.sandbox }
}

const memberEndpoints = [
  endpoint({
    ...({ method: 'GET', path: '/hr/sign-in/:code', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: SignInInput,
    run: (edge, { code, return: returnPath }, http) =>
      orSignInPage(http, () => beginSignIn(edge, http, { companyCode: code, audience: 'member', returnPath })),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/sign-in-callback', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: SignInCallbackInput,
    run: (edge, back, http) => orSignInPage(http, () => signInMember(edge, http, back)),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/session', may: 'session.read', scope: 'read' } as const),
    input: none,
    output: HrSession,
    run: presentSession,
  }),
  endpoint({
    ...({ method: 'DELETE', path: '/hr/session', may: 'public', scope: 'read', output: 'stream' } as const),
    input: none,
    run: async (tx, _input, http) => closeSession(tx, http, 'member'),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/settings', may: 'settings.read', scope: 'read' } as const),
    input: none,
    output: HrSettings,
    run: presentSettings,
  }),
]

const operatorEndpoints = [
  endpoint({
    ...({ method: 'POST', path: '/operator/session', may: 'public', scope: 'tx', body: 'json' } as const),
    input: OperatorSignIn,
    output: OperatorSession,
    run: async (tx, { key }, http) => {
      await checkKeyTries(http.ip)
      const operator = await findOperatorByKey(tx, key)
      if (operator === null) {
        await countWrongKey(http.ip)
        refuse('sign_in_refused')
      }
      await trail(tx, { objectId: operator.id, act: 'operator.signed_in' })
      openSession(tx, http, { kind: 'operator', operatorId: operator.id })
      return { ...operator, roles: [...operator.roles], sandbox: tx.house.sandbox }
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/operator/session', may: 'session.read', scope: 'read' } as const),
    input: none,
    output: OperatorSession,
    run: presentOperator,
  }),
  endpoint({
    ...({ method: 'DELETE', path: '/operator/session', may: 'public', scope: 'read', output: 'stream' } as const),
    input: none,
    run: async (tx, _input, http) => closeSession(tx, http, 'operator'),
  }),
]

/** WeCom counts anything but 200 as a failure and sends again, so nothing slow happens before the answer. */
const callbackEndpoints = [
  endpoint({
    ...({ method: 'GET', path: '/callback/wecom/:companyId', may: 'notice', scope: 'edge', output: 'stream' } as const),
    input: WecomCallbackInput,
    run: async (edge, { companyId, ...query }, http) => {
      const keys = (await edge.read((tx) => readCallbackKeys(tx, companyId))) ?? refuse('not_found')
      const echo = edge.ports.wecom.verifyCallback(keys, query)
      http.setHeader('Content-Type', 'text/plain; charset=utf-8')
      return echo
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/callback/wecom/:companyId', may: 'notice', scope: 'edge', body: 'raw' } as const),
    output: 'stream',
    input: WecomCallbackInput,
    run: async (edge, { companyId, ...query }, http) => {
      const keys = (await edge.read((tx) => readCallbackKeys(tx, companyId))) ?? refuse('not_found')
      const { kind } = edge.ports.wecom.openCallback(keys, query, http.raw ?? Buffer.alloc(0))
      edge.log.info({ companyId, kind }, 'wecom callback')
      http.setHeader('Content-Type', 'text/plain; charset=utf-8')
      return 'success'
    },
  }),
]

export const companyEndpoints: readonly Endpoint[] = [...memberEndpoints, ...operatorEndpoints, ...callbackEndpoints]

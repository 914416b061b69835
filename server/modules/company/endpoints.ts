import { z } from 'zod'
import {
  FirstSignInInput,
  GiftDepthChosen,
  GiftDepthInput,
  HrSession,
  HrSettings,
  SignInCallbackInput,
  SignInInput,
  TimeZoneChosen,
  TimeZoneInput,
} from '../../../contract/hr/session.ts'
import { PageSignature, SignPageInput } from '../../../contract/page-signature.ts'
import {
  FirstSignInLink,
  FirstSignInOffer,
  OperatorSession,
  OperatorSignIn,
} from '../../../contract/operator/platform.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { AppError, refuse } from '../../kernel/errors.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { chooseGiftDepth } from './choose-gift-depth.ts'
import { chooseTimeZone } from './choose-time-zone.ts'
import { callbackEndpoints } from './callback-endpoints.ts'
import { offerFirstSignIn, takeFirstSignIn } from './first-sign-in.ts'
import { closeSession, openSession } from './open-session.ts'
import { readCompany } from './read-company.ts'
import { findMemberByUserId, readMemberNames, readMembers, rolesOf } from './read-members.ts'
import { findOperatorByKey, readOperator } from './read-operator.ts'
import { readConnection } from './read-wecom-app.ts'
import { beginSignIn, completeSignIn } from './sign-in.ts'
import { signPage } from './sign-page.ts'
import { checkKeyTries, countWrongKey } from './throttle-keys.ts'
import { wecomEndpoints } from './wecom-endpoints.ts'
import { writeSignIn } from './write-sign-in.ts'

const none = z.object({})

/** The path decides whose session counts, so each audience has its own. */
const signPageEndpoints = ['/hr/js/signature', '/employee/js/signature'].map((path) =>
  endpoint({
    ...({ method: 'POST', path, may: 'js.sign', scope: 'edge', body: 'json' } as const),
    input: SignPageInput,
    output: PageSignature,
    run: (edge, { url }) => signPage(edge, url),
  }),
)

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
  const { companyId, returnPath } = signedIn
  const userid = signedIn.userid ?? refuse('sign_in_not_allowed')
  const found = await edge.read((tx) => findMemberByUserId(tx, companyId, userid))
  const memberId = found ?? refuse('sign_in_not_allowed')
  await writeSignIn(edge, { kind: 'signed_in', memberId })
  openSession(edge, http, { kind: 'member', companyId, memberId })
  http.redirect(returnPath)
}

/** A link that was guessed counts against its address like a wrong key of the platform. */
async function signInFirst(edge: Edge, http: Http, token: string): Promise<void> {
  await checkKeyTries(http.ip)
  try {
    openSession(edge, http, { kind: 'member', ...(await edge.tx((tx) => takeFirstSignIn(tx, token))) })
  } catch (error) {
    if (error instanceof AppError && error.code === 'first_sign_in_refused') await countWrongKey(http.ip)
    throw error
  }
}

async function presentSession(tx: Tx): Promise<z.input<typeof HrSession>> {
  const companyId = companyOf(tx.actor)
  const memberId = memberOf(tx.actor)
  const company = (await readCompany(tx, companyId)) ?? refuse('unauthenticated')
  const memberName = (await readMemberNames(tx, [memberId])).get(memberId) ?? refuse('unauthenticated')
  const roles = tx.actor.kind === 'member' ? rolesOf(tx.actor.roles.join(',')) : []
  const { id, code, name, paymentRoute, timeZone } = company
  return {
    member: { id: memberId, name: memberName, roles },
    company: { id, code, name, paymentRoute, timeZone },
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
    timeZone: company.timeZone,
    giftDepth: company.giftDepth,
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
    ...({ method: 'POST', path: '/hr/first-sign-in', may: 'public', scope: 'edge', body: 'json' } as const),
    output: 'stream',
    input: FirstSignInInput,
    run: (edge, { token }, http) => signInFirst(edge, http, token),
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
  endpoint({
    ...({ method: 'PUT', path: '/hr/settings/time-zone', may: 'settings.write', scope: 'tx', body: 'json' } as const),
    input: TimeZoneInput,
    output: TimeZoneChosen,
    run: async (tx, { timeZone }) => ({ timeZone: await chooseTimeZone(tx, timeZone) }),
  }),
  endpoint({
    ...({ method: 'PUT', path: '/hr/settings/gift-depth', may: 'settings.write', scope: 'tx', body: 'json' } as const),
    input: GiftDepthInput,
    output: GiftDepthChosen,
    run: async (tx, { giftDepth }) => ({ giftDepth: await chooseGiftDepth(tx, giftDepth) }),
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
  endpoint({
    ...({ method: 'POST', path: '/operator/companies/:id/first-sign-in', may: 'company.invite', scope: 'tx' } as const),
    input: FirstSignInOffer,
    output: FirstSignInLink,
    run: (tx, { id }) => offerFirstSignIn(tx, id),
  }),
]

export const companyEndpoints: readonly Endpoint[] = [
  ...memberEndpoints,
  ...signPageEndpoints,
  ...operatorEndpoints,
  ...wecomEndpoints,
  ...callbackEndpoints,
]

import { z } from 'zod'
import { CardDetail, CardIdInput, EmployeeSession, Opened, OpenedInput, Pack } from '../../../contract/employee/pack.ts'
import type { ErrorCode } from '../../../contract/error-codes.ts'
import { SignInCallbackInput, SignInInput } from '../../../contract/hr/session.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Actor, Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { AppError, refuse } from '../../kernel/errors.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { closeSession, openSession } from '../company/open-session.ts'
import { readCompany } from '../company/read-company.ts'
import { beginSignIn, completeSignIn } from '../company/sign-in.ts'
import { markClaimed } from '../delivery/mark-claimed.ts'
import { findContactTicket, isClaimPath, withContact } from '../contact/find-contact-ticket.ts'
import { markOpened } from '../delivery/mark-opened.ts'
import { findPersonByUserId } from '../staff/find-person.ts'
import { openPeople } from '../staff/read-people.ts'
import { consentEndpoints } from './consent-endpoints.ts'
import { payEndpoints } from './pay-endpoints.ts'
import { findCardOfCampaign, readCard, readPack } from './read-pack.ts'

const none = z.object({})

/** Whom a company gives something to. Refuses with `forbidden` for a buyer, who is of no company. */
const employeeOf = (actor: Actor) => (actor.kind === 'employee' ? actor : refuse('forbidden'))

/** A phone that was sent back to us sees the card pack's page with the sentence; a program sees the problem. */
async function orPackPage(http: Http, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof AppError) || !isPage(http)) throw error
    http.redirect(`/pack/?problem=${error.code}`)
  }
}

const isPage = (http: Http): boolean => http.headers['accept']?.includes('text/html') === true

/** Turns somebody away with the company's code: by it the page offers to look for them by their mobile. */
async function turnAway(edge: Edge, http: Http, companyId: Id<'company'>, code: ErrorCode): Promise<void> {
  const company = await edge.read((tx) => readCompany(tx, companyId))
  if (company === null || !isPage(http)) refuse(code)
  http.redirect(`/pack/?problem=${code}&company=${company.code}`)
}

async function signInEmployee(edge: Edge, http: Http, back: z.output<typeof SignInCallbackInput>): Promise<void> {
  const signedIn = await completeSignIn(edge, http, { code: back.code, state: back.state, audience: 'employee' })
  if (signedIn === null) return
  const { companyId, userid, externalUserId, returnPath } = signedIn
  const person = userid === null ? null : await edge.read((tx) => findPersonByUserId(tx, companyId, userid))
  if (person === null) {
    // Whoever came from a claim page may still prove who they are by their mobile.
    if (!isClaimPath(returnPath))
      return turnAway(edge, http, companyId, userid === null ? 'sign_in_not_allowed' : 'not_on_staff_list')
    const ticket = externalUserId && (await edge.read((tx) => findContactTicket(tx, companyId, externalUserId)))
    return http.redirect(ticket === null ? returnPath : withContact(returnPath, ticket))
  }
  openSession(edge, http, { kind: 'employee', companyId, personId: person.id })
  http.redirect(returnPath)
}

async function presentSession(tx: Tx): Promise<z.input<typeof EmployeeSession>> {
  const { companyId, personId } = employeeOf(tx.actor)
  const company = (await readCompany(tx, companyId)) ?? refuse('unauthenticated')
  const [person] = await openPeople(tx, [personId])
  return {
    name: (person ?? refuse('unauthenticated')).name,
    companyName: company.name,
    companyCode: company.code,
    timeZone: company.timeZone,
    sandbox: tx.house.sandbox,
    passes: (tx.house.passesUntilMs ?? 0) > tx.clock.now(),
  }
}

const signInEndpoints = [
  ...consentEndpoints(orPackPage),
  endpoint({
    ...({ method: 'GET', path: '/employee/sign-in/:code', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: SignInInput,
    run: (edge, { code, return: returnPath }, http) =>
      orPackPage(http, () => beginSignIn(edge, http, { companyCode: code, audience: 'employee', returnPath })),
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/sign-in-callback', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: SignInCallbackInput,
    run: (edge, back, http) => orPackPage(http, () => signInEmployee(edge, http, back)),
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/session', may: 'pack.read', scope: 'read' } as const),
    input: none,
    output: EmployeeSession,
    run: presentSession,
  }),
  endpoint({
    ...({ method: 'DELETE', path: '/employee/session', may: 'public', scope: 'read', output: 'stream' } as const),
    input: none,
    run: async (tx, _input, http) => closeSession(tx, http, 'employee'),
  }),
]

export const cardpackEndpoints: readonly Endpoint[] = [
  ...signInEndpoints,
  ...payEndpoints,
  endpoint({
    ...({ method: 'GET', path: '/employee/pack', may: 'pack.read', scope: 'read' } as const),
    input: none,
    output: Pack,
    run: async (tx) => ({ cards: await readPack(tx) }),
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/cards/:id', may: 'pack.read', scope: 'read' } as const),
    input: CardIdInput,
    output: CardDetail,
    run: (tx, { id }) => readCard(tx, id),
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/campaigns/:id/opened', may: 'pack.read', scope: 'tx' } as const),
    input: OpenedInput,
    output: Opened,
    run: async (tx, { id }) => {
      const campaign = await findOwnCampaign(tx, id)
      const cardId = await findCardOfCampaign(tx, campaign.id)
      if (cardId !== null) await markOpened(tx, { campaignId: campaign.id, personId: employeeOf(tx.actor).personId })
      return { cardId }
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/campaigns/:id/claimed', may: 'pack.read', scope: 'tx' } as const),
    input: OpenedInput,
    output: Opened,
    run: async (tx, { id }) => {
      const campaign = await findOwnCampaign(tx, id)
      const cardId = await findCardOfCampaign(tx, campaign.id)
      if (cardId !== null) await markClaimed(tx, { campaignId: campaign.id, personId: employeeOf(tx.actor).personId })
      return { cardId }
    },
  }),
]

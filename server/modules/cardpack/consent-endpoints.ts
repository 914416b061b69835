import { SignInCallbackInput, SignInInput } from '../../../contract/hr/session.ts'
import type { Edge } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { beginConsent, completeConsent } from '../company/ask-consent.ts'
import { openSession } from '../company/open-session.ts'
import { homeOf } from '../company/rules.ts'
import { matchConsented } from '../staff/match-consented.ts'

/** Somebody whom no list names by their account shows their mobile, is found by it once, and is signed in. */
async function signInByMobile(edge: Edge, http: Http, back: { code: string | undefined; state: string }) {
  const { companyId, ...proved } = await completeConsent(edge, http, back)
  const match = await edge.tx((tx) => matchConsented(tx, companyId, proved))
  if (match.kind === 'unknown') refuse('not_on_staff_list')
  if (match.kind === 'taken') refuse('mobile_has_account')
  openSession(edge, http, { kind: 'employee', companyId, personId: match.personId })
  http.redirect(homeOf('employee'))
}

/** The round in which an employee agrees that we see their mobile; `onPage` shows refusals to a phone as the pack's page does. */
export const consentEndpoints = (
  onPage: (http: Http, work: () => Promise<void>) => Promise<void>,
): readonly Endpoint[] => [
  endpoint({
    ...({ method: 'GET', path: '/employee/consent/:code', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: SignInInput.pick({ code: true }),
    run: (edge, { code }, http) => onPage(http, () => beginConsent(edge, http, code)),
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/consent-callback', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: SignInCallbackInput,
    run: (edge, { code, state }, http) => onPage(http, () => signInByMobile(edge, http, { code, state })),
  }),
]

import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { ClaimDoor, Claimed, ClaimInput, CodeAsked, CodeInput, DoorInput } from '../../../contract/employee/claim.ts'
import type { Edge } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { openSession } from '../company/open-session.ts'
import { claimCard } from './claim-card.ts'
import type { DoorKey } from './find-door.ts'
import { readDoor } from './read-door.ts'
import { requestCode } from './request-code.ts'
import { contactLimits, SHOWN_WAIT_MS } from './rules.ts'
import { addressIndexOf } from './seal-contact.ts'

/** Answers leave on this beat, so that their speed tells nothing about the number that was asked with. */
const BEAT_MS = 100

async function onTheBeat<T>(work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  try {
    return await work()
  } finally {
    await sleep(BEAT_MS - ((performance.now() - began) % BEAT_MS))
  }
}

async function claim(edge: Edge, http: Http, door: DoorKey, input: z.output<typeof ClaimInput>) {
  const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
  const { mobile, code, contact = null } = input
  const addressIndex = addressIndexOf(edge.house, http.ip)
  const outcome = await claimCard(edge, { door, mobile, code, key, addressIndex, contact })
  if (outcome === 'throttled') refuse('too_many_requests', { retryAfterMs: contactLimits.guessWindowMs })
  if (outcome === 'refused') refuse('claim_refused')
  const { companyId, personId, campaignId, cardId } = outcome
  openSession(edge, http, { kind: 'employee', companyId, personId })
  return { campaignId, cardId }
}

/** A factory stands behind one address: these have throttles of their own, which count wrong guesses and not requests. */
const open = { may: 'public', scope: 'edge', crowd: true } as const

const doorEndpoints = (kind: DoorKey['kind'], path: string): Endpoint[] => [
  endpoint({
    ...open,
    method: 'GET',
    path,
    input: DoorInput,
    output: ClaimDoor,
    run: (edge, { token }) => readDoor(edge, { kind, token }),
  }),
  endpoint({
    ...open,
    method: 'POST',
    path: `${path}/code`,
    body: 'json',
    input: CodeInput,
    output: CodeAsked,
    run: (edge, { token, mobile }) =>
      onTheBeat(async () => {
        await requestCode(edge, { door: { kind, token }, mobile })
        return { waitMs: SHOWN_WAIT_MS }
      }),
  }),
  endpoint({
    ...open,
    method: 'POST',
    path,
    body: 'json',
    idempotent: true,
    input: ClaimInput,
    output: Claimed,
    run: (edge, input, http) => onTheBeat(() => claim(edge, http, { kind, token: input.token }, input)),
  }),
]

export const claimEndpoints: readonly Endpoint[] = [
  ...doorEndpoints('way', '/employee/claims/:token'),
  ...doorEndpoints('link', '/employee/claim-links/:token'),
]

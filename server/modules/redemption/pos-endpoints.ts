import { Readable } from 'node:stream'
import { fen } from '../../../contract/fen.ts'
import {
  AuthorisationInput,
  Authorisations,
  AuthorisationsInput,
  CaptureInput,
  CodeBalance,
  CodeBalanceInput,
  DayFileInput,
  NewAuthorisationInput,
  RefundInput,
} from '../../../contract/pos/authorisation.ts'
import { RedemptionView } from '../../../contract/till.ts'
import type { Actor, Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { AppError, refuse } from '../../kernel/errors.ts'
import { readTill } from '../merchant/read-till.ts'
import { readCodeBalance } from './read-code-balance.ts'
import { readDayFile } from './read-day-file.ts'
import { readByRef, readRedemption } from './read-redemption.ts'
import type { Till, TillAct } from './till-acts.ts'
import { tillDeskOf } from './till-desk.ts'

/** The longest body names twenty codes; a till has no more to say. */
const LIMIT_BYTES = 16 * 1024
const signed = { may: 'pos.use', signed: true, limitBytes: LIMIT_BYTES } as const
const acts = { ...signed, method: 'POST', scope: 'edge', body: 'json', idempotent: true } as const
const reads = { ...signed, method: 'GET', scope: 'read' } as const

function terminalOf(actor: Actor): Extract<Actor, { readonly kind: 'terminal' }> {
  return actor.kind === 'terminal' ? actor : refuse('forbidden')
}

async function tillOf(tx: Tx): Promise<Till> {
  return { ...(await readTill(tx, tx.actor)), tillId: terminalOf(tx.actor).terminalId, shiftId: null }
}

/** What a field of an act is called where a till sends it. */
const sentAs: Readonly<Record<string, string>> = { on: 'codes', redemptionId: 'id' }

/** Does one act by the same desk as all tills, once a key. */
async function actAt(edge: Edge, http: Http, act: TillAct['act']): Promise<RedemptionView> {
  const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
  const till = await edge.read(tillOf)
  try {
    return await tillDeskOf(edge)({ till, key, act })
  } catch (error) {
    const field = error instanceof AppError ? error.more.field : undefined
    if (!(error instanceof AppError) || field === undefined) throw error
    throw new AppError(error.code, { ...error.more, field: sentAs[field] ?? field })
  }
}

const actEndpoints = [
  endpoint({
    ...acts,
    path: '/pos/v1/authorisations',
    input: NewAuthorisationInput,
    output: RedemptionView,
    run: (edge, { codes, ref, holdMs, ...wish }, http) => {
      const more = holdMs === undefined ? {} : { holdMs }
      return actAt(edge, http, { kind: 'authorise', on: { codes }, ref: ref ?? null, ...wish, ...more })
    },
  }),
  endpoint({
    ...acts,
    path: '/pos/v1/authorisations/:id/captures',
    input: CaptureInput,
    output: RedemptionView,
    run: (edge, { id: redemptionId, amountFen, final }, http) =>
      actAt(edge, http, { kind: 'capture', redemptionId, amountFen, final }),
  }),
  endpoint({
    ...acts,
    path: '/pos/v1/authorisations/:id/voids',
    input: AuthorisationInput,
    output: RedemptionView,
    run: (edge, { id: redemptionId }, http) => actAt(edge, http, { kind: 'void', redemptionId }),
  }),
  endpoint({
    ...acts,
    path: '/pos/v1/authorisations/:id/refunds',
    input: RefundInput,
    output: RedemptionView,
    run: (edge, { id: redemptionId, amountFen }, http) =>
      actAt(edge, http, { kind: 'refund', redemptionId, amountFen: fen(amountFen) }),
  }),
]

const readEndpoints = [
  endpoint({
    ...reads,
    path: '/pos/v1/authorisations',
    input: AuthorisationsInput,
    output: Authorisations,
    run: async (tx, { ref }) => ({ authorisations: await readByRef(tx, terminalOf(tx.actor).terminalId, ref) }),
  }),
  endpoint({
    ...reads,
    path: '/pos/v1/authorisations/:id',
    input: AuthorisationInput,
    output: RedemptionView,
    run: async (tx, { id }) =>
      (await readRedemption(tx, { id, shopId: terminalOf(tx.actor).shopId })) ?? refuse('not_found'),
  }),
  endpoint({
    ...({ ...signed, method: 'POST', path: '/pos/v1/balances', scope: 'read', body: 'json' } as const),
    input: CodeBalanceInput,
    output: CodeBalance,
    run: async (tx, { code }) => readCodeBalance(tx, await tillOf(tx), code),
  }),
  endpoint({
    ...({ ...signed, method: 'GET', path: '/pos/v1/days/:day/file', scope: 'edge', output: 'stream' } as const),
    input: DayFileInput,
    run: async (edge, { day }, http) => {
      const { shopId } = terminalOf(edge.actor)
      http.setHeader('Content-Type', 'text/csv; charset=utf-8')
      return Readable.from(readDayFile(edge, shopId, day))
    },
  }),
]

/** The POS API (docs/pos.md): tills that speak to us by themselves, each with a key of its own. */
export const posEndpoints: readonly Endpoint[] = [...actEndpoints, ...readEndpoints]

import type { z } from 'zod'
import { BindInput, Bound } from '../../../contract/employee/bind.ts'
import type { Edge } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { addressIndexOf } from '../contact/seal-contact.ts'
import { bindBySecret } from './bind-by-secret.ts'
import { isOverdone } from './count-binds.ts'
import { deviceOf } from './device-of.ts'
import { holderOf } from './read-pack.ts'

/** Refused after the commit: an attempt that failed is counted for good. */
async function bind(edge: Edge, typed: z.output<typeof BindInput>, http: Http) {
  const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
  const holder = holderOf(edge.actor)
  const device = { deviceIndex: deviceOf(edge, http), networkIndex: addressIndexOf(edge.house, http.ip) }
  const binder = { ...device, holderId: holder.holderId }
  if (await edge.read((tx) => isOverdone(tx, binder))) refuse('bind_refused')
  const asked = { card: edge.house.seal.blindIndex('card.typed', `${typed.number}\n${typed.secret}`) }
  const cardId = await edge.tx((tx) =>
    once(tx, `card.bind:${holder.holderId}`, key, asked, () => bindBySecret(tx, holder, binder, typed)),
  )
  return { cardId: cardId ?? refuse('bind_refused') }
}

export const bindEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'POST', path: '/employee/cards/bind', may: 'pack.act', scope: 'edge', body: 'json' } as const),
    idempotent: true,
    input: BindInput,
    output: Bound,
    run: bind,
  }),
]

import { createHash } from 'node:crypto'
import type { Tx } from '../../kernel/context.ts'
import type { Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { companyOf } from '../../kernel/tenant.ts'

/**
 * Once for the key of a request, remembering free text by its fingerprint only: people write names into it. Refuses with
 * `idempotency_key_missing`; throws OnceConflict when the key was used with another input.
 */
export async function onceFor<T>(tx: Tx, http: Http, scope: string, input: object, work: () => Promise<T>): Promise<T> {
  const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
  const fingerprint = (text: string) => createHash('sha256').update(text).digest('hex')
  const short = key.length > 64 ? fingerprint(key) : key
  const kept = Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, fingerprint(JSON.stringify(value) ?? '')]),
  )
  return once(tx, `${scope}:${companyOf(tx.actor)}`, short, kept, work)
}

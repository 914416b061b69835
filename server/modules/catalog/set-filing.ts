import { dayOf, CHINA } from '../../kernel/company-day.ts'
import type { FilingEntry } from '../../../contract/operator/filing.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { accountOf, accountPlace } from './read-filing.ts'
import { BrandFiling } from './tables.ts'

/**
 * Writes how a brand is filed as an issuer, in force from now on; returns the version of the filing. An equal filing is
 * not written again. Refuses with `malformed_request` a day of filing that has not come.
 */
export async function setFiling(tx: Tx, brandId: Id<'brand'>, filing: FilingEntry): Promise<number> {
  const { class: filedClass, number, filedDay, custodyBank, custodyAccount, cards, ceilingFen } = filing
  if (filedDay !== null && filedDay > dayOf(tx.clock.now(), CHINA)) refuse('malformed_request', { field: 'filedDay' })
  const options = { orderBy: { version: 'desc' }, limit: 1, disableIdentityMap: true } as const
  const [newest] = await tx.em.find(BrandFiling, { brandId }, options)
  const facts = { class: filedClass, number, filedDay, custodyBank, cards, ceilingFen }
  const names = Object.keys(facts) as (keyof typeof facts)[]
  const same = newest && names.every((name) => (newest[name] ?? null) === facts[name])
  if (same && accountOf(tx, newest) === custodyAccount) return newest.version
  const version = (newest?.version ?? 0) + 1
  const id = tx.newId('brandFiling')
  const custodyAccountSealed = custodyAccount === null ? null : tx.house.seal.seal(accountPlace(id), custodyAccount)
  const written = { createdBy: actorName(tx.actor), createdAtMs: tx.clock.now() }
  await tx.em.insert(BrandFiling, { id, brandId, version, ...facts, custodyAccountSealed, ...written })
  await trail(tx, { objectId: brandId, act: 'brand.filing_set', note: `${version} ${filedClass}` })
  return version
}

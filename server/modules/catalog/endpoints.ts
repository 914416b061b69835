import { z } from 'zod'
import { Templates } from '../../../contract/hr/campaign.ts'
import { Brands, BrandTermsList, NewTermsInput, TermsInput, TermsSet } from '../../../contract/operator/terms.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { readAllBrands, readBrands, readNewestVersions, viewTemplates } from './read-template.ts'
import { readAllTerms } from './read-terms.ts'
import { setTerms } from './set-terms.ts'

/** For now every company sees every brand. */
export const catalogEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/hr/templates',
    may: 'campaign.read',
    scope: 'read',
    input: z.object({}),
    output: Templates,
    run: async (tx) => ({ templates: await viewTemplates(tx, await readNewestVersions(tx)) }),
  }),
  endpoint({
    method: 'GET',
    path: '/operator/brands',
    may: 'terms.read',
    scope: 'read',
    input: z.object({}),
    output: Brands,
    run: async (tx) => {
      const brands: z.input<typeof Brands>['brands'] = []
      for (const { id, name, mchid } of await readAllBrands(tx)) {
        const [newest] = await readAllTerms(tx, id)
        brands.push({ id, name, mchid: mchid ?? null, terms: viewTerms(newest!) })
      }
      return { brands }
    },
  }),
  endpoint({
    method: 'GET',
    path: '/operator/brands/:id/terms',
    may: 'terms.read',
    scope: 'read',
    input: TermsInput,
    output: BrandTermsList,
    run: async (tx, { id }) => {
      const [brand] = await readBrands(tx, [id])
      if (!brand) refuse('not_found')
      const [current, ...earlier] = (await readAllTerms(tx, id)).map(viewTerms)
      return { brandName: brand.name, current: current!, earlier }
    },
  }),
  endpoint({
    method: 'POST',
    path: '/operator/brands/:id/terms',
    may: 'terms.write',
    scope: 'tx',
    body: 'json',
    idempotent: true,
    input: NewTermsInput,
    output: TermsSet,
    run: async (tx, { id, ...terms }, http) => {
      const [brand] = await readBrands(tx, [id])
      if (!brand) refuse('not_found')
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      return once(tx, `terms.set:${id}`, key, terms, async () => ({
        number: await setTerms(tx, { brandId: id, ...terms }),
      }))
    },
  }),
]

const viewTerms = (terms: Awaited<ReturnType<typeof readAllTerms>>[number]): BrandTermsList['current'] => ({
  number: terms.number,
  collector: terms.collector,
  platformBp: terms.platformBp,
  channels: [...terms.channels],
  maxRatioBp: terms.maxRatioBp,
  holdMs: terms.holdMs,
  walletCredit: terms.walletCredit,
  createdAtMs: terms.createdAtMs,
})

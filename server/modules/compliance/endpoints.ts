import { z } from 'zod'
import {
  Custody,
  CustodyBrand,
  CustodyBrandInput,
  CustodyEntered,
  EndGuaranteeInput,
  GuaranteeEnded,
  NewCustodyBalanceInput,
  NewCustodyGuaranteeInput,
} from '../../../contract/operator/custody.ts'
import { FilingSet, NewFilingInput } from '../../../contract/operator/filing.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { readBrands } from '../catalog/read-template.ts'
import { setFiling } from '../catalog/set-filing.ts'
import { endGuarantee, enterBalance, enterGuarantee } from './enter-cover.ts'
import { noteShortfalls } from './note-shortfalls.ts'
import { viewCustody, viewCustodyBrand } from './view-custody.ts'

const read = { method: 'GET', may: 'custody.read', scope: 'read' } as const
const write = { may: 'custody.manage', scope: 'tx', body: 'json' } as const

/**
 * What issuers owe, what they keep in custody, and how they are filed. Nothing here takes an idempotency key: a document
 * is entered once, and an equal filing is the one that stands.
 */
export const complianceEndpoints: readonly Endpoint[] = [
  endpoint({ ...read, path: '/operator/custody', input: z.object({}), output: Custody, run: (tx) => viewCustody(tx) }),
  endpoint({
    ...read,
    path: '/operator/custody/:id',
    input: CustodyBrandInput,
    output: CustodyBrand,
    run: (tx, input) => viewCustodyBrand(tx, input),
  }),
  endpoint({
    ...write,
    method: 'POST',
    path: '/operator/custody/:id/balances',
    input: NewCustodyBalanceInput,
    output: CustodyEntered,
    run: async (tx, { id, ...balance }) => ({ id: await enterBalance(tx, { brandId: id, ...balance }) }),
  }),
  endpoint({
    ...write,
    method: 'POST',
    path: '/operator/custody/:id/guarantees',
    input: NewCustodyGuaranteeInput,
    output: CustodyEntered,
    run: async (tx, { id, ...guarantee }) => ({ id: await enterGuarantee(tx, { brandId: id, ...guarantee }) }),
  }),
  endpoint({
    ...write,
    method: 'POST',
    path: '/operator/custody-guarantees/:id/end',
    input: EndGuaranteeInput,
    output: GuaranteeEnded,
    run: async (tx, { id, day }) => ({ endedDay: await endGuarantee(tx, id, day) }),
  }),
  endpoint({
    ...write,
    method: 'PUT',
    path: '/operator/brands/:id/filing',
    input: NewFilingInput,
    output: FilingSet,
    run: async (tx, { id, ...filing }) => {
      const [brand] = await readBrands(tx, [id])
      if (brand === undefined) refuse('not_found')
      const version = await setFiling(tx, id, filing)
      await noteShortfalls(tx, [brand])
      return { version }
    },
  }),
]

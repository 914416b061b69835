import { TrustInput, TrustView } from '../../../contract/store/trust.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { readTrust } from './read-trust.ts'

export const trustEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/store/trust/:brandId', may: 'public', crowd: true, scope: 'read' } as const),
    input: TrustInput,
    output: TrustView,
    run: (tx, { brandId }) => readTrust(tx, brandId),
  }),
]

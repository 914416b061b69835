import { z } from 'zod'
import { KeyUse } from '../../../contract/operator/keys.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { readKeyUse } from '../../kernel/reseal.ts'

export const keysEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/operator/keys', may: 'platform.read', scope: 'edge' } as const),
    input: z.object({}),
    output: KeyUse,
    run: (edge) => readKeyUse(edge),
  }),
]

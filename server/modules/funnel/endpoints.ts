import { Funnel, FunnelInput } from '../../../contract/operator/funnel.ts'
import { StoreEventsInput } from '../../../contract/store/event.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { countVisit } from './count-visit.ts'
import { readFunnel } from './read-funnel.ts'

/** A visit tells less than this. */
const EVENT_BYTES = 1024

export const funnelEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'POST', path: '/store/events', may: 'public', crowd: true, scope: 'edge', body: 'json' } as const),
    limitBytes: EVENT_BYTES,
    input: StoreEventsInput,
    output: 'stream',
    run: (edge, told) => countVisit(edge, told),
  }),
  endpoint({
    ...({ method: 'GET', path: '/operator/funnel', may: 'funnel.read', scope: 'read' } as const),
    input: FunnelInput,
    output: Funnel,
    run: readFunnel,
  }),
]

import { z } from 'zod'
import {
  Backlog,
  SplitDetail,
  SplitInput,
  SplitMoved,
  Splits,
  SplitsInput,
} from '../../../contract/operator/settlement.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { leaveToPayout, retrySplit } from './decide-split.ts'
import { payoutEndpoints } from './payout-endpoints.ts'
import { readBacklog } from './read-backlog.ts'
import { viewSplit, viewSplits } from './view-splits.ts'

/** What the platform's people see of profit sharing and payouts, and decide. */
export const settlementEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/operator/settlement', may: 'settlement.read', scope: 'read' } as const),
    input: z.object({}),
    output: Backlog,
    run: (tx) => readBacklog(tx),
  }),
  endpoint({
    ...({ method: 'GET', path: '/operator/splits', may: 'settlement.read', scope: 'read' } as const),
    input: SplitsInput,
    output: Splits,
    run: (tx, input) => viewSplits(tx, input),
  }),
  endpoint({
    ...({ method: 'GET', path: '/operator/splits/:id', may: 'settlement.read', scope: 'read' } as const),
    input: SplitInput,
    output: SplitDetail,
    run: (tx, { id }) => viewSplit(tx, id),
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/splits/:id/retry', may: 'settlement.manage', scope: 'tx' } as const),
    input: SplitInput,
    output: SplitMoved,
    run: async (tx, { id }) => ({ state: await retrySplit(tx, id) }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/splits/:id/payout', may: 'settlement.manage', scope: 'tx' } as const),
    input: SplitInput,
    output: SplitMoved,
    run: async (tx, { id }) => ({ state: await leaveToPayout(tx, id) }),
  }),
  ...payoutEndpoints,
]

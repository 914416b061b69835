import { z } from 'zod'
import {
  Bills,
  BillsInput,
  CloseDifferenceInput,
  CompareBillAnswer,
  CompareBillInput,
  Differences,
  DifferencesInput,
  TakeDifferenceInput,
} from '../../../contract/operator/reconciliation.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { closeDifference, takeDifference } from './close-difference.ts'
import { compareAgain } from './read-bills.ts'
import { viewBills, viewDifferences } from './view-differences.ts'

/** The bills of WeChat Pay against our books, for the platform's finance. */
export const reconciliationEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/operator/bills', may: 'reconciliation.read', scope: 'read' } as const),
    input: BillsInput,
    output: Bills,
    run: (tx, input) => viewBills(tx, input),
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/bills/:id/compare', may: 'reconciliation.close', scope: 'tx' } as const),
    input: CompareBillInput,
    output: CompareBillAnswer,
    run: async (tx, { id }) => ({ queued: await compareAgain(tx, id) }),
  }),
  endpoint({
    ...({ method: 'GET', path: '/operator/differences', may: 'reconciliation.read', scope: 'read' } as const),
    input: DifferencesInput,
    output: Differences,
    run: (tx, input) => viewDifferences(tx, input),
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/differences/:id/take', may: 'reconciliation.close', scope: 'tx' } as const),
    input: TakeDifferenceInput,
    output: z.object({}),
    run: async (tx, { id }) => {
      await takeDifference(tx, id)
      return {}
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/differences/:id/close', may: 'reconciliation.close', scope: 'tx' } as const),
    body: 'json',
    input: CloseDifferenceInput,
    output: z.object({}),
    run: async (tx, { id, note }) => {
      await closeDifference(tx, id, note)
      return {}
    },
  }),
]

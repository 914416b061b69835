import { z } from 'zod'
import {
  Drafted,
  ExportedPayouts,
  ExportPayoutsInput,
  FailPayoutInput,
  PayeeAccountInput,
  PayeeAccountSet,
  PayoutDetail,
  PayoutFileInput,
  PayoutInput,
  PayoutMoved,
  Payouts,
  PayoutsInput,
  PayPayoutInput,
} from '../../../contract/operator/settlement.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { draftPayouts } from './draft-payouts.ts'
import { exportPayouts, readPayoutFile } from './export-payouts.ts'
import { cancelPayout, failPayout, payPayout, redraftPayout } from './move-payout.ts'
import { setPayeeAccount } from './payee-account.ts'
import { viewPayout, viewPayouts } from './view-payouts.ts'

const may = 'payout.manage' as const

export const payoutEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/operator/payouts', may: 'settlement.read', scope: 'read' } as const),
    input: PayoutsInput,
    output: Payouts,
    run: (tx, input) => viewPayouts(tx, input),
  }),
  endpoint({
    ...({ method: 'GET', path: '/operator/payouts/:id', may: 'settlement.read', scope: 'read' } as const),
    input: PayoutInput,
    output: PayoutDetail,
    run: (tx, { id }) => viewPayout(tx, id),
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/payouts/draft', may, scope: 'edge' } as const),
    input: z.object({}),
    output: Drafted,
    run: async (edge) => ({ drafted: (await draftPayouts(edge)).length }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/payouts/export', may, scope: 'tx', body: 'json' } as const),
    idempotent: true,
    input: ExportPayoutsInput,
    output: ExportedPayouts,
    run: async (tx, input, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      const done = await once(tx, 'payouts.export', key, input, () => exportPayouts(tx, input.ids))
      return { ...done, totalFen: done.totalFen, withoutAccount: [...done.withoutAccount] }
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/operator/payout-files/:id', may, scope: 'tx' } as const),
    input: PayoutFileInput,
    output: 'stream',
    run: async (tx, { id }, http) => {
      http.setHeader('Content-Type', 'text/csv; charset=utf-8')
      http.setHeader('Content-Disposition', `attachment; filename="${id}.csv"`)
      return readPayoutFile(tx, id)
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/payouts/:id/paid', may, scope: 'tx', body: 'json' } as const),
    input: PayPayoutInput,
    output: PayoutMoved,
    run: async (tx, { id, lineId }) => {
      await payPayout(tx, id, lineId)
      return { state: 'paid' as const }
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/payouts/:id/failed', may, scope: 'tx', body: 'json' } as const),
    input: FailPayoutInput,
    output: PayoutMoved,
    run: async (tx, { id, problem }) => {
      await failPayout(tx, id, problem)
      return { state: 'failed' as const }
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/payouts/:id/again', may, scope: 'tx' } as const),
    input: PayoutInput,
    output: PayoutMoved,
    run: async (tx, { id }) => {
      await redraftPayout(tx, id)
      return { state: 'drafted' as const }
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/payouts/:id/cancel', may, scope: 'tx' } as const),
    input: PayoutInput,
    output: PayoutMoved,
    run: async (tx, { id }) => {
      await cancelPayout(tx, id)
      return { state: 'cancelled' as const }
    },
  }),
  endpoint({
    ...({ method: 'PUT', path: '/operator/payees/:payee/account', may, scope: 'tx', body: 'json' } as const),
    input: PayeeAccountInput,
    output: PayeeAccountSet,
    run: async (tx, { payee, ...bank }) => {
      await setPayeeAccount(tx, payee, bank)
      return { payee }
    },
  }),
]

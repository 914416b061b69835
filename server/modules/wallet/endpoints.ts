import { z } from 'zod'
import { WalletView } from '../../../contract/hr/funding.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { readMovements, readWallet } from './read-wallet.ts'

const SHOWN_MOVEMENTS = 50

export const walletEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/hr/wallet', may: 'wallet.read', scope: 'read' } as const),
    input: z.object({}),
    output: WalletView,
    run: async (tx) => {
      const companyId = companyOf(tx.actor)
      const { balanceFen, reference } = (await readWallet(tx, companyId)) ?? refuse('not_found')
      const { holder, number, bank } = tx.house.custody
      const movements = await readMovements(tx, companyId, SHOWN_MOVEMENTS)
      return { balanceFen, reference, bankAccount: { holder, number, bank }, movements }
    },
  }),
]

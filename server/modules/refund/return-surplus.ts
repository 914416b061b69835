import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { requestRefund } from './request-refund.ts'

/**
 * Job `surplus.return`: what a buyer paid for an order that takes no money any more (it came late, or twice) goes back to where it came
 * from, all of it. Nothing where all of it is on its way back. Harmless to repeat.
 */
export async function returnSurplus(tx: Tx, paymentId: Id<'payment'>): Promise<void> {
  try {
    await requestRefund(tx, { kind: 'surplus', paymentId })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'state_conflict') throw error
  }
}

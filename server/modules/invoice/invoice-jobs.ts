import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import type { NewJob } from '../../kernel/outbox.ts'

/** Jobs `invoice.issue` and `invoice.poll`: both bring one invoice, or its red-letter one, forward from where it stands. */
export const invoiceJob = (
  tx: Tx,
  kind: 'invoice.issue' | 'invoice.poll',
  invoiceId: Id<'invoice'>,
  readyAtMs: number,
): NewJob => ({ kind, key: `${kind}:${invoiceId}:${tx.newId('job')}`, args: { invoiceId }, readyAtMs })

/** Job `invoice.reverse`: reverses what an order's invoices are too much. `cause` makes it one of its kind. */
export const reverseJob = (orderId: Id<'order'>, cause: string): NewJob => ({
  kind: 'invoice.reverse',
  key: `invoice.reverse:${cause}`,
  args: { orderId },
})

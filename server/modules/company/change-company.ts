import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'

/** Changes a company's name and how it may pay from 5,000 yuan on. False when it says the same already. */
export async function changeCompany(
  tx: Tx,
  company: { readonly id: Id<'company'>; readonly name: string; readonly paymentRoute: 'strict' | 'non_cash' },
): Promise<boolean> {
  const { id, name, paymentRoute } = company
  const changed = await change(
    tx.em,
    'update company set name = ?, payment_route = ? where id = ? and (name <> ? or payment_route <> ?)',
    [name, paymentRoute, id, name, paymentRoute],
  )
  if (changed === 1) await trail(tx, { objectId: id, act: 'company.changed', note: paymentRoute })
  return changed === 1
}

import type { Id } from '../contract/ids.ts'
import type { Edge, Tx } from '../server/kernel/context.ts'
import { enqueue } from '../server/kernel/outbox.ts'
import { carryMembers } from '../server/modules/company/carry-members.ts'
import { forgetConnection } from '../server/modules/company/forget-connection.ts'
import { forgetEventsOf } from '../server/modules/company/forget-events.ts'
import { readConnection } from '../server/modules/company/read-wecom-app.ts'
import { forgetMessages } from '../server/modules/delivery/forget-messages.ts'
import { forgetContacts } from '../server/modules/contact/forget-contacts.ts'
import { forgetDirectory } from '../server/modules/staff/forget-directory.ts'

/** Erases a bounded piece of what came from WeCom and says how many rows it touched; 0: nothing is left. */
type Forget = (tx: Tx, companyId: Id<'company'>) => Promise<number>

const pieces: readonly Forget[] = [forgetContacts, forgetMessages, forgetDirectory, forgetEventsOf]

/**
 * Erases what a company's WeCom told us, after the company withdrew its authorisation or (`changed`) is now known by other
 * ids, piece by piece; it may be killed and run again. Ledger, orders and cards stay, by pseudonym: docs/decisions/0006.
 * A company that has installed the app anew meanwhile is left alone; one with other ids is then read from WeCom anew.
 */
export async function forgetCompany(edge: Edge, companyId: Id<'company'>, changed: boolean): Promise<void> {
  const stillDue = async (tx: Tx): Promise<boolean> =>
    changed || (await readConnection(tx, companyId))?.state === 'cancelled'
  for (const forget of pieces) {
    while ((await edge.tx(async (tx) => ((await stillDue(tx)) ? forget(tx, companyId) : 0))) > 0);
  }
  if (changed) await carryMembers(edge, companyId)
  await edge.tx(async (tx) => {
    if (!changed) return forgetConnection(tx, companyId)
    const key = `directory.sync:${companyId}:${tx.clock.now()}`
    await enqueue(tx, [{ kind: 'directory.sync', key, args: { companyId } }])
  })
}

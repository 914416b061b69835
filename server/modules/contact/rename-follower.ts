import { LockMode } from '@mikro-orm/core'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { change, dialectOf } from '../../kernel/sql.ts'
import type { WecomEventView } from '../company/read-event.ts'
import { inSpace, readUserIdSpace } from '../company/read-user-id-space.ts'
import { renamingOf } from '../staff/note-directory-event.ts'
import type { ContactRow } from './keep-contact.ts'
import { followerIndexOf, openContact, openServing, sealContact, sealServing } from './seal-contact.ts'
import { ContactWay, ExternalContact } from './tables.ts'

/** Contacts of one transaction. */
const BATCH = 200

/**
 * Lets all that stands under a member's userid follow when WeCom gives them another one (change_contact update_user with
 * NewUserID; protocols wecom 2.10): the QR codes they serve, live or not made yet, and their outside contacts. Where news
 * of a contact came under the new userid already, the two are one again. Harmless to repeat; any other event is nothing.
 */
export async function renameFollower(edge: Edge, event: WecomEventView): Promise<void> {
  const { companyId } = event
  const renaming = renamingOf(event)
  if (companyId === null || renaming === null) return
  const { from, to } = renaming
  const spellings = await edge.tx((tx) => renameInWays(tx, companyId, renaming))
  for (const spelling of new Set([from, ...spellings]))
    while (spelling !== to && (await edge.tx((tx) => renameContacts(tx, companyId, { from: spelling, to }))) > 0);
}

interface Renaming {
  readonly from: string
  readonly to: string
}

/** Returns how the old userid was written: one space tells no upper from lower case. */
async function renameInWays(tx: Tx, companyId: Id<'company'>, { from, to }: Renaming): Promise<string[]> {
  const space = await readUserIdSpace(tx, companyId)
  const isOld = (userid: string) => inSpace(space, userid) === inSpace(space, from)
  const ways = await tx.em.find(ContactWay, { companyId, adds: true }, { disableIdentityMap: true })
  const spellings: string[] = []
  for (const way of ways) {
    const serving = openServing(tx.house, way)
    const old = serving.filter(isOld)
    if (old.length === 0) continue
    spellings.push(...old)
    const renamed = [...new Set(serving.map((userid) => (isOld(userid) ? to : userid)))]
    await tx.em.nativeUpdate(ContactWay, { id: way.id }, { membersSealed: sealServing(tx.house, way.id, renamed) })
  }
  return spellings
}

async function renameContacts(tx: Tx, companyId: Id<'company'>, { from, to }: Renaming): Promise<number> {
  const [before, after] = [followerIndexOf(tx.house, from), followerIndexOf(tx.house, to)]
  const where = { companyId, followerIndex: before }
  // Held: what another run of the same event has renamed meanwhile would be its own twin.
  const held = dialectOf(tx.em) === 'mysql' ? ({ lockMode: LockMode.PESSIMISTIC_WRITE } as const) : {}
  const rows = await tx.em.find(ExternalContact, where, {
    orderBy: { id: 'asc' },
    limit: BATCH,
    disableIdentityMap: true,
    ...held,
  })
  for (const row of rows) {
    const key = { companyId, externalIdIndex: row.externalIdIndex, followerIndex: after }
    const twin = await tx.em.findOne(ExternalContact, key, { disableIdentityMap: true })
    if (twin !== null) await change(tx.em, 'delete from external_contact where id = ?', [twin.id])
    const { externalUserId } = openContact(tx.house, row)
    const sealed = sealContact(tx.house, row.id, { externalUserId, follower: to })
    await tx.em.nativeUpdate(
      ExternalContact,
      { id: row.id },
      { followerIndex: after, sealed, version: row.version + 1, ...(twin === null ? {} : newerOf(row, twin)) },
    )
  }
  return rows.length
}

/** What is newer of two rows of one relation; who it is and whence they came, from whichever knows. */
function newerOf(row: ContactRow, twin: ContactRow) {
  const newer = twin.changedAtMs >= row.changedAtMs ? twin : row
  const { state, addedAtMs, changedAtMs, welcome = null, tag = null } = newer
  return {
    state,
    addedAtMs,
    changedAtMs,
    welcome,
    tag,
    contactWayId: newer.contactWayId ?? row.contactWayId ?? twin.contactWayId ?? null,
    personId: row.personId ?? twin.personId ?? null,
  }
}

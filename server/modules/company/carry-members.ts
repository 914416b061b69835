import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { rolesOf } from './read-members.ts'
import { readAnyWecomApp } from './read-wecom-app.ts'
import { memberFingerprint, openMember, sealMember } from './seal-member.ts'
import { Member } from './tables.ts'

/** What one call converts. A console has a handful of people. */
const MOST = 1_000

/**
 * Lets the people of a console sign in after their company has changed to an app of ours: WeCom is asked for the ids by
 * which that app knows them (protocols wecom, 8.7). Whom WeCom does not know stays as they are and is added anew by hand.
 * Does nothing for a self-built app. Throws OutsideError while WeCom does not tell.
 */
export async function carryMembers(edge: Edge, companyId: Id<'company'>): Promise<void> {
  const { app, members } = await edge.read(async (tx) => ({
    app: await readAnyWecomApp(tx, companyId),
    members: await readActive(tx, companyId),
  }))
  if (app === null || app.suiteId === null || app.state !== 'active' || members.length === 0) return
  try {
    const asked = members.slice(0, MOST).map((one) => one.userid)
    const open = await edge.ports.wecom.openUserIds(app, asked)
    for (const { id, userid } of members) {
      const to = open.get(userid)
      if (to !== undefined && to !== userid) await edge.tx((tx) => carry(tx, companyId, id, to))
    }
  } catch (error) {
    if (!(error instanceof OutsideError) || error.outcome === 'busy' || error.outcome === 'unknown') throw error
    edge.log.warn({ companyId, code: error.code }, 'wecom does not tell the new ids of the console’s people')
  }
}

async function readActive(tx: Tx, companyId: Id<'company'>) {
  const rows = await tx.em.find(Member, { companyId, state: 'active' }, { disableIdentityMap: true })
  return rows.map((row) => ({ id: row.id, userid: openMember(tx, row.id, row.sealed).userid }))
}

/** The row that was here first keeps its id and history; one that the install made for the same person gives way to it. */
async function carry(tx: Tx, companyId: Id<'company'>, id: Id<'member'>, userid: string): Promise<void> {
  const index = await memberFingerprint(tx, companyId, userid)
  const row = await tx.em.findOne(Member, { id, companyId, state: 'active' }, { disableIdentityMap: true })
  if (row === null) return
  const twin = await tx.em.findOne(Member, { companyId, userIdIndex: index }, { disableIdentityMap: true })
  if (twin !== null && twin.id !== id) {
    const retired = tx.house.seal.blindIndex('member.merged', twin.id)
    const sealed = sealMember(tx, twin.id, { name: openMember(tx, twin.id, twin.sealed).name, userid: '' })
    await change(tx.em, "update member set state = 'removed', user_id_index = ?, sealed = ? where id = ?", [
      retired,
      sealed,
      twin.id,
    ])
    await trail(tx, { objectId: twin.id, act: 'member.merged', toState: 'removed' })
  }
  const roles = rolesOf(twin?.state === 'active' ? `${row.roles},${twin.roles}` : row.roles).join(',')
  const sealed = sealMember(tx, id, { name: openMember(tx, id, row.sealed).name, userid })
  await change(tx.em, 'update member set sealed = ?, user_id_index = ?, roles = ? where id = ?', [
    sealed,
    index,
    roles,
    id,
  ])
  await trail(tx, { objectId: id, act: 'member.carried' })
}

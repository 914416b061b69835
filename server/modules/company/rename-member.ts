import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import { memberFingerprint, openMember, sealMember } from './seal-member.ts'
import { Member } from './tables.ts'

/**
 * Moves somebody's access to the console from one userid to another, which WeCom gave to the same person. False where
 * nobody has the first, or somebody has the second already: then nothing moves.
 */
export async function renameMember(tx: Tx, companyId: Id<'company'>, from: string, to: string): Promise<boolean> {
  const [before, after] = [await memberFingerprint(tx, companyId, from), await memberFingerprint(tx, companyId, to)]
  const find = (userIdIndex: string) => tx.em.findOne(Member, { companyId, userIdIndex }, { disableIdentityMap: true })
  const member = await find(before)
  if (!member || (await find(after))) return false
  const { name } = openMember(tx, member.id, member.sealed)
  const sealed = sealMember(tx, member.id, { name, userid: to })
  await tx.em.nativeUpdate(Member, { id: member.id }, { sealed, userIdIndex: after })
  await trail(tx, { objectId: member.id, act: 'member.renamed' })
  return true
}

import { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import type { Scope, Tx } from '../../kernel/context.ts'
import { inSpace, readUserIdSpace } from './read-user-id-space.ts'

const MemberFacts = z.object({ name: z.string(), userid: z.string() })
/** What is known of a member as a person. It leaves the database only opened on purpose. */
export type MemberFacts = z.infer<typeof MemberFacts>

const placeOf = (memberId: Id<'member'>) => ({ table: 'member', column: 'sealed', rowId: memberId })

/** Seals name and userid for the member's own row. */
export function sealMember(scope: Scope, memberId: Id<'member'>, facts: MemberFacts): Buffer {
  return scope.house.seal.seal(placeOf(memberId), JSON.stringify(facts))
}

/** Opens what `sealMember` sealed; throws SealBroken on anything else. */
export function openMember(scope: Scope, memberId: Id<'member'>, sealed: Uint8Array): MemberFacts {
  return MemberFacts.parse(JSON.parse(scope.house.seal.open(placeOf(memberId), sealed)))
}

/**
 * Finds a member by userid. WeCom compares the userids of a company's own directory without regard to case, so the case
 * is folded first; those that a provider's app sees are ciphers whose case counts (protocols wecom, 0, 5.1 and 8.7).
 */
export async function memberFingerprint(tx: Tx, companyId: Id<'company'>, userid: string): Promise<string> {
  const space = await readUserIdSpace(tx, companyId)
  return tx.house.seal.blindIndex('member.userid', inSpace(space, userid.trim()))
}

import type { Corp, Member } from './state.ts'

/** A page of members at most; a company may have hundreds of thousands. */
export const PAGE_SIZE = 50

export interface Listed {
  readonly member: Member
  readonly unread: number
}

/** Some members of a company: found by name, userid or mobile, or those with unread messages only. */
export function findMembers(
  corp: Corp,
  wish: { readonly search: string; readonly unreadOnly: boolean; readonly page: number },
): { readonly total: number; readonly listed: readonly Listed[] } {
  const wanted = wish.search.trim().toLowerCase()
  const first = (wish.page - 1) * PAGE_SIZE
  const listed: Listed[] = []
  let total = 0
  for (const [key, member] of corp.members) {
    if (wanted !== '' && !fits(member, wanted)) continue
    if (wish.unreadOnly && unreadOf(corp, key) === 0) continue
    if (total >= first && listed.length < PAGE_SIZE) listed.push({ member, unread: unreadOf(corp, key) })
    total += 1
  }
  return { total, listed }
}

function fits(member: Member, wanted: string): boolean {
  return (
    member.name.toLowerCase().includes(wanted) ||
    member.userid.toLowerCase().includes(wanted) ||
    member.mobile?.includes(wanted) === true
  )
}

/** How many messages lie unread in a member's chat; `key` is the lower-cased userid. */
function unreadOf(corp: Corp, key: string): number {
  let unread = 0
  for (const each of corp.inbox.get(key) ?? []) if (each.seenAtMs === null) unread += 1
  return unread
}

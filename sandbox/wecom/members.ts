import type { App, Corp, Department, Member } from './state.ts'

/** Adds a member, or changes the one with the same userid, and keeps the indexes of the company. */
export function putMember(corp: Corp, member: Member): void {
  const key = member.userid.toLowerCase()
  const before = corp.members.get(key)
  if (before) unindex(corp, key, before)
  corp.members.set(key, member)
  if (member.mobile) corp.byMobile.set(member.mobile, key)
  if (member.email) corp.byEmail.set(member.email.toLowerCase(), key)
  for (const id of member.departments) {
    const inside = corp.byDepartment.get(id) ?? new Set()
    corp.byDepartment.set(id, inside)
    inside.add(key)
  }
}

/** Takes a member out of the company; their chat stays, as it stays on a phone. */
export function dropMember(corp: Corp, userid: string): void {
  const key = userid.toLowerCase()
  const member = corp.members.get(key)
  if (!member) return
  unindex(corp, key, member)
  corp.members.delete(key)
}

function unindex(corp: Corp, key: string, member: Member): void {
  if (member.mobile && corp.byMobile.get(member.mobile) === key) corp.byMobile.delete(member.mobile)
  const email = member.email?.toLowerCase()
  if (email && corp.byEmail.get(email) === key) corp.byEmail.delete(email)
  for (const id of member.departments) corp.byDepartment.get(id)?.delete(key)
}

/** Whether a member is in the visible range of an app. */
export function sees(corp: Corp, app: App, member: Member): boolean {
  const key = member.userid.toLowerCase()
  if (app.hidden.has(key)) return false
  if (app.visible === 'all' || app.visible.userIds.has(key)) return true
  if (member.departments.some((id) => seesDepartment(corp, app, id))) return true
  for (const id of app.visible.tags) {
    const tag = corp.tags.get(id)
    if (tag?.userIds.has(key)) return true
    if (tag && member.departments.some((department) => below(corp, tag.departments, department))) return true
  }
  return false
}

/** Whether a department, or one above it, is in the visible range of an app. */
export function seesDepartment(corp: Corp, app: App, id: number): boolean {
  return app.visible === 'all' ? corp.departments.has(id) : below(corp, app.visible.departments, id)
}

/** Whether a department is one of these or lies below one. */
export function below(corp: Corp, roots: ReadonlySet<number>, id: number): boolean {
  for (let at = corp.departments.get(id); at; at = corp.departments.get(at.parentId)) if (roots.has(at.id)) return true
  return false
}

/** A department and all below it, parents first. */
export function subtree(corp: Corp, id: number): Department[] {
  const root = corp.departments.get(id)
  if (!root) return []
  const children = new Map<number, Department[]>()
  for (const one of corp.departments.values()) children.set(one.parentId, [...(children.get(one.parentId) ?? []), one])
  const found = [root]
  for (const one of found) found.push(...(children.get(one.id) ?? []))
  return found
}

/** Whether a member may be reached by an app as far as licences go; self-built apps need none (protocol sheet 8.8). */
export function licensed(app: App, member: Member, nowMs: number, kind: 'base' | 'interop' = 'base'): boolean {
  if (app.unlicensed.has(member.userid.toLowerCase())) return false
  if (app.licencesFromMs === null || nowMs < app.licencesFromMs) return true
  const { licence } = member
  return licence !== null && nowMs < licence.untilMs && (kind === 'base' || licence.kind === 'interop')
}

import { tellApp, tellApps } from './callback.ts'
import type { XmlElements } from './event-xml.ts'
import { userIdFor } from './ids.ts'
import { dropMember, putMember, sees, seesDepartment } from './members.ts'
import type { App, Corp, Department, Member, Tag, WecomState } from './state.ts'

/**
 * Changes that people make in the console or the client, told to the apps that see them (protocol sheet 2.10, 4.6, 8.6).
 * Apps hear ids and departments only; a new name alone is told to nobody.
 */
export function changeMember(state: WecomState, corp: Corp, before: Member | null, after: Member | null): void {
  if (!before && !after) return
  const sawBefore = new Map([...corp.apps.values()].map((app) => [app, before !== null && sees(corp, app, before)]))
  if (before && after) moveMember(corp, before, after)
  else if (after) putMember(corp, after)
  else if (before) dropMember(corp, before.userid)
  for (const app of corp.apps.values()) {
    const [saw, seesNow] = [sawBefore.get(app) === true, after !== null && sees(corp, app, after)]
    if (saw === seesNow) continue
    const name = seesNow ? 'subscribe' : 'unsubscribe'
    tellApp(state, corp, app, { name, from: userIdFor(app, (after ?? before)!.userid), ofApp: true })
  }
  const changeType = !before ? 'create_user' : after ? 'update_user' : 'delete_user'
  if (before && after && sameForApps(before, after)) return
  tellApps(state, corp, (app) => {
    if (!(after && sees(corp, app, after)) && sawBefore.get(app) !== true) return null
    return { name: 'change_contact', changeType, elements: memberElements(app, before, after) }
  })
}

/** A department made, renamed or moved (`after`), or taken away (null). */
export function changeDepartment(state: WecomState, corp: Corp, id: number, after: Department | null): void {
  const before = corp.departments.get(id)
  if (!before && !after) return
  const saw = new Set([...corp.apps.values()].filter((app) => before && seesDepartment(corp, app, id)))
  if (after) corp.departments.set(id, after)
  else corp.departments.delete(id)
  const changeType = !before ? 'create_party' : after ? 'update_party' : 'delete_party'
  tellApps(state, corp, (app) => {
    if (!saw.has(app) && !(after && seesDepartment(corp, app, id))) return null
    const more = after ? { ParentId: after.parentId, Order: after.order } : {}
    const name = after && app.kind !== 'third_party' ? { Name: after.name } : {}
    return { name: 'change_contact', changeType, elements: { Id: id, ...name, ...more } }
  })
}

/** A tag with its people and departments; what came and went is told as lists (4.6). */
export function changeTag(state: WecomState, corp: Corp, after: Tag): void {
  const before = corp.tags.get(after.id)
  corp.tags.set(after.id, after)
  const added = <T>(now: ReadonlySet<T>, then: ReadonlySet<T> | undefined) => [...now].filter((one) => !then?.has(one))
  const lists = {
    AddUserItems: added(after.userIds, before?.userIds),
    DelUserItems: added(before?.userIds ?? new Set<string>(), after.userIds),
    AddPartyItems: added(after.departments, before?.departments),
    DelPartyItems: added(before?.departments ?? new Set<number>(), after.departments),
  }
  tellApps(state, corp, (app) => {
    if (app.visible !== 'all' && !app.visible.tags.has(after.id)) return null
    const ids = (keys: readonly string[]) =>
      keys.flatMap((key) => corp.members.get(key) ?? []).map((member) => userIdFor(app, member.userid))
    const elements: XmlElements = {
      TagId: after.id,
      AddUserItems: ids(lists.AddUserItems).join(','),
      DelUserItems: ids(lists.DelUserItems).join(','),
      AddPartyItems: lists.AddPartyItems.join(','),
      DelPartyItems: lists.DelPartyItems.join(','),
    }
    return { name: 'change_contact', changeType: 'update_tag', elements }
  })
}

/** A renamed userid takes its chat along. */
function moveMember(corp: Corp, before: Member, after: Member): void {
  const [from, to] = [before.userid.toLowerCase(), after.userid.toLowerCase()]
  if (from !== to) {
    dropMember(corp, before.userid)
    const chat = corp.inbox.get(from)
    if (chat) corp.inbox.set(to, chat)
    corp.inbox.delete(from)
    for (const app of corp.apps.values()) followRename(app, from, to)
  }
  putMember(corp, after)
}

function followRename(app: App, from: string, to: string): void {
  if (app.hidden.delete(from)) app.hidden.add(to)
  if (app.unlicensed.delete(from)) app.unlicensed.add(to)
  if (app.visible === 'all' || !app.visible.userIds.has(from)) return
  const userIds = new Set([...app.visible.userIds].map((key) => (key === from ? to : key)))
  app.visible = { ...app.visible, userIds }
}

function sameForApps(before: Member, after: Member): boolean {
  return before.userid === after.userid && before.departments.join() === after.departments.join()
}

function memberElements(app: App, before: Member | null, after: Member | null): XmlElements {
  const userid = userIdFor(app, (before ?? after)!.userid)
  const renamed = before && after && before.userid !== after.userid
  const third = app.kind === 'third_party' ? { OpenUserID: userid, Name: userid } : {}
  return {
    UserID: userid,
    ...(renamed ? { NewUserID: userIdFor(app, after.userid) } : {}),
    ...third,
    ...(after ? { Department: after.departments.join(',') } : {}),
  }
}

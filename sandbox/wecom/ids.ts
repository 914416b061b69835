import { cipherOf, plainOf } from './cipher.ts'
import { sees } from './members.ts'
import type { App, Corp, Member } from './state.ts'

/** A userid as an app sees it. */
export function userIdFor(app: App | null, userid: string): string {
  return app?.providerId ? cipherOf(app.providerId, userid) : userid
}

/** A corpid as an app sees it. */
export function corpIdFor(app: App, corpId: string): string {
  return app.providerId ? cipherOf(app.providerId, corpId, 'wp') : corpId
}

/** The plain userid, lower-cased, behind what an app wrote; null when a provider's app wrote anything but its cipher. */
export function keyOf(app: App | null, userid: string): string | null {
  const plain = app?.providerId ? plainOf(app.providerId, userid) : userid
  return plain === null ? null : plain.toLowerCase()
}

/** The member whom an app means and sees; undefined otherwise. */
export function memberFor(corp: Corp, app: App | null, userid: string): Member | undefined {
  const key = keyOf(app, userid)
  const member = key === null ? undefined : corp.members.get(key)
  return member && (!app || sees(corp, app, member)) ? member : undefined
}

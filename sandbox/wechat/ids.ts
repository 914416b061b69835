import { createHash } from 'node:crypto'
import type { Person, WechatApp, WechatState } from './state.ts'

/** 28 characters as WeChat's ids have them; the same for the same words, so that a database outlives the sandbox. */
function idOf(start: string, ...words: readonly string[]): string {
  return (
    start +
    createHash('sha256')
      .update(words.join('\n'))
      .digest('base64url')
      .slice(0, 28 - start.length)
  )
}

/** Who somebody is for one app, and for no other. */
export const openidOf = (app: Pick<WechatApp, 'appid'>, person: Pick<Person, 'id'>): string =>
  idOf('oSandbox', 'openid', app.appid, person.id)

/** Who somebody is for all apps of one Open Platform account; null where the app hangs on none. */
export const unionidOf = (app: WechatApp, person: Pick<Person, 'id'>): string | null =>
  app.openPlatformId === null ? null : idOf('oUnion', 'unionid', app.openPlatformId, person.id)

/** The ids that a snapshot shows in place of somebody's own: always the same, and nobody's. */
export const snapshotIdsOf = (app: WechatApp, person: Person) => ({
  openid: openidOf(app, { id: `${person.id} in a snapshot` }),
  unionid: unionidOf(app, { id: `${person.id} in a snapshot` }),
})

/** Whose openid it is. */
export function personOf(state: WechatState, app: WechatApp, openid: string): Person | null {
  return [...state.persons.values()].find((person) => openidOf(app, person) === openid) ?? null
}

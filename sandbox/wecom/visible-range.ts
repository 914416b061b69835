import { tellApp } from './callback.ts'
import { userIdFor } from './ids.ts'
import { sees } from './members.ts'
import type { App, Corp, VisibleRange, WecomState } from './state.ts'
import { suiteOf, tellChangedAuth } from './suites.ts'

/**
 * Changes whom an app may see. Members who come in or go out are told to the app (subscribe, unsubscribe), and the
 * provider of an installed app hears change_auth without the difference (2.10, 8.4).
 */
export function changeRange(state: WecomState, corp: Corp, app: App, visible: VisibleRange): void {
  const before = new Set([...corp.members.values()].filter((one) => sees(corp, app, one)).map((one) => one.userid))
  app.visible = visible
  for (const member of corp.members.values()) {
    const now = sees(corp, app, member)
    if (now === before.has(member.userid)) continue
    const name = now ? 'subscribe' : 'unsubscribe'
    tellApp(state, corp, app, { name, from: userIdFor(app, member.userid), ofApp: true })
  }
  const suite = suiteOf(state, app.suiteId ?? '')
  if (suite) tellChangedAuth(state, suite, corp)
}

import type { Id } from '../../contract/ids.ts'
import type { Actor } from '../kernel/context.ts'
import { encodeSession } from '../kernel/cookies.ts'
import { knowBuyer } from '../modules/buyer/know-buyer.ts'
import { sessionCookies } from '../modules/company/open-session.ts'
import type { TestDatabase } from './databases.ts'
import { aBrowser, type Browser } from './web.ts'
import { appid } from './wechat-sandbox.ts'

/** The service account of tests: the app that the merchants of tests are bound to. */
export const STORE_APPID = appid

export interface TestBuyer {
  readonly id: Id<'buyer'>
  readonly openid: string
  readonly actor: Actor
  /** Their phone, signed in to the storefront at `base`; `nowMs`: when they signed in. */
  readonly phone: (base: string, nowMs?: number) => Browser
}

let made = 0

/** Somebody who has visited the storefront before. */
export async function aBuyer(database: TestDatabase): Promise<TestBuyer> {
  made += 1
  const openid = `oTESTbuyer${String(made).padStart(8, '0')}`
  const id = await database.tx((tx) => knowBuyer(tx, { appid: STORE_APPID, openid, unionid: null }))
  return buyerOf(database, id, openid)
}

/** A buyer who is there already, as somebody who acts. */
export const buyerOf = (database: TestDatabase, id: Id<'buyer'>, openid: string): TestBuyer => ({
  id,
  openid,
  actor: { kind: 'buyer', buyerId: id },
  phone: (base, nowMs) => phoneOf(database, id, base, nowMs),
})

function phoneOf(database: TestDatabase, buyerId: Id<'buyer'>, base: string, nowMs = Date.now()): Browser {
  const phone = aBrowser(base)
  const { name, path, lifeMs } = sessionCookies.buyer
  const session = { kind: 'buyer', ids: { buyerId }, expiresAtMs: nowMs + lifeMs } as const
  const value = encodeSession(session, database.house.sessionKey)
  phone.cookies.set(name, { value, path, host: new URL(base).host })
  return phone
}

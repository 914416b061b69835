import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { StoreSession, StoreSetting } from '../../contract/store/session.ts'
import { get, signedOut } from '../lib/api.ts'
import type { Bridge } from '../lib/bridge/bridge.ts'
import { maySell } from '../lib/bridge/channel.ts'
import { learnClock } from './server-clock.ts'

/** What the whole storefront knows of this browser. Nothing about a person is written on the phone. */
export const setting: ShallowRef<StoreSetting | null> = shallowRef(null)
/** Null: not known yet. */
export const signedIn: Ref<boolean | null> = ref(null)
/** The bridge to the client that shows the page; null until something is wanted of it. */
export const bridge: ShallowRef<Bridge | null> = shallowRef(null)
/** What the sign-in was refused with: a code of contract/error-codes.ts. */
export const refusedWith: Ref<string | null> = ref(null)
/** Inside a mini program on an iPhone no price is shown and nothing is sold (D5). */
export const sells: boolean = maySell()

/** Asks for the setting and whether somebody is signed in; once, and anew where that failed. Throws ApiProblem. */
export function readStore(): Promise<void> {
  reading ??= readBoth().catch((error: unknown) => {
    reading = null
    throw error
  })
  return reading
}
let reading: Promise<void> | null = null

async function readBoth(): Promise<void> {
  const askedMs = Date.now()
  const [house, session] = await Promise.all([get<StoreSetting>('/store/setting'), get<StoreSession>('/store/session')])
  learnClock(session.nowMs, askedMs)
  setting.value = house
  signedIn.value = session.signedIn
}

/** The bridge, opened once. Throws where it did not come over the network. */
export async function bridgeHere(): Promise<Bridge> {
  await readStore()
  opening ??= import('../lib/bridge/open-bridge.ts').then(({ openBridge }) => openBridge(setting.value))
  try {
    return (bridge.value = await opening)
  } catch (error) {
    opening = null
    throw error
  }
}
let opening: Promise<Bridge> | null = null

const leftKey = 'fulika.shopLeftAt'
/** Coming back without a session within this time means that the browser keeps no cookies: asking again would go in circles. */
const TOO_SOON_MS = 20_000

/**
 * Has WeChat say silently whose phone this is, and comes back to this very page; true while the browser leaves. False where
 * somebody is signed in, where nobody can be asked, and where it was tried just now. Throws where the server cannot be asked.
 */
export async function signInOnTheWay(): Promise<boolean> {
  await readStore()
  if (signedIn.value === true && !signedOut.value) return false
  const leftMs = Number(sessionStorage.getItem(leftKey) ?? 0)
  if (Date.now() - leftMs < TOO_SOON_MS) return false
  const here = await bridgeHere()
  if (here.can.signIn !== true) return false
  sessionStorage.setItem(leftKey, String(Date.now()))
  return here.signIn(`${location.pathname}${location.search}`).kind === 'done'
}

/** Takes what a sign-in left in the address: why it was refused, and WeChat's own mark. */
export function takeRefusal(): void {
  const here = new URL(location.href)
  refusedWith.value = here.searchParams.get('problem')
  here.searchParams.delete('problem')
  if (here.hash === '#wechat_redirect') here.hash = ''
  if (here.href !== location.href) history.replaceState(history.state, '', here)
}

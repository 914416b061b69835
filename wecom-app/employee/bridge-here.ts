import { shallowRef, type ShallowRef } from 'vue'
import type { Bridge } from '../lib/bridge/bridge.ts'

/** The bridge to the client that shows the pack; null until it is here. It comes after the cards and never before them. */
export const bridge: ShallowRef<Bridge | null> = shallowRef(null)

/** Opens it, once; what did not come over the network is tried anew with the next call. */
export async function bridgeHere(): Promise<Bridge | null> {
  opening ??= import('../lib/bridge/open-bridge.ts').then(({ openBridge }) => openBridge())
  bridge.value = await opening.catch(() => (opening = null))
  return bridge.value
}
let opening: Promise<Bridge> | null = null

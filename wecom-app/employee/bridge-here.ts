import { shallowRef, type ShallowRef } from 'vue'
import type { StoreSetting } from '../../contract/store/session.ts'
import { get } from '../lib/api.ts'
import type { Bridge } from '../lib/bridge/bridge.ts'
import { isBuyers } from './audience.ts'

/** The bridge to the client that shows the pack; null until it is here. It comes after the cards and never before them. */
export const bridge: ShallowRef<Bridge | null> = shallowRef(null)

/** Opens it, once; what did not come over the network is tried anew with the next call. */
export async function bridgeHere(): Promise<Bridge | null> {
  opening ??= open()
  bridge.value = await opening.catch(() => (opening = null))
  return bridge.value
}
let opening: Promise<Bridge> | null = null

async function open(): Promise<Bridge> {
  const [{ openBridge }, wechat] = await Promise.all([
    import('../lib/bridge/open-bridge.ts'),
    isBuyers ? storeSetting() : null,
  ])
  return openBridge(wechat)
}

/** What WeChat's client must be told of our service account: a buyer's pack alone asks. */
export function storeSetting(): Promise<StoreSetting> {
  asking ??= get<StoreSetting>('/store/setting').catch((error: unknown) => {
    asking = null
    throw error
  })
  return asking
}
let asking: Promise<StoreSetting> | null = null

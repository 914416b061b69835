import type { Bridge } from './bridge.ts'
import { browserBridge } from './browser.ts'
import { channel } from './channel.ts'
import type { WechatSetting } from './wechat.ts'

/**
 * The bridge of the client that shows this page. WeCom's client names WeChat's as well, so it is looked for first; what is
 * neither is a browser. `wechat`: the service account whose pages these are; null where nothing is asked of WeChat.
 */
export async function openBridge(wechat: WechatSetting | null = null): Promise<Bridge> {
  const here = channel()
  if (here === 'wecom') return (await import('./wecom.ts')).wecomBridge()
  if (wechat === null) return browserBridge(here === 'wechat' ? 'client_only' : 'open_in_wechat')
  const { wechatBridge, hasClient } = await import('./wechat.ts')
  return (await hasClient(wechat)) ? wechatBridge(wechat) : browserBridge('open_in_wechat')
}

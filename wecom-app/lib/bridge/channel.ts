import type { Channel } from './bridge.ts'

/** The client that a browser says it is. WeCom's names WeChat's as well (protocols wechat-consumer, 3). */
export function channelOf(userAgent: string): Channel {
  if (/wxwork/i.test(userAgent)) return 'wecom'
  return /micromessenger/i.test(userAgent) ? 'wechat' : 'browser'
}

/** The client that shows this page, as far as it says so itself. */
export const channel = (): Channel => channelOf(navigator.userAgent)

/**
 * Whether prices and ways to pay may be shown. Inside a mini program on an iPhone they may not: what is not a thing is sold
 * there by Apple alone, and pages must not lead elsewhere either (product.md, D5).
 */
export function maySell(): boolean {
  const { __wxjs_environment: environment } = globalThis as { __wxjs_environment?: unknown }
  const inMiniProgram = environment === 'miniprogram' || /miniprogram/i.test(navigator.userAgent)
  return !(inMiniProgram && /iphone|ipad|ipod/i.test(navigator.userAgent))
}

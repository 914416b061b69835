import type { ErrorText } from './money-error-codes.ts'

/** Refusals of the storefront. */
export const storeErrorCodes = {
  snapshot_page: {
    status: 403,
    zh: '当前是微信的快照页，只能浏览，请点右下角“使用完整服务”后再购买。',
    en: 'This is a snapshot page of WeChat: it can only be looked at. Tap "Use full service", then buy.',
  },
  wechat_not_connected: {
    status: 409,
    zh: '商城还没有接通微信服务号，暂时只能浏览，请稍后再来。',
    en: 'The storefront is not connected to a WeChat service account yet. Look around and come back later.',
  },
  early_use_ended: {
    status: 409,
    zh: '这张卡已经可以使用，请直接使用。',
    en: 'This card can be used already. Just use it.',
  },
} as const satisfies Record<string, ErrorText>

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
  gift_for_colleagues: {
    status: 409,
    zh: '这是一张记名卡，请由赠送人的同事在企业微信里领取。',
    en: 'This card carries a name: only a colleague of whoever gave it can take it, in WeCom.',
  },
  early_use_ended: {
    status: 409,
    zh: '这张卡已经可以使用，请直接使用。',
    en: 'This card can be used already. Just use it.',
  },
  greeting_refused: {
    status: 422,
    zh: '祝福语里有不能使用的内容，请换一种说法。',
    en: 'The greeting holds words that cannot be used. Put it another way.',
  },
  picture_refused: {
    status: 422,
    zh: '这张图片不能用作封面，请按说明换一张。',
    en: 'This picture cannot be a cover. Choose another one as described.',
  },
  cover_refused: {
    status: 409,
    zh: '这张封面图片没有通过审核，请换一张。',
    en: 'This cover was not approved. Choose another picture.',
  },
} as const satisfies Record<string, ErrorText>

import type { ErrorText } from './money-error-codes.ts'

/** Refusals of the shelf: of what is looked for, taken and put on it. */
export const shelfErrorCodes = {
  listing_gone: {
    status: 404,
    zh: '这款卡已下架或不存在，请返回商城看看其他卡。',
    en: 'This card is not on sale (any more). Go back to the storefront and look at others.',
  },
  version_changed: {
    status: 409,
    zh: '这款卡的条款刚刚更新，请刷新后确认再买。',
    en: 'The terms of this card have just changed. Refresh and look at them again before you buy.',
  },
  face_refused: {
    status: 422,
    zh: '这款卡没有这个面额，请按提示的面额重新选择。',
    en: 'This card does not come with that face. Choose one of those that are named.',
  },
  price_changed: {
    status: 409,
    zh: '价格刚刚变动，请确认现在的价格后再买。',
    en: 'The price has just changed. Look at the price now, then buy.',
  },
  sold_out: {
    status: 409,
    zh: '这款卡已售罄，请看看其他卡或稍后再来。',
    en: 'This card is sold out. Look at others, or come back later.',
  },
  over_buyer_cap: {
    status: 409,
    zh: '您已达到这款卡的限购数量，请选择其他卡。',
    en: 'You have as many of this card as one buyer may have. Choose another card.',
  },
  search_too_long: {
    status: 422,
    zh: '搜索内容太长，请缩短到 60 个字以内。',
    en: 'That is too much to search for. Use at most 60 characters.',
  },
  cursor_expired: {
    status: 409,
    zh: '列表排序已更新，请从第一页重新查看。',
    en: 'The order of this list has been renewed. Begin again at its first page.',
  },
  listing_refused: {
    status: 422,
    zh: '上架信息不合规则，请修改指出的字段。',
    en: 'A listing cannot be like this. Correct the named field.',
  },
  listing_exists: {
    status: 409,
    zh: '这个卡模板已有上架信息，请直接修改它。',
    en: 'This template has a listing already. Change that one.',
  },
  stock_below_taken: {
    status: 409,
    zh: '库存不能少于已被订购的数量，请调高后保存。',
    en: 'Stock cannot be less than what orders have taken. Raise it and save again.',
  },
} as const satisfies Record<string, ErrorText>

import type { Lang } from './error-codes.ts'

/**
 * What stands on a card that somebody passes on in a chat. WeChat's rules for outside links (外部链接内容管理规范 2.1.2) forbid to
 * reward, to demand or to count sharing; whoever breaks them loses the domain for everybody. A gift is the handing over of
 * something bought: its giver gets nothing for it, and no price stands on it.
 */
export interface ShareWords {
  readonly title: string
  readonly text: string
}

/** What is passed on: a gift by its link, or a page of the shelf. */
export type Shared =
  | { readonly what: 'gift'; readonly brandName: string; readonly fromName: string | null }
  | { readonly what: 'listing'; readonly title: string; readonly brandName: string }

/** WeChat cuts a title after two lines. */
const TITLE_CHARACTERS = 36
const TEXT_CHARACTERS = 60

/**
 * The words of a card in a chat. Names of people, brands and goods come from outside: one that breaks the rules stands on no
 * card, and plain words take its place.
 */
export function shareWords(shared: Shared, lang: Lang): ShareWords {
  const plain = plainWords[shared.what][lang]
  const wished = wordsOf(shared, lang)
  const fits = (text: string, most: number): boolean => text.length <= most && wordFaults(text).length === 0
  return {
    title: fits(wished.title, TITLE_CHARACTERS) ? wished.title : plain.title,
    text: fits(wished.text, TEXT_CHARACTERS) ? wished.text : plain.text,
  }
}

const plainWords: Readonly<Record<Shared['what'], Readonly<Record<Lang, ShareWords>>>> = {
  gift: {
    zh: { title: '送你一张福利卡', text: '一份心意，打开看看' },
    en: { title: 'A gift card for you', text: 'Open it to see' },
  },
  listing: {
    zh: { title: '福利卡', text: '福利卡商城' },
    en: { title: 'Gift card', text: 'Fulika store' },
  },
}

function wordsOf(shared: Shared, lang: Lang): ShareWords {
  if (shared.what === 'listing') return { title: shared.title, text: shared.brandName }
  const { brandName, fromName } = shared
  if (lang === 'zh') return { title: `${fromName ?? ''}送你一张${brandName}福利卡`, text: plainWords.gift.zh.text }
  const from = fromName === null ? 'A' : `${fromName} sends you a`
  return { title: `${from} card of ${brandName}${fromName === null ? ' for you' : ''}`, text: plainWords.gift.en.text }
}

/** What is wrong with a card. */
export const shareFaults = ['inducement', 'price', 'address', 'outside_link', 'token_for_all'] as const
export type ShareFault = (typeof shareFaults)[number]

/** Between these a reward stands near the asking. */
const NEAR = '[^。！？.!?\\n]{0,16}'
const NEAR_EN = '[^.!?\\n]{0,40}'
const SHARING = '(?:分享|转发|邀请|邀好友|拉新|扩散|助力|集赞|求赞|点赞)'
const REWARD =
  '(?:领|得|赢|奖|返|送你|即送|就送|赠|免费|红包|现金|优惠券|代金券|积分|流量|解锁|提现|机会|概率|中奖|抽|有礼|好礼)'
const SHARING_EN = '\\b(?:shar(?:e|es|ing)|forward(?:ing)?|invit(?:e|es|ing)|refer(?:ral)?|like and|repost(?:ing)?)\\b'
const REWARD_EN =
  '\\b(?:earn|win|reward(?:s|ed)?|bonus|prize|free|coupons?|points|cash(?:back)?|unlock(?:s|ed)?|discount|chances?)\\b'

/** Asking to share for something, demanding it, or counting it. */
const inducements: readonly RegExp[] = [
  new RegExp(`${SHARING}${NEAR}${REWARD}`, 'u'),
  new RegExp(`${REWARD}${NEAR}${SHARING}`, 'u'),
  new RegExp(`${SHARING_EN}${NEAR_EN}${REWARD_EN}`, 'iu'),
  new RegExp(`${REWARD_EN}${NEAR_EN}${SHARING_EN}`, 'iu'),
  /帮.{0,4}(砍|点一下|助力)|砍价|砍一刀|助力|集卡|集赞|求转发|求扩散|拼手气/u,
  /(必须|请先|先|需要?)(分享|转发|关注)|不转|转发到.{0,6}群|分享到朋友圈|(分享|转发)\s*\d+\s*(次|个|人)/u,
  /关注.{0,6}(公众号|后)|签到|打卡/u,
  /\b(must|please|first)\b.{0,12}\b(share|forward|follow)\b|\bdaily check-?in\b/iu,
]
const PRICE = /[¥￥$]\s*\d|\d+(\.\d+)?\s*(元|块钱|折|yuan|RMB|CNY|% off)/iu
const ADDRESS = /https?:|www\.|\.(com|cn|net|top|xyz)\b|[<>]/iu

/** What is wrong with words that stand on, or beside, what somebody passes on. */
export function wordFaults(text: string): ShareFault[] {
  const plain = text.normalize('NFKC').replaceAll(/[\p{Cf}\s]+/gu, (run) => (/\s/u.test(run) ? ' ' : ''))
  const close = plain.replaceAll(/(?<=\p{Script=Han}) +(?=\p{Script=Han})/gu, '')
  return [
    ...(inducements.some((pattern) => pattern.test(close)) ? ['inducement' as const] : []),
    ...(PRICE.test(close) ? ['price' as const] : []),
    ...(ADDRESS.test(close) ? ['address' as const] : []),
  ]
}

/**
 * What is wrong with a card that is about to be handed to the client: its words, and where it leads. Inside WeChat it leads to our
 * own pages alone; what everybody may see (Moments) carries nobody's gift.
 */
export function cardFaults(
  card: ShareWords & { readonly url: string },
  to: { readonly origin: string; readonly everybody: boolean },
): ShareFault[] {
  const url = URL.canParse(card.url) ? new URL(card.url) : null
  const words = new Set([...wordFaults(card.title), ...wordFaults(card.text)])
  return [
    ...words,
    ...(url?.origin !== to.origin || url.username !== '' ? ['outside_link' as const] : []),
    ...(to.everybody && url !== null && /\/(gift|device|claim)\//.test(url.pathname) ? ['token_for_all' as const] : []),
  ]
}

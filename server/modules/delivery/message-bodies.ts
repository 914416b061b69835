import { clip } from '../campaign/message-words.ts'
import { sendLimits } from './send-limits.ts'

/** The longest term in which WeCom passes over an identical request (protocols wecom 5.1), in seconds. */
export const DUPLICATE_CHECK_S = 14_400

/** To whom one call goes; userids as WeCom knows them. */
export interface Envelope {
  readonly agentId: number
  readonly userIds: readonly string[]
}

/** What a message says: the part under its msgtype. Source: protocols wecom 5.1, 5.2. */
export type MessageContent =
  | { readonly msgtype: 'text'; readonly text: { readonly content: string } }
  | { readonly msgtype: 'textcard'; readonly textcard: object }
  | { readonly msgtype: 'template_card'; readonly template_card: object }
  | { readonly msgtype: 'miniprogram_notice'; readonly miniprogram_notice: object }

/** A row of facts on a card; with `url` it opens something. */
export interface CardFact {
  readonly name: string
  readonly value: string
  readonly url?: string
}

interface CardWords {
  readonly source: string
  readonly title: string
  readonly desc?: string
  readonly facts?: readonly CardFact[]
}
interface OpeningCard extends CardWords {
  /** Where a tap leads. */
  readonly url: string
  readonly subtitle?: string
}

const longest = {
  textBytes: 2048,
  urlBytes: 2048,
  cardTitle: 128,
  cardDescription: 512,
  buttonText: 4,
  keyBytes: 1024,
  taskIdBytes: 128,
  /** Beyond these the phone cuts the words of a card. */
  source: 13,
  title: 26,
  desc: 30,
  subtitle: 112,
  factName: 5,
  factValue: 26,
  noticeTitle: 12,
  noticeKey: 10,
  noticeValue: 30,
} as const

/**
 * The exact bytes of one call of message/send, with which WeCom passes over repeats. Throws RangeError beyond 1,000
 * people, for nobody, and for a name that would reach others too.
 */
export function sendBody({ agentId, userIds }: Envelope, content: MessageContent): string {
  if (userIds.length === 0 || userIds.length > sendLimits.perCall)
    throw new RangeError('a call names 1 to 1,000 people')
  if (!userIds.every(isUserId)) throw new RangeError('a name in touser that is no userid')
  return JSON.stringify({
    touser: userIds.join('|'),
    ...(content.msgtype === 'miniprogram_notice' ? {} : { agentid: agentId }),
    ...content,
    enable_duplicate_check: 1,
    duplicate_check_interval: DUPLICATE_CHECK_S,
  })
}

/** The same message to fewer people. Only ever before the first call: other bytes are another message. */
export function withRecipients(body: string, userIds: readonly string[]): string {
  return JSON.stringify({ ...(JSON.parse(body) as object), touser: userIds.join('|') })
}

/** The userids that a body names, in their order. */
export function recipientsOf(body: string): string[] {
  return (JSON.parse(body) as { touser: string }).touser.split('|')
}

/** A userid that may stand in `touser`. `@all` and lists hidden in one name may not (protocols wecom 0). */
export function isUserId(text: string): boolean {
  return /^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$/.test(text)
}

/** Plain text, cut to 2,048 bytes and never inside of a character. The only kind that the WeChat plugin always shows. */
export function textMessage(content: string): MessageContent {
  return { msgtype: 'text', text: { content: clipBytes(content, longest.textBytes) } }
}

/** A title, a few words and a link. */
export function textCard(card: {
  readonly title: string
  readonly description: string
  readonly url: string
  readonly button?: string
}): MessageContent {
  const textcard = {
    title: clip(card.title, longest.cardTitle),
    description: clip(card.description, longest.cardDescription),
    url: linkOf(card.url),
    ...(card.button === undefined ? {} : { btntxt: clip(card.button, longest.buttonText) }),
  }
  return { msgtype: 'textcard', textcard }
}

/** A card that a tap opens. */
export function textNotice(card: OpeningCard): MessageContent {
  return template({ card_type: 'text_notice', ...openingPart(card) })
}

/** A card with a picture (aspect ratio 1.3 to 2.25) that a tap opens. */
export function newsNotice(
  card: OpeningCard & { readonly image: { readonly url: string; readonly aspectRatio: number } },
): MessageContent {
  const { url, aspectRatio } = card.image
  if (aspectRatio < 1.3 || aspectRatio > 2.25) throw new RangeError('a picture of that shape is not taken')
  const { sub_title_text: subtitle, ...rest } = openingPart(card)
  return template({
    card_type: 'news_notice',
    ...rest,
    card_image: { url: linkOf(url), aspect_ratio: aspectRatio },
    ...(subtitle === undefined ? {} : { vertical_content_list: [{ title: clip(subtitle, longest.title) }] }),
  })
}

export interface CardButton {
  readonly text: string
  /** 1 blue, 2 blue outline, 3 red, 4 grey. */
  readonly style: 1 | 2 | 3 | 4
  /** A callback with this key, or a page that is opened. */
  readonly does: { readonly key: string } | { readonly url: string }
}

/** A card with one to six buttons; `taskId` is unique within the app and comes back with a press. */
export function buttonCard(
  card: CardWords & { readonly taskId: string; readonly subtitle?: string; readonly buttons: readonly CardButton[] },
): MessageContent {
  if (card.buttons.length === 0 || card.buttons.length > 6) throw new RangeError('a card has 1 to 6 buttons')
  if (!new RegExp(`^[0-9A-Za-z_\\-@]{1,${longest.taskIdBytes}}$`).test(card.taskId))
    throw new RangeError('a task id of that form is not taken')
  return template({
    card_type: 'button_interaction',
    ...wordsPart(card),
    ...(card.subtitle === undefined ? {} : { sub_title_text: clip(card.subtitle, longest.subtitle) }),
    task_id: card.taskId,
    button_list: card.buttons.map(({ text, style, does }) => ({
      ...('key' in does ? { type: 0, key: keyOf(does.key) } : { type: 1, url: linkOf(does.url) }),
      text: clip(text, 10),
      style,
    })),
  })
}

/** A notice that opens a mini program, which must be linked with the app (90206 to 90208 otherwise). */
export function miniprogramNotice(notice: {
  readonly appId: string
  readonly page?: string
  readonly title: string
  readonly description?: string
  readonly facts?: readonly CardFact[]
}): MessageContent {
  if (Array.from(notice.title).length < 4) throw new RangeError('a title of at least 4 characters is asked for')
  if (Buffer.byteLength(notice.page ?? '') > 1024) throw new RangeError('a page of at most 1,024 bytes')
  const facts = (notice.facts ?? []).slice(0, 10)
  return {
    msgtype: 'miniprogram_notice',
    miniprogram_notice: {
      appid: notice.appId,
      ...(notice.page === undefined ? {} : { page: notice.page }),
      title: clip(notice.title, longest.noticeTitle),
      ...(notice.description === undefined ? {} : { description: clip(notice.description, longest.noticeTitle) }),
      content_item: facts.map(({ name, value }) => ({
        key: clip(name, longest.noticeKey),
        value: clip(value, longest.noticeValue),
      })),
    },
  }
}

const template = (template_card: object): MessageContent => ({ msgtype: 'template_card', template_card })

function wordsPart({ source, title, desc, facts = [] }: CardWords) {
  return {
    source: { desc: clip(source, longest.source) },
    main_title: {
      title: clip(title, longest.title),
      ...(desc === undefined ? {} : { desc: clip(desc, longest.desc) }),
    },
    ...(facts.length === 0
      ? {}
      : {
          horizontal_content_list: facts.slice(0, 6).map(({ name, value, url }) => ({
            keyname: clip(name, longest.factName),
            value: clip(value, longest.factValue),
            ...(url === undefined ? {} : { type: 1, url: linkOf(url) }),
          })),
        }),
  }
}

function openingPart(card: OpeningCard) {
  return {
    ...wordsPart(card),
    ...(card.subtitle === undefined ? {} : { sub_title_text: clip(card.subtitle, longest.subtitle) }),
    card_action: { type: 1, url: linkOf(card.url) },
  }
}

function linkOf(url: string): string {
  if (!/^https?:\/\//.test(url) || Buffer.byteLength(url) > longest.urlBytes)
    throw new RangeError('no link for a message')
  return url
}

function keyOf(key: string): string {
  if (key === '' || Buffer.byteLength(key) > longest.keyBytes) throw new RangeError('no key for a button')
  return key
}

/** Cuts a text to so many bytes of UTF-8, never inside of what people see as one character. */
export function clipBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text
  let kept = ''
  let bytes = Buffer.byteLength('…')
  for (const { segment } of new Intl.Segmenter('zh', { granularity: 'grapheme' }).segment(text)) {
    bytes += Buffer.byteLength(segment)
    if (bytes > most) break
    kept += segment
  }
  return `${kept}…`
}

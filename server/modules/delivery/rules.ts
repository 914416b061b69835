import { messageWords } from '../campaign/message-words.ts'

/** The longest term in which WeCom passes over an identical request (protocols wecom 5.1), in seconds. */
export const DUPLICATE_CHECK_S = 14_400
/** We stop repeating a little earlier: clocks differ, and a call takes time to arrive. */
const SAFETY_MS = 10 * 60_000
const MINUTE_MS = 60_000

export interface Message {
  readonly agentId: number
  readonly companyName: string
  readonly companyCode: string
  readonly campaignId: string
  readonly title: string
  readonly occasion: string
  readonly publicUrl: string
  readonly userIds: readonly string[]
  /** The batch's id when these people are sent to again: other bytes, or WeCom takes it for the first message. */
  readonly again: string | null
}

/**
 * The exact body of one call of message/send: one card for all, whose link says which campaign and nothing about who.
 * Source: protocols wecom 5.1, 5.2.
 */
export function messageBody(message: Message): string {
  const link = new URL('/pack/', message.publicUrl)
  link.searchParams.set('campaign', message.campaignId)
  link.searchParams.set('company', message.companyCode)
  if (message.again !== null) link.searchParams.set('again', message.again)
  const words = messageWords(message)
  return JSON.stringify({
    touser: message.userIds.join('|'),
    msgtype: 'template_card',
    agentid: message.agentId,
    template_card: {
      card_type: 'text_notice',
      source: { desc: words.source },
      main_title: { title: words.title, desc: words.desc },
      sub_title_text: '点开查看您的福利卡',
      card_action: { type: 1, url: link.href },
    },
    enable_duplicate_check: 1,
    duplicate_check_interval: DUPLICATE_CHECK_S,
  })
}

/** Whether the same bytes can still be repeated without a second message reaching anybody. */
export function mayRepeat(firstCallAtMs: number, nowMs: number): boolean {
  return nowMs < firstCallAtMs + DUPLICATE_CHECK_S * 1000 - SAFETY_MS
}

/** The instant itself, or the next minute where it falls into minute 0 or 30, which WeCom asks to avoid. */
export function besideTheRush(atMs: number): number {
  const minute = Math.floor(atMs / MINUTE_MS)
  return minute % 30 === 0 ? (minute + 1) * MINUTE_MS : atMs
}

/** How long to wait after so many calls without an answer: doubling from a second, ten minutes at most. */
export function waitAfter(calls: number): number {
  return Math.min(10 * MINUTE_MS, 1000 * 2 ** Math.min(calls - 1, 20))
}

/** A userid that may stand in `touser`. `@all` and lists hidden in one name may not (protocols wecom 0). */
export function isUserId(text: string): boolean {
  return /^[0-9A-Za-z][0-9A-Za-z_\-@.]{0,63}$/.test(text)
}

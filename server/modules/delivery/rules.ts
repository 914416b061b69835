import { messageWords } from '../campaign/message-words.ts'
import { DUPLICATE_CHECK_S, newsNotice, sendBody, textNotice } from './message-bodies.ts'

/** We stop repeating a little earlier than WeCom stops looking: clocks differ, and a call takes time to arrive. */
const SAFETY_MS = 10 * 60_000
const MINUTE_MS = 60_000

export interface Message {
  readonly agentId: number
  readonly companyName: string
  readonly companyCode: string
  readonly campaignId: string
  readonly title: string
  readonly occasion: string
  readonly cover: string
  readonly publicUrl: string
  readonly userIds: readonly string[]
  /** The batch's id when these people are sent to again: other bytes, or WeCom takes it for the first message. */
  readonly again: string | null
}

/**
 * The exact body of one call of message/send: one card for all, whose link says which campaign and nothing about who.
 * With the campaign's cover where people can reach it: WeCom's clients load pictures over https only.
 * Source: protocols wecom 5.1, 5.2.
 */
export function messageBody(message: Message): string {
  const link = new URL('/pack/', message.publicUrl)
  link.searchParams.set('campaign', message.campaignId)
  link.searchParams.set('company', message.companyCode)
  if (message.again !== null) link.searchParams.set('again', message.again)
  const card = { ...messageWords(message), subtitle: '点开查看您的福利卡', url: link.href }
  if (link.protocol !== 'https:') return sendBody(message, textNotice(card))
  const url = new URL(`/assets/cover-${message.cover}.jpg`, message.publicUrl).href
  return sendBody(message, newsNotice({ ...card, image: { url, aspectRatio: COVER_RATIO } }))
}

/** Width to height of the covers' pictures (wecom-app/public/assets, drawn by lib/Cover.vue). */
const COVER_RATIO = 1.6

/** Whether the same bytes can still be repeated without a second message reaching anybody. */
export function mayRepeat(firstCallAtMs: number, nowMs: number): boolean {
  return nowMs < firstCallAtMs + DUPLICATE_CHECK_S * 1000 - SAFETY_MS
}

/** Whether the house leaves minute 0 and 30 out, which WeCom asks for. */
export interface Quiet {
  readonly quietMinutes: boolean
}

/** The instant itself, or the next minute where it falls into minute 0 or 30 and the house leaves these out. */
export function besideTheRush({ quietMinutes }: Quiet, atMs: number): number {
  if (!quietMinutes) return atMs
  const minute = Math.floor(atMs / MINUTE_MS)
  return minute % 30 === 0 ? (minute + 1) * MINUTE_MS : atMs
}

/** How long to wait after so many calls without an answer: doubling from a second, ten minutes at most. */
export function waitAfter(calls: number): number {
  return Math.min(10 * MINUTE_MS, 1000 * 2 ** Math.min(calls - 1, 20))
}

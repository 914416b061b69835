import { encryptedPart, openPush, type OpenedPush, type PushKeys } from '../../kernel/push-envelope.ts'
import { NoticeRefused } from '../../kernel/outside.ts'
import type { WecomCallbackQuery } from '../ports.ts'

/** Answers the verification of a callback address: the exact plain text to send back. Throws NoticeRefused. */
export function verifyUrl(keys: PushKeys, query: WecomCallbackQuery, nowMs?: number): string {
  if (query.echostr === undefined || query.echostr === '') throw new NoticeRefused('malformed')
  return openPush(keys, query, query.echostr, nowMs).message
}

/** Checks signature, age, encryption and addressee of a callback over its raw body. Throws NoticeRefused. */
export function openCallback(keys: PushKeys, query: WecomCallbackQuery, rawBody: Buffer, nowMs: number): OpenedPush {
  return openPush(keys, query, encryptedPart(rawBody), nowMs)
}

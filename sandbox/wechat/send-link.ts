import { fakeId } from '../wecom/state.ts'
import type { ChatMessage, WechatState } from './state.ts'

const MOST_MESSAGES = 20_000

/** Sends a link to a friend; null where one of the two is not there, or it is no address of the web. */
export function sendLink(
  state: WechatState,
  from: string,
  to: string,
  what: Pick<ChatMessage, 'title' | 'desc' | 'link' | 'imgUrl'>,
): ChatMessage | null {
  const web = URL.canParse(what.link) && /^https?:$/.test(new URL(what.link).protocol)
  if (!web || from === to || !state.persons.has(from) || !state.persons.has(to)) return null
  const { title, desc, link, imgUrl } = what
  const message = { id: fakeId('LINK', 8), from, to, title, desc, link, imgUrl, atMs: state.now(), seenAtMs: null }
  state.chats.push(message)
  if (state.chats.length > MOST_MESSAGES) state.chats.shift()
  return message
}

import { z } from 'zod'
import type { WechatPort } from '../wechat-port.ts'
import { fieldsOf, type Call } from './call.ts'
import type { Authorised } from './tokens.ts'

const Sent = z.object({ msgid: z.union([z.string(), z.number()]).nullish() })

/** How long a value may be by the letters of its key (10); what is not named here is sent as it is. */
const MOST: Readonly<Record<string, number>> = {
  thing: 20,
  character_string: 32,
  phrase: 5,
  name: 10,
  number: 32,
  phone_number: 17,
  car_number: 8,
  symbol: 5,
}

/** Messages that people allowed one by one (10). */
export function messageCalls(api: Authorised): Pick<WechatPort, 'sendSubscription'> {
  return {
    async sendSubscription({ openid, templateId, page, data }) {
      const values = Object.entries(data).map(([key, value]) => [key, { value: cut(key, value) }] as const)
      const body = {
        touser: openid,
        template_id: templateId,
        ...(page === null ? {} : { page }),
        data: Object.fromEntries(values),
      }
      const call: Call = { api: 'cgi-bin/message/subscribe/bizsend', body, effect: true }
      const { msgid } = fieldsOf(Sent, call, await api(call))
      return { messageId: msgid === null || msgid === undefined || msgid === '' ? null : String(msgid) }
    },
  }
}

const letters = new Intl.Segmenter('zh', { granularity: 'grapheme' })
const lengthOf = (text: string): number => Array.from(text).length

/** A value within its limit, with an ellipsis inside it where something was left out. Letters are never cut in two. */
function cut(key: string, value: string): string {
  const most = MOST[key.replace(/\d+$/, '')]
  if (most === undefined || lengthOf(value) <= most) return value
  let kept = ''
  for (const { segment } of letters.segment(value)) {
    if (lengthOf(kept + segment) >= most) break
    kept += segment
  }
  return `${kept}…`
}

import { z } from 'zod'
import type { WecomPort } from '../ports.ts'
import { fieldsOf, readJson, type Api } from './call.ts'
import { ALL_RECIPIENTS_INVALID } from './errors.ts'

const Sent = z.object({
  msgid: z.string().optional(),
  invaliduser: z.string().nullish(),
  unlicenseduser: z.string().nullish(),
  response_code: z.string().nullish(),
})
const allInvalid = new Set([ALL_RECIPIENTS_INVALID])

/** Messages of an app, their change and recall (protocols wecom 5). */
export function messageCalls(api: Api): Pick<WecomPort, 'send' | 'updateCard' | 'recall'> {
  return {
    async send(app, body) {
      const call = { api: 'message/send', body, effect: true, expects: allInvalid }
      const answer = await api.app(app, call)
      const sent = fieldsOf(Sent, call, answer)
      const unlicensedUsers = usersOf(sent.unlicenseduser)
      if (answer.errcode === ALL_RECIPIENTS_INVALID) {
        const told = usersOf(sent.invaliduser)
        const apart = new Set(unlicensedUsers.map((userid) => userid.toLowerCase()))
        const invalidUsers = told.length > 0 ? told : recipients(body).filter((one) => !apart.has(one.toLowerCase()))
        return { messageId: null, invalidUsers, unlicensedUsers, responseCode: null }
      }
      return {
        messageId: sent.msgid ?? null,
        invalidUsers: usersOf(sent.invaliduser),
        unlicensedUsers,
        responseCode: sent.response_code ?? null,
      }
    },
    async updateCard(app, body) {
      await api.app(app, { api: 'message/update_template_card', body, effect: true })
    },
    async recall(app, messageId) {
      await api.app(app, { api: 'message/recall', body: JSON.stringify({ msgid: messageId }), effect: true })
    },
  }
}

function usersOf(text: string | null | undefined): string[] {
  return (text ?? '').split('|').filter((userid) => userid !== '')
}

/** Whom stored bytes were meant for: WeCom does not always name them when it refuses them all. */
function recipients(body: string): string[] {
  const form = z.looseObject({ touser: z.string() }).safeParse(readJson(body))
  return form.success ? usersOf(form.data.touser) : []
}

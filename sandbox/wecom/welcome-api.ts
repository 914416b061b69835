import { z } from 'zod'
import { linesOf, readContactMessage } from './contact-message.ts'
import { ifAllowed } from './contact-way-api.ts'
import { contact, say } from './contacts.ts'
import { appRoute, readJson, type Answer, type ApiRoute, type AppCall } from './gate.ts'

/** How long one app's welcome keeps the others waiting before it counts as delivered. */
const SENDING_MS = 1_000
const codeForm = z.looseObject({ welcome_code: z.string().min(1) })

/** Greeting a new contact (protocol sheet 6.3). */
export const welcomeRoutes: readonly ApiRoute[] = [
  appRoute('POST', '/externalcontact/send_welcome_msg', ifAllowed(sendWelcome)),
]

/**
 * Once, within 20 seconds: 41050 for expired, foreign and invented codes; 41051 when somebody has greeted or the chat
 * has begun; 41053 while the person has not agreed to the archiving of chats; 41096 in the moment in which another app is greeting.
 */
function sendWelcome({ state, corp, app, raw }: AppCall): Answer {
  const body = readJson(raw)
  const form = codeForm.safeParse(body)
  if (!form.success) return { errcode: 40058 }
  const message = readContactMessage(corp, body, state.now())
  if (typeof message === 'number') return { errcode: message }
  const { welcomeCodes, byPerson } = contact(state, corp)
  const code = welcomeCodes.get(form.data.welcome_code)
  if (!code || code.agentId !== app.agentId || state.now() >= code.untilMs) return { errcode: 41050 }
  const { greeting } = code
  if (greeting.chatBegun) return { errcode: 41051 }
  if (!greeting.agreed) return { errcode: 41053 }
  if (greeting.by !== null) {
    const sending = greeting.by.agentId !== app.agentId && state.now() < greeting.by.atMs + SENDING_MS
    return { errcode: sending ? 41096 : 41051 }
  }
  greeting.by = { agentId: app.agentId, atMs: state.now() }
  const customer = byPerson.get(greeting.personId)
  if (customer) for (const line of linesOf(message)) say(state, corp, customer, greeting.userid, line)
  return { errcode: 0 }
}

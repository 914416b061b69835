import { z } from 'zod'
import { readJson, type Answer, type AppCall } from './gate.ts'
import { keyOf } from './ids.ts'
import { below } from './members.ts'
import { cardContent } from './message-content.ts'
import type { CardUpdate, Message, Received } from './message-state.ts'
import type { App, Corp } from './state.ts'

const RECALL_MS = 24 * 3_600_000
const updateForm = z.looseObject({
  userids: z.array(z.string()).max(1_000).optional(),
  partyids: z.array(z.number().int()).max(100).optional(),
  tagids: z.array(z.number().int()).max(100).optional(),
  atall: z.union([z.literal(0), z.literal(1)]).optional(),
  agentid: z.unknown(),
  response_code: z.string().min(1),
  button: z.looseObject({ replace_name: z.string().min(1) }).optional(),
  template_card: z.unknown().optional(),
  replace_text: z.string().optional(),
})
type UpdateForm = z.output<typeof updateForm>

/** message/update_template_card (protocol sheet 5.3): another button text, or another card, once for each code. */
export function updateCard({ state, corp, app, raw }: AppCall): Answer {
  const parsed = updateForm.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: 40058 }
  const form = parsed.data
  if (typeof form.agentid !== 'number' || !Number.isInteger(form.agentid)) return { errcode: 40056 }
  if (form.agentid !== app.agentId) return { errcode: 301002 }
  const nowMs = state.now()
  const code = app.responseCodes.get(form.response_code)
  if (!code) return { errcode: foreign(corp, app, form.response_code) ? 42015 : 60140 }
  if (code.used || nowMs >= code.expiresAtMs) return { errcode: 60140 }
  const message = corp.messages.get(code.messageId)
  if (!message || message.recalledAtMs !== null) return { errcode: 60140 }
  const update = updateOf(corp, message, form, nowMs)
  if (typeof update === 'number') return { errcode: update }
  const targets = targetsOf(corp, app, message, form)
  if (typeof targets === 'number') return { errcode: targets }
  code.used = true
  for (const received of targets.held) received.update = update
  return { errcode: 0, ...(targets.invalid.length > 0 ? { invaliduser: targets.invalid } : {}) }
}

/** message/recall (5.4): within 24 hours, by the app that sent it. */
export function recallMessage({ state, corp, app, raw }: AppCall): Answer {
  const parsed = z.looseObject({ msgid: z.string() }).safeParse(readJson(raw))
  const message = parsed.success ? corp.messages.get(parsed.data.msgid) : undefined
  if (!message || message.agentId !== app.agentId) return { errcode: 40058 }
  if (state.now() >= message.atMs + RECALL_MS) return { errcode: 42052 }
  message.recalledAtMs ??= state.now()
  return { errcode: 0 }
}

function foreign(corp: Corp, own: App, code: string): boolean {
  return [...corp.apps.values()].some((app) => app !== own && app.responseCodes.has(code))
}

function updateOf(corp: Corp, message: Message, form: UpdateForm, nowMs: number): CardUpdate | number {
  if (form.button) return { replaceName: form.button.replace_name }
  if (form.template_card === undefined) return 40058
  const card = cardContent(corp, withTask(form.template_card, message.taskId), nowMs)
  if ('errcode' in card) return card.errcode
  if (card.taskId !== null && card.taskId !== message.taskId) return 42016
  const replaced = (form.template_card as { replace_text?: unknown }).replace_text ?? form.replace_text
  const body = typeof replaced === 'string' ? { ...card.body, replace_text: replaced } : card.body
  return { body, url: card.url }
}

/** A card that takes the place of another keeps its task_id, and need not say it again. */
function withTask(card: unknown, taskId: string | null): unknown {
  return typeof card === 'object' && card !== null && taskId !== null ? { task_id: taskId, ...card } : card
}

function targetsOf(
  corp: Corp,
  app: App,
  message: Message,
  form: UpdateForm,
): { readonly held: Received[]; readonly invalid: string[] } | number {
  const [users, parties, tags] = [form.userids ?? [], form.partyids ?? [], form.tagids ?? []]
  if (form.atall !== 1 && users.length + parties.length + tags.length === 0) return 82101
  const heldBy = (key: string) => corp.inbox.get(key)?.find((one) => one.message.id === message.id)
  const held: Received[] = []
  const invalid: string[] = []
  for (const userid of users) {
    const received = heldBy(keyOf(app, userid) ?? '')
    if (received) held.push(received)
    else invalid.push(userid)
  }
  if (form.atall === 1 || parties.length + tags.length > 0)
    for (const key of corp.inbox.keys()) {
      const received = meant(corp, key, form) ? heldBy(key) : undefined
      if (received) held.push(received)
    }
  return held.length > 0 ? { held, invalid } : 82102
}

function meant(corp: Corp, key: string, form: UpdateForm): boolean {
  if (form.atall === 1) return true
  const departments = corp.members.get(key)?.departments ?? []
  const parties = new Set(form.partyids ?? [])
  if (departments.some((id) => below(corp, parties, id))) return true
  return (form.tagids ?? []).some((id) => {
    const tag = corp.tags.get(id)
    return tag?.userIds.has(key) || (tag && departments.some((one) => below(corp, tag.departments, one))) || false
  })
}

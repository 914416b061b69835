import { z } from 'zod'
import { digest, fakeId, today, type Corp, type Member, type Message } from './state.ts'

const PER_MINUTE = 30
const PER_HOUR = 1_000
const SENDS_PER_ACCOUNT = 200
const MOST_RECIPIENTS = 1_000
const url = z
  .string()
  .max(2048)
  .regex(/^https?:\/\//)
const envelope = z.looseObject({
  touser: z.string().optional(),
  toparty: z.string().optional(),
  totag: z.string().optional(),
  msgtype: z.string().optional(),
  agentid: z.unknown().optional(),
  enable_duplicate_check: z.union([z.literal(0), z.literal(1)]).optional(),
  duplicate_check_interval: z.number().int().min(1).max(14_400).optional(),
})
const text = z.looseObject({ content: z.string() })
const textcard = z.looseObject({ title: z.string().min(1), description: z.string(), url })
const pair = z.looseObject({ title: z.string().optional(), desc: z.string().optional() })
const card = z.looseObject({
  card_type: z.string(),
  main_title: pair.optional(),
  sub_title_text: z.string().optional(),
  card_action: z
    .union([z.looseObject({ type: z.literal(1), url }), z.looseObject({ type: z.literal(2), appid: z.string() })])
    .optional(),
  card_image: z.looseObject({ url, aspect_ratio: z.number().min(1.3).max(2.25).optional() }).optional(),
  image_text_area: z.looseObject({ image_url: url }).optional(),
  horizontal_content_list: z
    .array(z.looseObject({ keyname: z.string().min(1) }))
    .max(6)
    .optional(),
  vertical_content_list: z
    .array(z.looseObject({ title: z.string().min(1) }))
    .max(4)
    .optional(),
  jump_list: z
    .array(z.looseObject({ title: z.string().min(1) }))
    .max(3)
    .optional(),
  task_id: z
    .string()
    .regex(/^[0-9A-Za-z_\-@]{1,128}$/)
    .optional(),
})

type Answer = Record<string, unknown> & { readonly errcode: number }
type Content = { readonly errcode: number } | { readonly body: Record<string, unknown>; readonly url: string | null }

/**
 * Carries out message/send for the company of the token. `raw` decides what counts as the same request. With `lose` it
 * is accepted and nobody gets it.
 */
export function sendMessage(corp: Corp, raw: Buffer, nowMs: number, lose = false): Answer {
  corp.stats.sends += 1
  const parsed = envelope.safeParse(readJson(raw))
  if (!parsed.success) return { errcode: 40035 }
  const form = parsed.data
  const agent = form.agentid
  if (typeof agent !== 'number' || !Number.isInteger(agent)) return { errcode: 40056 }
  if (agent !== corp.agentId) return { errcode: 301002 }
  const content = contentOf(form.msgtype, form)
  if ('errcode' in content) return content
  const names = (form.touser ?? '').split('|').filter((name) => name !== '')
  if (names.length === 0) return { errcode: form.toparty || form.totag ? 60011 : 82001 }
  if (names.length > MOST_RECIPIENTS) return { errcode: 40032 }
  const key = form.enable_duplicate_check === 1 ? digest(raw) : null
  const earlier = key === null ? undefined : corp.recent.get(key)
  if (earlier && nowMs < earlier.untilMs) {
    corp.stats.suppressedDuplicates += 1
    return { errcode: 0, ...earlier.answer }
  }
  const sorted = sortRecipients(corp, names)
  if (sorted.reached.length === 0 && sorted.unlicensed.length === 0) return { errcode: 81013 }
  const day = today(corp, nowMs)
  if (day.personSends + sorted.reached.length > corp.accountLimit * SENDS_PER_ACCOUNT) return { errcode: 45009 }
  day.personSends += sorted.reached.length
  const message: Message = { id: fakeId('MSG'), msgtype: form.msgtype ?? '', ...content, atMs: nowMs }
  for (const member of sorted.reached) {
    if (lose) corp.stats.dropped += 1
    else lay(corp, member, message)
  }
  corp.stats.accepted += 1
  corp.stats.invalid += sorted.invalid.length
  corp.stats.unlicensed += sorted.unlicensed.length
  const answer: Record<string, unknown> = { msgid: message.id }
  if (sorted.invalid.length > 0) answer['invaliduser'] = sorted.invalid.join('|')
  if (sorted.unlicensed.length > 0) answer['unlicenseduser'] = sorted.unlicensed.join('|')
  if (key !== null) remember(corp, key, nowMs, (form.duplicate_check_interval ?? 1_800) * 1_000, answer)
  return { errcode: 0, ...answer }
}

function sortRecipients(corp: Corp, names: readonly string[]) {
  if (names.length === 1 && names[0] === '@all') {
    const all = [...corp.members.values()].filter((member) => member.visible && member.licensed)
    return { reached: all, invalid: [], unlicensed: [] }
  }
  const reached: Member[] = []
  const invalid: string[] = []
  const unlicensed: string[] = []
  for (const name of new Set(names.map((each) => each.toLowerCase()))) {
    const member = corp.members.get(name)
    if (!member || !member.visible) invalid.push(name)
    else if (!member.licensed) unlicensed.push(name)
    else reached.push(member)
  }
  return { reached, invalid, unlicensed }
}

/** Above 30 a minute or 1,000 an hour the message vanishes, as WeCom does it; only the statistics tell. */
function lay(corp: Corp, member: Member, message: Message): void {
  const key = member.userid.toLowerCase()
  const lastHour = (corp.arrivals.get(key) ?? []).filter((at) => at > message.atMs - 3_600_000)
  corp.arrivals.set(key, lastHour)
  const lastMinute = lastHour.filter((at) => at > message.atMs - 60_000).length
  if (lastMinute >= PER_MINUTE || lastHour.length >= PER_HOUR) {
    corp.stats.dropped += 1
    return
  }
  lastHour.push(message.atMs)
  const chat = corp.inbox.get(key) ?? []
  chat.push({ message, seenAtMs: null, openedAtMs: null })
  corp.inbox.set(key, chat)
  corp.stats.delivered += 1
}

function remember(corp: Corp, key: string, nowMs: number, forMs: number, answer: Record<string, unknown>): void {
  if (corp.recent.size >= 10_000)
    for (const [old, entry] of corp.recent) if (entry.untilMs <= nowMs) corp.recent.delete(old)
  corp.recent.set(key, { untilMs: nowMs + forMs, answer })
}

function contentOf(msgtype: string | undefined, form: Record<string, unknown>): Content {
  switch (msgtype) {
    case 'text': {
      const parsed = text.safeParse(form['text'])
      if (!parsed.success || parsed.data.content === '') return { errcode: 44004 }
      const cut = Buffer.from(parsed.data.content)
        .subarray(0, 2048)
        .toString('utf8')
        .replace(/\uFFFD$/, '')
      return { body: { content: cut }, url: /<a\s[^>]*href="(https?:[^"]+)"/i.exec(cut)?.[1] ?? null }
    }
    case 'textcard': {
      const parsed = textcard.safeParse(form['textcard'])
      if (!parsed.success) return { errcode: parsed.error.issues[0]?.path[0] === 'description' ? 41033 : 40035 }
      return { body: parsed.data, url: parsed.data.url }
    }
    case 'template_card':
      return cardContent(form['template_card'])
    default:
      return { errcode: 40008 }
  }
}

function cardContent(value: unknown): Content {
  const parsed = card.safeParse(value)
  if (!parsed.success) return { errcode: parsed.error.issues[0]?.path[0] === 'task_id' ? 42014 : 40035 }
  const form = parsed.data
  const title = form.main_title?.title ?? ''
  const notice = form.card_type === 'text_notice'
  if (!notice && form.card_type !== 'news_notice') return { errcode: 40008 }
  if (!form.card_action) return { errcode: 42045 }
  if (title === '' && !(notice && form.sub_title_text)) return { errcode: 42027 }
  if (!notice && !form.card_image && !form.image_text_area) return { errcode: 42046 }
  return { body: form, url: 'url' in form.card_action ? (form.card_action.url as string) : null }
}

function readJson(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'))
  } catch {
    return undefined
  }
}

import { z } from 'zod'
import { cardUrl, isInteractive, wrongCard } from './card-content.ts'
import { mediaFor } from './media.ts'
import type { App, Corp } from './state.ts'

/** What a message says, or WeCom's code for what is wrong with it. */
export type Content =
  | { readonly errcode: number }
  | {
      readonly body: Readonly<Record<string, unknown>>
      readonly url: string | null
      readonly taskId: string | null
      /** Whether pressing something on it tells the app. */
      readonly interactive: boolean
    }

const MOST_TEXT_BYTES = 2_048
const textForm = z.looseObject({ content: z.string() })
const mediaForm = z.looseObject({ media_id: z.string() })
const textcardForm = z.looseObject({
  title: z.string().min(1),
  description: z.string().min(1),
  url: z.string().min(1),
  btntxt: z.string().max(4).optional(),
})
const articleForm = z.looseObject({
  title: z.string().min(1),
  description: z.string().optional(),
  url: z.string().optional(),
  picurl: z.string().optional(),
  appid: z.string().optional(),
  pagepath: z.string().optional(),
})
const newsForm = z.looseObject({ articles: z.array(articleForm).min(1).max(8) })
const noticeForm = z.looseObject({
  appid: z.string().min(1),
  page: z.string().max(1024).optional(),
  title: z.string().min(4).max(12),
  description: z.string().min(4).max(12).optional(),
  emphasis_first_item: z.boolean().optional(),
  content_item: z
    .array(z.looseObject({ key: z.string().min(1).max(10), value: z.string().min(1).max(30) }))
    .max(10)
    .optional(),
})

/** Reads the part under a message's msgtype as WeCom does (protocol sheet 5.1, 5.5). */
export function contentOf(corp: Corp, app: App, form: Readonly<Record<string, unknown>>, nowMs: number): Content {
  const msgtype = form['msgtype']
  const value = typeof msgtype === 'string' ? form[msgtype] : undefined
  switch (msgtype) {
    case 'text':
      return textContent(value)
    case 'markdown':
      return markdownContent(value)
    case 'textcard':
      return textcardContent(value)
    case 'news':
      return form['safe'] === 1 ? { errcode: 40074 } : newsContent(value)
    case 'image':
    case 'voice':
    case 'video':
    case 'file': {
      const parsed = mediaForm.safeParse(value)
      const media = parsed.success ? mediaFor(corp, parsed.data.media_id, nowMs) : undefined
      return media?.type === msgtype ? plain({ ...parsed.data, filename: media.name }, null) : { errcode: 40007 }
    }
    case 'miniprogram_notice':
      return noticeContent(app, value)
    case 'template_card':
      return cardContent(corp, value, nowMs)
    default:
      return { errcode: 40008 }
  }
}

/** Reads a template_card, in a message or in place of one that was sent. */
export function cardContent(corp: Corp, value: unknown, nowMs: number): Content {
  const errcode = wrongCard(value, (id) => mediaFor(corp, id, nowMs) !== undefined)
  if (errcode !== null) return { errcode }
  const body = value as Readonly<Record<string, unknown>>
  const taskId = typeof body['task_id'] === 'string' ? body['task_id'] : null
  return { body, url: cardUrl(body), taskId, interactive: isInteractive(body) }
}

function plain(body: Readonly<Record<string, unknown>>, url: string | null): Content {
  return { body, url, taskId: null, interactive: false }
}

/** Longer texts are cut, not refused. */
function textContent(value: unknown): Content {
  const parsed = textForm.safeParse(value)
  if (!parsed.success || parsed.data.content === '') return { errcode: 44004 }
  const bytes = Buffer.from(parsed.data.content).subarray(0, MOST_TEXT_BYTES)
  const content = bytes.toString('utf8').replace(/\uFFFD$/, '')
  return plain({ content }, /<a\s[^>]*href="(https?:[^"]+)"/i.exec(content)?.[1] ?? null)
}

function markdownContent(value: unknown): Content {
  const parsed = textForm.safeParse(value)
  if (!parsed.success || parsed.data.content === '') return { errcode: 44004 }
  if (Buffer.byteLength(parsed.data.content) > MOST_TEXT_BYTES) return { errcode: 45002 }
  return plain({ content: parsed.data.content }, /\]\((https?:[^)\s]+)\)/.exec(parsed.data.content)?.[1] ?? null)
}

function textcardContent(value: unknown): Content {
  const parsed = textcardForm.safeParse(value)
  if (!parsed.success) return { errcode: parsed.error.issues[0]?.path[0] === 'description' ? 41033 : 40035 }
  const { title, description, url } = parsed.data
  if (!/^https?:\/\//.test(url)) return { errcode: 45034 }
  if (Buffer.byteLength(url) > 2_048) return { errcode: 45002 }
  const cut = (text: string, most: number) => Array.from(text).slice(0, most).join('')
  return plain({ ...parsed.data, title: cut(title, 128), description: cut(description, 512) }, url)
}

function newsContent(value: unknown): Content {
  const parsed = newsForm.safeParse(value)
  if (!parsed.success) return { errcode: parsed.error.issues[0]?.path.length === 1 ? 45008 : 40035 }
  const { articles } = parsed.data
  if (articles.some(({ url, appid }) => !url && !appid)) return { errcode: 40035 }
  if (articles.some(({ url, appid }) => !appid && !/^https?:\/\//.test(url ?? ''))) return { errcode: 45034 }
  const [first] = articles
  return plain(parsed.data, first?.appid ? null : (first?.url ?? null))
}

function noticeContent(app: App, value: unknown): Content {
  const parsed = noticeForm.safeParse(value)
  if (!parsed.success) return { errcode: 40058 }
  return app.miniPrograms.has(parsed.data.appid) ? plain(parsed.data, null) : { errcode: 90207 }
}

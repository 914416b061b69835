import { z } from 'zod'
import type { Attachment, ChatLine, ContactMessage } from './customer-state.ts'
import { mediaFor } from './media.ts'
import type { Corp } from './state.ts'

const MOST_BYTES = 4_000
const MOST_ATTACHMENTS = 9
const bytes = (most: number) => z.string().refine((text) => Buffer.byteLength(text) <= most)
const address = z
  .string()
  .max(2048)
  .regex(/^https?:\/\//)
const attachmentForm = z.discriminatedUnion('msgtype', [
  z.looseObject({
    msgtype: z.literal('image'),
    image: z.looseObject({ media_id: z.string().optional(), pic_url: z.string().optional() }),
  }),
  z.looseObject({
    msgtype: z.literal('link'),
    link: z.looseObject({
      title: bytes(128).min(1),
      picurl: z.string().max(2048).optional(),
      desc: bytes(512).optional(),
      url: address,
    }),
  }),
  z.looseObject({
    msgtype: z.literal('miniprogram'),
    miniprogram: z.looseObject({
      title: bytes(64).min(1),
      pic_media_id: z.string(),
      appid: z.string().min(1),
      page: z.string().min(1),
    }),
  }),
  z.looseObject({ msgtype: z.literal('video'), video: z.looseObject({ media_id: z.string() }) }),
  z.looseObject({ msgtype: z.literal('file'), file: z.looseObject({ media_id: z.string() }) }),
])
const contentForm = z.looseObject({
  text: z.looseObject({ content: z.string().optional() }).optional(),
  attachments: z.array(z.unknown()).optional(),
})
/** Reads text and attachments (6.3), or answers the code for what is wrong with them. */
export function readContactMessage(corp: Corp, body: unknown, nowMs: number): ContactMessage | number {
  const form = contentForm.safeParse(body)
  if (!form.success) return 40058
  const text = form.data.text?.content ?? ''
  if (Buffer.byteLength(text) > MOST_BYTES) return 45002
  const given = form.data.attachments ?? []
  if (given.length > MOST_ATTACHMENTS) return 41064
  const attachments: Attachment[] = []
  for (const one of given) {
    const read = attachmentForm.safeParse(one)
    if (!read.success) return 41065
    if (!mediaThere(corp, read.data, nowMs)) return 40007
    attachments.push(read.data)
  }
  return text === '' && attachments.length === 0 ? 40058 : { text, attachments }
}

/** Whether the media that an attachment names live in this company; a picture's address must be one of uploadimg. */
function mediaThere(corp: Corp, one: Attachment, nowMs: number): boolean {
  const lives = (id: string) => mediaFor(corp, id, nowMs) !== undefined
  switch (one.msgtype) {
    case 'image':
      if (one.image.media_id !== undefined) return lives(one.image.media_id)
      return corp.images.has(one.image.pic_url?.split('/').at(-1) ?? '')
    case 'miniprogram':
      return lives(one.miniprogram.pic_media_id)
    case 'video':
      return lives(one.video.media_id)
    case 'file':
      return lives(one.file.media_id)
    case 'link':
      return true
  }
}

/** The lines that a message puts into a chat, in its order. */
export function linesOf(message: ContactMessage): Pick<ChatLine, 'from' | 'text' | 'link'>[] {
  const said = message.text === '' ? [] : [{ from: 'member' as const, text: message.text, link: null }]
  const attached = message.attachments.map((one) => ({ from: 'member' as const, ...shown(one) }))
  return [...said, ...attached]
}

function shown(one: Attachment): Pick<ChatLine, 'text' | 'link'> {
  switch (one.msgtype) {
    case 'link':
      return {
        text: null,
        link: { title: one.link.title, desc: one.link.desc ?? '', url: one.link.url, picUrl: one.link.picurl ?? '' },
      }
    case 'miniprogram':
      return { text: `［小程序］${one.miniprogram.title}`, link: null }
    case 'image':
      return { text: '［图片］', link: null }
    case 'video':
      return { text: '［视频］', link: null }
    case 'file':
      return { text: '［文件］', link: null }
  }
}

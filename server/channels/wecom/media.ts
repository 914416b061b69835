import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { SharedState } from '../../kernel/shared-state.ts'
import type { WecomPort } from '../ports.ts'
import { fieldsOf, type Api } from './call.ts'

const Media = z.object({ media_id: z.string().min(1) })
const Image = z.object({ url: z.url() })
/** WeCom keeps a medium for three days; ours count as over before that, so that a message never outlives its picture. */
const MEDIA_MS = 60 * 3_600_000
/** An address of uploadimg is good for ever; it is asked for again now and then all the same. */
const IMAGE_MS = 30 * 86_400_000

/** Media of a company, each uploaded once for all its apps and all our processes (protocols wecom 7). */
export function mediaCalls(api: Api, shared: SharedState): Pick<WecomPort, 'uploadMedia' | 'uploadImage'> {
  // An upload changes nothing that a repeat would harm: silence is merely busy.
  return {
    async uploadMedia(app, file) {
      const call = { api: 'media/upload', query: { type: file.type }, body: formOf(file), effect: false }
      const source = {
        stops: () => null,
        fetch: async () => {
          const { media_id: value } = fieldsOf(Media, call, await api.app(app, call))
          return { value, refreshAfterMs: MEDIA_MS, expiresAfterMs: MEDIA_MS }
        },
      }
      const name = `wecom:media:${app.corpId}:${file.type}:${print(file)}`
      return { mediaId: await shared.obtain(name, source, file.dead === undefined ? {} : { not: file.dead }) }
    },
    uploadImage(app, file) {
      const call = { api: 'media/uploadimg', body: formOf(file), effect: false }
      return shared.obtain(`wecom:image:${app.corpId}:${print(file)}`, {
        stops: () => null,
        fetch: async () => {
          const { url: value } = fieldsOf(Image, call, await api.app(app, call))
          return { value, refreshAfterMs: IMAGE_MS, expiresAfterMs: IMAGE_MS }
        },
      })
    },
  }
}

interface File {
  readonly name: string
  readonly mime: string
  readonly bytes: Buffer
}

/** The field is called `media`; receivers see the file's name as it stands here. */
function formOf(file: File): FormData {
  const form = new FormData()
  form.append('media', new Blob([new Uint8Array(file.bytes)], { type: file.mime }), file.name)
  return form
}

/** The same bytes under another name are another upload, for people see the name. */
function print(file: File): string {
  return createHash('sha256').update(`${file.name}\0${file.mime}\0`).update(file.bytes).digest('hex').slice(0, 40)
}

import { appRoute, queryOf, type Answer, type ApiRoute, type AppCall } from './gate.ts'
import { mediaTypes } from './media-state.ts'
import { imageKind, keepMedia, mediaFor, wrongFile } from './media.ts'
import { fakeId, today } from './state.ts'

/** Above this the connection is refused rather than the file. */
const MOST_UPLOAD = 32 * 1024 * 1024
const MOST_IMAGE = 2 * 1024 * 1024

/** Files for messages (protocol sheet 7). */
export const mediaRoutes: readonly ApiRoute[] = [
  appRoute('POST', '/media/upload', upload, { mostBytes: MOST_UPLOAD }),
  appRoute('POST', '/media/uploadimg', uploadImage, { mostBytes: MOST_UPLOAD }),
  appRoute('GET', '/media/get', ({ state, ctx, corp }) => {
    const id = queryOf(ctx, 'media_id')
    if (id === '') return { errcode: 41006 }
    const media = mediaFor(corp, id, state.now())
    return media ? { bytes: media.bytes, mime: media.mime, name: media.name } : { errcode: 40007 }
  }),
]

async function upload({ state, ctx, corp, raw }: AppCall): Promise<Answer> {
  const type = mediaTypes.find((one) => one === queryOf(ctx, 'type'))
  if (!type) return { errcode: 40004 }
  const file = await fileOf(ctx.get('content-type'), raw, 'media')
  if (!file) return { errcode: 44001 }
  const wrong = wrongFile(type, file.bytes)
  if (wrong !== null) return { errcode: wrong }
  const media = keepMedia(corp, type, file, state.now())
  return { errcode: 0, type, media_id: media.id, created_at: String(Math.floor(state.now() / 1_000)) }
}

async function uploadImage({ state, ctx, corp, raw }: AppCall): Promise<Answer> {
  const file = await fileOf(ctx.get('content-type'), raw, null)
  if (!file || file.bytes.length === 0) return { errcode: 44001 }
  if (file.bytes.length <= 5 || file.bytes.length > MOST_IMAGE) return { errcode: 40009 }
  const kind = imageKind(file.bytes)
  if (!kind) return { errcode: 40123 }
  const day = today(corp, state.now())
  if (day.images >= state.settings.imagesPerDay) return { errcode: 45009 }
  day.images += 1
  const id = fakeId('IMAGE')
  corp.images.set(id, { mime: kind === 'png' ? 'image/png' : 'image/jpeg', bytes: file.bytes })
  return { errcode: 0, url: `${ctx.protocol}://${ctx.host}/wework_image/${corp.corpId}/${id}` }
}

/** The file of a multipart form, under a name or under any. */
async function fileOf(contentType: string, raw: Buffer, name: string | null) {
  const form = await new Response(new Uint8Array(raw), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => null)
  for (const [field, value] of form ?? [])
    if (typeof value !== 'string' && (name === null || field === name))
      return { name: value.name, mime: value.type, bytes: Buffer.from(await value.arrayBuffer()) }
  return null
}

import type { Media, MediaType } from './media-state.ts'
import { fakeId, type Corp } from './state.ts'

const MEDIA_LIFE_MS = 3 * 86_400_000
const MB = 1024 * 1024

/** Largest sizes and the code for more (protocol sheet 7); the codes of the older text remain. */
const most: Readonly<Record<MediaType, { readonly bytes: number; readonly errcode: number }>> = {
  image: { bytes: 10 * MB, errcode: 40009 },
  voice: { bytes: 2 * MB, errcode: 40006 },
  video: { bytes: 10 * MB, errcode: 40011 },
  file: { bytes: 20 * MB, errcode: 40006 },
}

/** The media of an id while it lives. */
export function mediaFor(corp: Corp, id: string, nowMs: number): Media | undefined {
  const media = corp.media.get(id)
  return media && nowMs < media.untilMs ? media : undefined
}

/** Keeps a file for three days. Whoever calls has looked at it with `wrongFile`. */
export function keepMedia(
  corp: Corp,
  type: MediaType,
  file: { readonly name: string; readonly mime: string; readonly bytes: Buffer },
  nowMs: number,
): Media {
  for (const [id, media] of corp.media) if (nowMs >= media.untilMs) corp.media.delete(id)
  const media: Media = { id: fakeId('MEDIA', 24), type, ...file, untilMs: nowMs + MEDIA_LIFE_MS }
  corp.media.set(media.id, media)
  return media
}

/** What is wrong with a file of a type: its size, or that its bytes are something else than it says. */
export function wrongFile(type: MediaType, bytes: Buffer): number | null {
  if (bytes.length === 0) return 44001
  if (bytes.length <= 5) return 40006
  if (bytes.length > most[type].bytes) return most[type].errcode
  if (type === 'file') return null
  if (type === 'image') return imageKind(bytes) === null ? 40123 : null
  const fits = type === 'voice' ? startsWith(bytes, '#!AMR') : bytes.subarray(4, 8).toString('latin1') === 'ftyp'
  return fits ? null : 40005
}

/** What picture the bytes are, by their first ones. */
export function imageKind(bytes: Buffer): 'png' | 'jpg' | null {
  if (startsWith(bytes, '\x89PNG\r\n\x1a\n')) return 'png'
  return startsWith(bytes, '\xff\xd8\xff') ? 'jpg' : null
}

function startsWith(bytes: Buffer, text: string): boolean {
  return bytes.subarray(0, text.length).toString('latin1') === text
}

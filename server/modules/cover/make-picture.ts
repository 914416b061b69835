import sharp from 'sharp'
import type { Lang } from '../../../contract/error-codes.ts'
import { coverSize } from '../../../contract/store/cover.ts'
import { AppError, refuse } from '../../kernel/errors.ts'

/** Twice what a phone's camera makes. Decoded they are 150 MB, and some are at work at once. */
const MOST_PIXELS = 50_000_000
/** Half of what it becomes: made larger than that it is only blurred. */
const LEAST = { width: coverSize.width / 2, height: coverSize.height / 2 }
/** Pictures at work and waiting; each takes some tenths of a second. */
const MOST_AT_ONCE = 20
const SECONDS = 10
/** What a cover may weigh on a phone, and how it gets there. */
const MOST_BYTES = 300 * 1024
const QUALITIES = [82, 70, 55, 40] as const

type Said = Readonly<Record<Lang, string>>
const no: Readonly<Record<'kind' | 'moving' | 'small' | 'large' | 'broken', Said>> = {
  kind: { zh: '只支持 JPEG、PNG 和 WebP 图片。', en: 'Only JPEG, PNG and WebP pictures are taken.' },
  moving: { zh: '不支持动图。', en: 'Moving pictures are not taken.' },
  small: {
    zh: `图片至少 ${LEAST.width} × ${LEAST.height} 像素。`,
    en: `It must have at least ${LEAST.width} × ${LEAST.height} pixels.`,
  },
  large: { zh: '图片像素过大，最多 5000 万像素。', en: 'It has too many pixels; 50 million is the most.' },
  broken: { zh: '图片已损坏或不完整。', en: 'The picture is damaged or incomplete.' },
}

// One thread a picture: several are at work at once, and requests want the processors too. Nothing of a picture is kept.
sharp.concurrency(1)
sharp.cache(false)

/**
 * Makes a cover of what somebody uploaded: looked at by its first bytes and its header, decoded, turned upright, cut to a card's
 * shape and encoded anew, so that nothing of the file itself is left. Refuses with `picture_refused`, and `busy` while many wait.
 */
export async function makePicture(bytes: Buffer): Promise<Buffer> {
  const kind = kindOf(bytes) ?? refuse('picture_refused', { detail: no.kind })
  const { queue, process } = sharp.counters()
  if (queue + process >= MOST_AT_ONCE) refuse('busy')
  try {
    const { format, pages = 1, autoOrient } = await sharp(bytes, { limitInputPixels: false }).metadata()
    if (format !== kind) refuse('picture_refused', { detail: no.kind })
    if (pages > 1) refuse('picture_refused', { detail: no.moving })
    const { width, height } = autoOrient
    if (width * height > MOST_PIXELS) refuse('picture_refused', { detail: no.large })
    if (width < LEAST.width || height < LEAST.height) refuse('picture_refused', { detail: no.small })
    return await encode(bytes)
  } catch (cause) {
    // Its own words are the library's, and of the file.
    throw cause instanceof AppError ? cause : new AppError('picture_refused', { detail: no.broken })
  }
}

async function encode(bytes: Buffer): Promise<Buffer> {
  const cut = await sharp(bytes, { failOn: 'error', limitInputPixels: MOST_PIXELS })
    .timeout({ seconds: SECONDS })
    .autoOrient()
    .resize({ ...coverSize, fit: 'cover' })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = cut.info
  const encoded = async (quality: number) =>
    sharp(cut.data, { raw: { width, height, channels } }).jpeg({ quality, mozjpeg: true }).toBuffer()
  let made = await encoded(QUALITIES[0])
  for (const quality of QUALITIES.slice(1)) if (made.length > MOST_BYTES) made = await encoded(quality)
  return made
}

/** What the first bytes say that it is. */
function kindOf(bytes: Buffer): 'png' | 'jpeg' | 'webp' | null {
  const at = (start: number, end: number): string => bytes.toString('latin1', start, end)
  if (at(0, 8) === '\x89PNG\r\n\x1a\n') return 'png'
  if (at(0, 3) === '\xff\xd8\xff') return 'jpeg'
  return at(0, 4) === 'RIFF' && at(8, 12) === 'WEBP' ? 'webp' : null
}

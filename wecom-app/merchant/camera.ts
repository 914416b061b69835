import { backCamera, codeReader } from '../lib/bridge/device.ts'
import { readPayCode } from './hand-scanner.ts'

/**
 * Why there is no picture: nobody allowed it, there is no camera (or the page is not on https), it is in use, or what reads
 * the picture did not come over the network.
 */
export type NoCamera = 'denied' | 'missing' | 'failed' | 'network'
/** Reads the codes in a picture; a text that is no code of ours is among them too. */
export type ReadFrame = (frame: HTMLCanvasElement) => Promise<readonly string[]>

/** Ten looks a second: a code is read before the hand has come to rest, and the phone stays cool. */
const LOOK_MS = 100
/**
 * The barcode of a payment code has 341 modules, and each wants two points and more, also on a phone that is held upright,
 * where the picture is narrow. Wider ones only take longer.
 */
const FRAME_PX = 1920

/** Opens the camera on the back of the phone. Throws NoCamera as text in an Error's message. */
export async function openCamera(): Promise<MediaStream> {
  try {
    return await backCamera()
  } catch (error) {
    const name = error instanceof DOMException ? error.name : error instanceof Error ? error.message : ''
    const why: NoCamera =
      name === 'NotAllowedError' ? 'denied' : name === 'NotFoundError' || name === 'missing' ? 'missing' : 'failed'
    throw new Error(why, { cause: error })
  }
}

/** The browser's own reader where it has one for our codes; else ours, which is only then loaded (decision 0027). Throws as openCamera. */
export async function frameReader(): Promise<ReadFrame> {
  const own = await codeReader(['qr_code', 'code_128'])
  if (own !== null) return async (frame) => (await own.detect(frame)).map((one) => one.rawValue)
  const { readFrame } = await import('./read-frame.ts').catch((cause: unknown) => {
    throw new Error('network' satisfies NoCamera, { cause })
  })
  return async (frame) => readFrame(frame)
}

/**
 * Looks at a running video until a payment code is in it, and answers it. Whatever else can be read goes to `foreign`.
 * Null when it was ended before.
 */
export async function watchForCode(
  video: HTMLVideoElement,
  read: ReadFrame,
  ended: AbortSignal,
  foreign: () => void,
): Promise<string | null> {
  const frame = document.createElement('canvas')
  while (!ended.aborted) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    if (ended.aborted || video.videoWidth === 0) continue
    const scale = Math.min(1, FRAME_PX / video.videoWidth)
    frame.width = Math.round(video.videoWidth * scale)
    frame.height = Math.round(video.videoHeight * scale)
    frame.getContext('2d', { willReadFrequently: true })?.drawImage(video, 0, 0, frame.width, frame.height)
    const texts = await read(frame).catch(() => [])
    const code = texts.map(readPayCode).find((one) => one !== null)
    if (code !== undefined && !ended.aborted) return code
    if (texts.length > 0) foreign()
  }
  return null
}

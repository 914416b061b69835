import { onScopeDispose } from 'vue'
import type { Place } from './bridge.ts'

/** What a browser itself can do, in every channel alike; each says whether it did. */

/** Whether this browser has a clipboard for us: not without https. */
export const mayCopy = (): boolean => 'clipboard' in navigator
export const copy = (text: string): Promise<boolean> =>
  mayCopy()
    ? navigator.clipboard.writeText(text).then(
        () => true,
        () => false,
      )
    : Promise.resolve(false)

export const maySheet = (): boolean => 'share' in navigator
/** Opens the phone's own sheet. Throws AbortError when the person closes it again. */
export const openSheet = (card: { readonly text: string; readonly url: string }): Promise<void> => navigator.share(card)

/** A short buzz in the hand, where there is one. */
export const buzz = (pattern: number | number[]): void => void navigator.vibrate?.(pattern)

const FIND_MS = 10_000
export const mayLocate = (): boolean => 'geolocation' in navigator
/** Where the phone is, if the person tells. Throws when they do not, or nothing is found in time. */
export const whereAmI = (): Promise<Place> =>
  new Promise((resolve, reject) => {
    const refused = ({ code, PERMISSION_DENIED, message }: GeolocationPositionError): void =>
      reject(new Error(code === PERMISSION_DENIED ? 'cancel' : message))
    const found = ({ coords }: GeolocationPosition): void => {
      resolve({ latitude: coords.latitude, longitude: coords.longitude })
    }
    navigator.geolocation.getCurrentPosition(found, refused, { timeout: FIND_MS, maximumAge: 60_000 })
  })
/** Whether the person has allowed it before, so that nobody is asked who did not want to be. */
export async function mayLocateUnasked(): Promise<boolean> {
  const known = await navigator.permissions?.query({ name: 'geolocation' }).catch(() => null)
  return known?.state === 'granted'
}

/** Keeps the screen on while a component shows a code, where the browser can; it lets go whenever the page is out of sight. */
export function keepAwake(): void {
  let lock: WakeLockSentinel | null = null
  let over = false
  const hold = async (): Promise<void> => {
    if (over || document.hidden || !('wakeLock' in navigator)) return
    lock = await navigator.wakeLock.request('screen').catch(() => null)
    if (over) void lock?.release()
  }
  const seen = (): void => void hold()
  document.addEventListener('visibilitychange', seen)
  void hold()
  onScopeDispose(() => {
    over = true
    document.removeEventListener('visibilitychange', seen)
    void lock?.release()
  })
}

/** A picture from the camera on the back of the phone. Throws the browser's own errors; Error `missing` where there is none for us. */
export async function backCamera(): Promise<MediaStream> {
  if (navigator.mediaDevices?.getUserMedia === undefined) throw new Error('missing')
  const video = { facingMode: { ideal: 'environment' }, width: { ideal: 1920 }, height: { ideal: 1080 } }
  return navigator.mediaDevices.getUserMedia({ audio: false, video })
}

interface Detector {
  detect(image: CanvasImageSource): Promise<readonly { readonly rawValue: string }[]>
}
interface DetectorClass {
  new (options: { readonly formats: readonly string[] }): Detector
  getSupportedFormats(): Promise<readonly string[]>
}

/** The browser's own reader of codes; null where it has none for all of these formats. */
export async function codeReader(formats: readonly string[]): Promise<Detector | null> {
  const own = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector
  const known = own === undefined ? [] : await own.getSupportedFormats().catch(() => [])
  return own !== undefined && formats.every((format) => known.includes(format)) ? new own({ formats }) : null
}

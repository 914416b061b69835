import { OutsideError } from '../../kernel/outside.ts'
import { errorOfNetwork } from '../../kernel/outside-http.ts'
import type { WecomPort } from '../ports.ts'
import type { WecomBases } from './call.ts'

const API = 'externalcontact qr_code'
/** Where WeCom keeps the pictures of its QR codes. Nothing else is fetched, whatever an answer says. */
const HOSTS = /(^|\.)(qpic\.cn|weixin\.qq\.com|qq\.com)$/
const MOST_BYTES = 1024 * 1024

/** The picture behind the address of a contact way's QR code (protocols wecom 6.2). */
export function qrImageCalls(bases: WecomBases): Pick<WecomPort, 'contactWayImage'> {
  const send = bases.fetch ?? globalThis.fetch
  return {
    async contactWayImage(_app, qrUrl) {
      const url = new URL(qrUrl)
      const ours = url.origin === new URL(bases.apiBase).origin
      if (!ours && !HOSTS.test(url.hostname)) throw new OutsideError('refused', 'host_unknown', `${API}: unknown host`)
      if (!ours) url.protocol = 'https:'
      let response: Response
      let bytes: Buffer
      try {
        response = await send(url, { redirect: 'error', signal: AbortSignal.timeout(bases.timeoutMs ?? 5_000) })
        bytes = Buffer.from(await response.arrayBuffer())
      } catch (error) {
        throw errorOfNetwork({ provider: 'wecom', api: API, effect: false }, error)
      }
      const mime = response.headers.get('content-type')?.split(';')[0] ?? ''
      if (response.ok && /^image\/(png|jpeg|gif|webp)$/.test(mime) && bytes.length <= MOST_BYTES) return { mime, bytes }
      const outcome = response.status >= 500 ? 'busy' : 'refused'
      throw new OutsideError(outcome, `http_${response.status}`, `${API} answered no picture`)
    },
  }
}

import type { StoreEventsInput, VisitStep } from '../../contract/store/event.ts'
import { channel } from '../lib/bridge/channel.ts'
import { setting } from './store-state.ts'

const key = 'fulika.shopVisit'
/** After the page has asked for what somebody waits for. */
const LATER_MS = 300

interface Visit {
  readonly day: string
  /** A random number that stands for nobody: it ends with the session, and with the day. */
  readonly visitor: string
  readonly told: readonly VisitStep[]
}

/** Tells that somebody came, and that they looked at a card: each once a day. Nobody waits for it, and a fault is no news. */
export function tellVisit(steps: readonly VisitStep[]): void {
  setTimeout(() => void tell(steps).catch(() => undefined), LATER_MS)
}

async function tell(steps: readonly VisitStep[]): Promise<void> {
  const visit = visitOf(new Date())
  const fresh = steps.filter((step) => !visit.told.includes(step))
  if (fresh.length === 0) return
  const body: StoreEventsInput = { visitor: visit.visitor, channel: channelHere(), steps: [...fresh] }
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch('/store/events', { method: 'POST', headers, body: JSON.stringify(body), keepalive: true })
  if (answer.ok) sessionStorage.setItem(key, JSON.stringify({ ...visit, told: [...visit.told, ...fresh] }))
}

function visitOf(now: Date): Visit {
  const day = `${now.getFullYear()}-${now.getMonth() + 1}-${now.getDate()}`
  const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Visit | null
  if (kept?.day === day) return kept
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const visitor = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const made: Visit = { day, visitor, told: [] }
  sessionStorage.setItem(key, JSON.stringify(made))
  return made
}

/** In the sandbox every browser counts as WeChat's client. */
function channelHere(): StoreEventsInput['channel'] {
  const here = channel()
  if (here === 'browser') return setting.value?.clientScriptUrl == null ? 'h5' : 'wechat'
  return here
}

import { computed, shallowRef, type ShallowRef } from 'vue'
import { fen } from '../../contract/fen.ts'
import type { RedemptionView } from '../../contract/till.ts'
import { keptKey, send, type ApiProblem } from '../lib/api.ts'
import { buzz } from '../lib/bridge/device.ts'
import { nothingTyped, typedOf, type Typed } from './amount.ts'
import { ask, newAct, readPending, type PendingAct } from './pending-act.ts'
import { online, readSession, session } from './session.ts'
import { tell } from './tone.ts'

/** What the page of the till shows. `unknown`: something was sent and nobody knows what came of it. */
export type Stage =
  | { readonly at: 'scan' }
  | { readonly at: 'asking' }
  | { readonly at: 'unknown'; readonly act: PendingAct }
  | { readonly at: 'amount'; readonly purchase: RedemptionView }
  | { readonly at: 'good'; readonly what: What; readonly purchase: RedemptionView; readonly amountFen: number }
  | { readonly at: 'bad'; readonly what: What; readonly problem: ApiProblem; readonly again: RedemptionView | null }
/** What an act is for. A scan is on the way to a payment. */
export type What = 'paid' | 'undone' | 'refunded'

export const stage: ShallowRef<Stage> = shallowRef({ at: 'scan' })
/** Whether something was sent and has no answer yet: until then nothing else is sent, and no other page is shown. */
export const isHeld = computed(() => stage.value.at === 'asking' || stage.value.at === 'unknown')
/** The bill as it stands on the amount pad; the pad comes and goes with the network and with refusals. */
export const bill: ShallowRef<Typed> = shallowRef(nothingTyped)
/** What of the last bill no card has paid yet: the amount that the next scan begins with. */
export const restFen: ShallowRef<number> = shallowRef(0)
/** The purchase that left it: with that undone, there is no rest either. */
let restOf: string | null = null
/** The purchase whose amount was typed last: a refusal leads back to it. */
let typedFor: RedemptionView | null = null

/** Shows payment codes to the desk. */
export const scan = (code: string): Promise<void> => begin('/scans', { codes: [code] })

/** Takes a bill off the cards that were scanned; what they lack is paid in cash. */
export function pay(purchase: RedemptionView, billFen: number): Promise<void> {
  typedFor = purchase
  const partial = billFen > purchase.availableFen
  return begin(`/purchases/${purchase.id}/redeem`, { billFen, partial })
}
export const undo = (id: string): Promise<void> => begin(`/purchases/${id}/undo`, {})
export const refund = (id: string, amountFen: number): Promise<void> => begin(`/purchases/${id}/refund`, { amountFen })

/** Back to the camera. A purchase that was scanned and not paid is given up; nothing of it was set aside. */
export function toScan(leave: RedemptionView | null = null): void {
  stage.value = { at: 'scan' }
  if (leave !== null && leave.state === 'opened')
    void send('POST', `/merchant/purchases/${leave.id}/void`, {}, keptKey()).catch(() => undefined)
}

/** Asks about what this phone sent before it was closed; with nothing open, the camera. */
export async function takeUp(): Promise<void> {
  const pending = readPending(session.value?.clerk.id ?? '')
  if (pending !== null) await submit(pending)
}

/** Sends something new, unless something older, also of another window of this phone, has no answer yet: that comes first. */
async function begin(path: string, body: PendingAct['body']): Promise<void> {
  if (isHeld.value) return
  const by = session.value?.clerk.id ?? ''
  const older = readPending(by)
  if (older === null) await submit(newAct(by, path, body))
  else stage.value = { at: 'unknown', act: older }
}

/**
 * Asks again about an act without an answer, as its sender: of anybody else it would be another act. Where somebody else has
 * signed in on this phone meanwhile it waits for its sender.
 */
export async function askAgain(sent: PendingAct): Promise<void> {
  await readSession()
  if (session.value === null || stage.value.at !== 'unknown') return
  if (session.value.clerk.id === sent.by) return submit(sent)
  toScan()
  await takeUp()
}

/** Sends an act, or the same again after its answer was lost, and shows what came of it. */
async function submit(sent: PendingAct): Promise<void> {
  if (stage.value.at === 'asking') return
  stage.value = { at: 'asking' }
  const asked = await ask<RedemptionView>(sent)
  if (asked.kind === 'unknown') {
    if (asked.problem.status === 0) online.value = false
    if (asked.problem.status === 401) void readSession()
    stage.value = { at: 'unknown', act: sent }
    return
  }
  online.value = true
  if (asked.kind === 'refused') {
    stage.value = { at: 'bad', what: whatOf(sent), problem: asked.problem, again: againAfter(sent, asked.problem) }
    tell('bad')
  } else show(sent, asked.answer)
  void readSession()
}

const whatOf = ({ path }: PendingAct): What =>
  path.endsWith('/undo') ? 'undone' : path.endsWith('/refund') ? 'refunded' : 'paid'

/** The purchase to type another amount for, with what its cards can pay by the refusal. */
function againAfter({ path }: PendingAct, { availableFen }: ApiProblem): RedemptionView | null {
  if (typedFor === null || !path.endsWith('/redeem')) return null
  return availableFen === null ? typedFor : { ...typedFor, availableFen: fen(availableFen) }
}

function show(sent: PendingAct, purchase: RedemptionView): void {
  if (sent.path === '/scans') {
    bill.value = restFen.value > 0 ? typedOf(restFen.value) : nothingTyped
    stage.value = { at: 'amount', purchase }
    buzz(40)
    return
  }
  const what = whatOf(sent)
  if (what === 'paid') [restFen.value, restOf] = [purchase.cashFen, purchase.id]
  if (what === 'undone' && purchase.id === restOf) restFen.value = 0
  // Of several refunds the purchase knows the sum; what this one gave back stands in what was sent.
  const amountFen = what === 'refunded' ? Number(sent.body['amountFen']) : purchase.capturedFen
  stage.value = { at: 'good', what, purchase, amountFen }
  tell('good')
}

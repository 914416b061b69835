import { computed, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { JsapiPay, Ordered, storeOrderEvent, StoreOrderView } from '../../../../contract/store/order.ts'
import { get, send, toApiProblem, type ApiProblem } from '../../../lib/api.ts'
import { useEvents } from '../../../lib/events.ts'
import { whileSeen } from '../../../lib/while-seen.ts'
import { learnClock } from '../../server-clock.ts'
import { bridgeHere, signInOnTheWay } from '../../store-state.ts'
import { takeToPay } from './to-pay.ts'

/** What the cashier said last. What it says proves nothing: that an order is paid, the server says. */
export type AtCashier = 'never' | 'open' | 'done' | 'cancelled' | 'failed'

export interface LiveOrder {
  readonly order: ShallowRef<StoreOrderView | null>
  readonly problem: ShallowRef<ApiProblem | null>
  readonly cashier: Ref<AtCashier>
  readonly reload: () => Promise<void>
  /** Takes what a command answered. */
  readonly take: (order: StoreOrderView) => void
  /** Opens the cashier, with fresh arguments. */
  readonly payAgain: () => Promise<void>
}

const through = ['ready', 'closed', 'refunded']
/** An event may be lost with its line; after the cashier said yes nobody should wait long for it. */
const LOOK_MS = 3_000

/** One order, live: it comes with the page after buying, and the cashier opens by itself then. */
export function useOrder(id: string): LiveOrder {
  const given = takeToPay(id)
  const order = shallowRef<StoreOrderView | null>(given?.order ?? null)
  const problem = shallowRef<ApiProblem | null>(null)
  const cashier = ref<AtCashier>('never')

  function take(fresh: StoreOrderView): void {
    // An answer that was overtaken by an event is older than what is shown.
    if (order.value === null || fresh.nowMs >= order.value.nowMs) order.value = fresh
    problem.value = null
  }
  async function reload(): Promise<void> {
    const askedMs = Date.now()
    try {
      const fresh = await get<StoreOrderView>(`/store/orders/${id}`)
      learnClock(fresh.nowMs, askedMs)
      take(fresh)
    } catch (error) {
      const wrong = toApiProblem(error)
      if (wrong.status === 401 && (await signInOnTheWay().catch(() => false))) return
      problem.value = wrong
    }
  }

  async function open(pay: JsapiPay | null): Promise<void> {
    if (pay === null) return reload()
    const here = await bridgeHere()
    cashier.value = 'open'
    const { kind } = await here.pay(pay)
    cashier.value = kind === 'unavailable' ? 'failed' : kind
    await reload()
  }
  async function payAgain(): Promise<void> {
    if (cashier.value === 'open') return
    const ordered = await send<Ordered>('POST', `/store/orders/${id}/pay`)
    take(ordered.order)
    await open(ordered.pay)
  }

  const waits = computed(() => order.value !== null && !through.includes(order.value.state))
  const live = useEvents<StoreOrderView>(
    () => (waits.value ? `/store/orders/${id}/events` : null),
    'order' satisfies typeof storeOrderEvent,
    ({ state }) => through.includes(state),
  )
  watch(live.data, (fresh) => {
    if (fresh !== null) take(fresh)
  })
  whileSeen(LOOK_MS, () => {
    if (waits.value && (cashier.value === 'done' || live.state.value === 'stale')) void reload()
  })
  if (given === null) void reload()
  else void open(given.pay).catch(() => (cashier.value = 'failed'))
  return { order, problem, cashier, reload, take, payAgain }
}

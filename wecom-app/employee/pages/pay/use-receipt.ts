import { shallowRef, type ShallowRef } from 'vue'
import type { PackPurchase } from '../../../../contract/employee/pack.ts'
import { get } from '../../../lib/api.ts'
import { whileSeen } from '../../../lib/while-seen.ts'
import { api } from '../../audience.ts'

/** A till and a phone lie side by side: the receipt must be there before anybody asks for it. */
const EVERY_MS = 2_000
/** Value was taken or set aside: what came of it is worth showing. */
const told = ['held', 'captured', 'part_refunded', 'refunded']

/** Looks whether something was paid since the page is open, and answers it by itself. `done` puts a receipt away. */
export function useReceipt(sinceMs: () => number | null): {
  readonly receipt: ShallowRef<PackPurchase | null>
  readonly done: () => void
} {
  const receipt = shallowRef<PackPurchase | null>(null)
  const seen = new Set<string>()
  let asking = false
  async function look(): Promise<void> {
    const since = sinceMs()
    if (since === null || asking || !navigator.onLine) return
    asking = true
    try {
      const { purchase } = await get<{ purchase: PackPurchase | null }>(`${api}/purchases/latest`, {
        sinceMs: since,
      })
      if (purchase === null || !told.includes(purchase.state) || seen.has(purchase.id)) return
      // The same answer again is no news.
      if (JSON.stringify(purchase) !== JSON.stringify(receipt.value)) receipt.value = purchase
    } catch {
      // Without network there is no receipt; the next look may have one.
    } finally {
      asking = false
    }
  }
  whileSeen(EVERY_MS, () => void look())
  return {
    receipt,
    done: () => {
      if (receipt.value !== null) seen.add(receipt.value.id)
      receipt.value = null
    },
  }
}

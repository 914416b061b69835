import type { PurchaseDetail } from '../../contract/merchant/till.ts'
import { get } from '../lib/api.ts'

/** A purchase as it stands now. Until when it may be undone is told by this phone's clock, whatever that shows. */
export async function readPurchase(id: string, signal: AbortSignal): Promise<PurchaseDetail> {
  const askedMs = Date.now()
  const read = await get<PurchaseDetail>(`/merchant/purchases/${encodeURIComponent(id)}`, {}, signal)
  // The answer took its time: what it says the clock is was true at its middle at the latest.
  const aheadMs = read.nowMs - (askedMs + Date.now()) / 2
  return { ...read, undoUntilMs: read.undoUntilMs === null ? null : read.undoUntilMs - aheadMs }
}

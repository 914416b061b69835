import type { JsapiPay, Ordered } from '../../../../contract/store/order.ts'

/** What was just ordered, on its way from the sheet to the order's page: in memory only, and for once. */
let kept: Ordered | null = null

export function keepToPay(ordered: Ordered): void {
  kept = ordered
}

export function takeToPay(orderId: string): { readonly order: Ordered['order']; readonly pay: JsapiPay | null } | null {
  const taken = kept?.order.id === orderId ? kept : null
  kept = null
  return taken
}

import type { PaymentView } from '../../../../contract/hr/funding.ts'

const themes = {
  opened: 'warning',
  paid: 'success',
  refunding: 'warning',
  part_refunded: 'default',
  refunded: 'default',
  closed: 'default',
  failed: 'danger',
} as const satisfies Record<PaymentView['state'], string>

/** The colour of a payment's state: green arrived, red failed, amber still moving. */
export function themeOf(state: PaymentView['state']): (typeof themes)[PaymentView['state']] {
  return themes[state]
}

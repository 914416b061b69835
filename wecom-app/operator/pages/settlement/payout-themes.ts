import type { PayoutState } from '../../../../contract/states.ts'

export const payoutThemes: Readonly<Record<PayoutState, 'default' | 'primary' | 'warning' | 'success'>> = {
  drafted: 'primary',
  exported: 'primary',
  paid: 'success',
  failed: 'warning',
  cancelled: 'default',
}

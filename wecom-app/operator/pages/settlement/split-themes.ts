import type { SplitReceiverState, SplitState } from '../../../../contract/states.ts'

type Theme = 'default' | 'primary' | 'warning' | 'success' | 'danger'

export const splitThemes: Readonly<Record<SplitState, Theme>> = {
  held: 'default',
  planned: 'primary',
  sharing: 'primary',
  unfreezing: 'primary',
  finished: 'success',
  stuck: 'danger',
}
export const receiverThemes: Readonly<Record<SplitReceiverState, Theme>> = {
  pending: 'primary',
  success: 'success',
  closed: 'danger',
  returning: 'warning',
  returned: 'default',
}

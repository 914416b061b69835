import type { RosterState } from '../../../../contract/states.ts'

/** The colour of a list's state: red is kept for what failed. */
export function themeOf(state: RosterState): 'default' | 'primary' | 'warning' | 'success' | 'danger' {
  switch (state) {
    case 'received':
    case 'reading':
    case 'applying':
      return 'primary'
    case 'needs_mending':
      return 'warning'
    case 'ready':
    case 'used':
      return 'success'
    case 'rejected':
      return 'danger'
  }
}

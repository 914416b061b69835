import type { ListingState } from '../../../../contract/states.ts'

/** Colours of where a listing stands. */
export const stateThemes = { draft: 'default', on: 'success', off: 'warning' } as const satisfies Record<
  ListingState,
  string
>

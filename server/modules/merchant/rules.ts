import type { Moves } from '../../../contract/states.ts'

/** A suspended merchant takes no cards, from the next request on. */
export const merchantMoves = { active: ['suspended'], suspended: ['active'] } as const satisfies Moves
/** A closed shop is shown to nobody and takes no cards. */
export const shopMoves = { open: ['closed'], closed: ['open'] } as const satisfies Moves
/** Who was removed does not come back: they are added anew, with links of their own. */
export const clerkMoves = { active: ['removed'], removed: [] } as const satisfies Moves

/** A sign-in link is shown on one screen and scanned with the phone beside it: a quarter of an hour is plenty. */
export const LINK_LIFE_MS = 15 * 60_000
/** 192 bits, written as 32 characters of an address. */
export const LINK_BYTES = 24

import type { ListingSummary } from '../../../../contract/store/shelf.ts'

/** So few are worth saying. */
const FEW = 20

/** What is left of a card, when that is little; null: enough, or none at all. */
export const fewLeft = (listing: Pick<ListingSummary, 'left'> | null): number | null =>
  listing !== null && listing.left !== null && listing.left > 0 && listing.left <= FEW ? listing.left : null

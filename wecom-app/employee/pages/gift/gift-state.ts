import type { GivenGift } from '../../../../contract/employee/gift.ts'

/** How a gift stands, in the words of its giver: one that was opened is nearer than one that waits. */
export function giftState(gift: Pick<GivenGift, 'state' | 'openedAtMs'>): GivenGift['state'] | 'opened' {
  return gift.state === 'offered' && gift.openedAtMs !== null ? 'opened' : gift.state
}

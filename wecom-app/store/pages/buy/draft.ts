import type { BuyInput } from '../../../../contract/store/order.ts'

/**
 * What somebody has chosen on the sheet, so that it survives a reload and the way through the sign-in. Choices only: the greeting
 * is personal, and nothing personal lies on the phone (P6).
 */
export interface Draft {
  readonly listingId: string
  readonly faceFen: number | null
  readonly cover: BuyInput['cover']
  readonly pictureId: string | null
  readonly forFriend: boolean
}

const key = 'fulika.shopDraft'

export function readDraft(listingId: string): Draft | null {
  try {
    const draft = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Draft | null
    return draft?.listingId === listingId ? draft : null
  } catch {
    return null
  }
}
export const keepDraft = (draft: Draft): void => sessionStorage.setItem(key, JSON.stringify(draft))
export const dropDraft = (): void => sessionStorage.removeItem(key)

import { computed, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { fen } from '../../../../contract/fen.ts'
import { priceOf } from '../../../../contract/price.ts'
import type { CoverView } from '../../../../contract/store/cover.ts'
import type { BuyInput } from '../../../../contract/store/order.ts'
import type { ListingDetail, ListingSummary } from '../../../../contract/store/shelf.ts'
import { get } from '../../../lib/api.ts'
import { keepDraft, readDraft } from './draft.ts'
import { faultOfFace } from './face.ts'

export interface Choice {
  readonly faceFen: Ref<number | null>
  readonly cover: Ref<BuyInput['cover']>
  readonly picture: ShallowRef<CoverView | null>
  readonly greeting: Ref<string>
  readonly forFriend: Ref<boolean>
  /** What it comes to now; null while there is no amount that can be had. */
  readonly priceFen: ComputedRef<number | null>
}

/** What the buyer chooses of a listing. Choices outlive a reload; words do not. */
export function useChoice(id: string, listing: () => ListingDetail | ListingSummary | null): Choice {
  const draft = readDraft(id)
  const faceFen = ref(draft?.faceFen ?? null)
  const cover = ref<BuyInput['cover']>(draft?.cover ?? listing()?.cover ?? 'plain')
  const picture = shallowRef<CoverView | null>(null)
  const greeting = ref('')
  const forFriend = ref(draft?.forFriend ?? false)
  if (draft?.pictureId != null)
    void get<CoverView>(`/store/covers/${draft.pictureId}`).then(
      (known) => (picture.value = known.url === null ? null : known),
      () => undefined,
    )
  let known = draft !== null || listing() !== null
  watch(
    listing,
    (now) => {
      if (now === null) return
      if (!known) cover.value = now.cover
      known = true
      if (faceFen.value === null) faceFen.value = now.faces.length === 0 ? now.minFaceFen : (now.faces[0] ?? null)
      if (!now.giftable) forFriend.value = false
    },
    { immediate: true },
  )
  watch([faceFen, cover, picture, forFriend], () =>
    keepDraft({
      listingId: id,
      faceFen: faceFen.value,
      cover: cover.value,
      pictureId: picture.value?.id ?? null,
      forFriend: forFriend.value,
    }),
  )
  const priceFen = computed(() => {
    const now = listing()
    if (now === null || faceFen.value === null || faultOfFace(now, faceFen.value) !== null) return null
    return priceOf(fen(faceFen.value), now.priceBp)
  })
  return { faceFen, cover, picture, greeting, forFriend, priceFen }
}

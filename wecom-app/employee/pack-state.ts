import { ref, shallowReactive, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { CardChoices } from '../../contract/employee/card-acts.ts'
import type { CardDetail, Pack, PackCard } from '../../contract/employee/pack.ts'
import { get, keptKey, send, toApiProblem, type ApiProblem } from '../lib/api.ts'
import { signInAgain } from './session.ts'
import { api } from './audience.ts'

// The last state that was seen. In memory only: nothing about a person is ever written on the phone.
export const cards: ShallowRef<readonly PackCard[] | null> = shallowRef(null)
export const readAtMs: Ref<number | null> = ref(null)
/** True while what is shown could not be read anew. */
export const offline: Ref<boolean> = ref(!navigator.onLine)
export const packProblem: ShallowRef<ApiProblem | null> = shallowRef(null)
const details = shallowReactive(new Map<string, CardDetail>())
window.addEventListener('offline', () => (offline.value = true))

/** A card as far as it is known: all of it, or what the pack tells. */
export const detailOf = (id: string): CardDetail | null => details.get(id) ?? null
export const cardOf = (id: string): PackCard | null =>
  details.get(id) ?? cards.value?.find((card) => card.id === id) ?? null

/** Reads the pack; when that fails, what was there stays. */
export async function refreshPack(): Promise<void> {
  packProblem.value = await noting(async () => {
    cards.value = (await get<Pack>(`${api}/pack`)).cards
    readAtMs.value = Date.now()
  })
}

/** Reads one card; answers why that failed, or null. */
export function refreshCard(id: string): Promise<ApiProblem | null> {
  return noting(async () => {
    const card = await get<CardDetail>(`${api}/cards/${id}`)
    details.set(id, card)
    cards.value = cards.value?.map((one) => (one.id === card.id ? card : one)) ?? null
  })
}

/** Reads what may be done with a card; answers why that failed, or null. What was known stays then. */
export function readChoices(id: string, known: Ref<CardChoices | null>): Promise<ApiProblem | null> {
  return noting(async () => {
    known.value = await get<CardChoices>(`${api}/cards/${id}/choices`)
  })
}

async function noting(read: () => Promise<void>): Promise<ApiProblem | null> {
  try {
    await read()
    offline.value = false
    return null
  } catch (error) {
    const problem = toApiProblem(error)
    if (problem.status === 401) signInAgain()
    offline.value = problem.status === 0
    return problem
  }
}

/** Tells the giver that the message was followed to the card. Lost, it is told with the taking. */
export async function tellOpened(card: PackCard): Promise<void> {
  if (card.campaignId === null) return
  await send('POST', `${api}/campaigns/${card.campaignId}/opened`, {}, keptKey()).catch(() => undefined)
}

/** Tells the giver that the card was taken. When that is lost, the cover is shown once more another time. */
export async function tellClaimed(card: PackCard): Promise<void> {
  if (card.campaignId === null) return
  const key = keptKey()
  const told = await send('POST', `${api}/campaigns/${card.campaignId}/claimed`, {}, key).then(
    () => true,
    () => false,
  )
  if (!told) return
  const detail = details.get(card.id)
  if (detail !== undefined) details.set(card.id, { ...detail, opened: true })
  cards.value = cards.value?.map((one) => (one.id === card.id ? { ...one, opened: true } : one)) ?? null
}

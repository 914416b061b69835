import { fen, formatYuan, type Fen } from '../../../contract/fen.ts'
import { priceOf } from '../../../contract/price.ts'
import { fixedFaces, type Faces } from '../catalog/rules.ts'

/** The time-boxed price of a listing, as it stands in its row. */
export interface Promo {
  readonly promoPriceBp?: number | null | undefined
  readonly promoFromMs?: number | null | undefined
  readonly promoUntilMs?: number | null | undefined
  readonly promoPerBuyerCap?: number | null | undefined
  readonly promoStock?: number | null | undefined
  readonly promoTaken: number
}

/** A price in basis points that stands for so long; null: it has no end. */
export interface PriceNow {
  readonly priceBp: number
  readonly isPromo: boolean
  readonly untilMs: number | null
}

/**
 * What a card costs at an instant: the time-boxed price from its first millisecond to its last, as long as there are cards at
 * it. `ownTaken`: how many of them the buyer has already.
 */
export function priceAt(regularBp: number, promo: Promo, nowMs: number, ownTaken: number): PriceNow {
  const { promoPriceBp: priceBp, promoFromMs: fromMs, promoUntilMs: untilMs } = promo
  const regular = { priceBp: regularBp, isPromo: false, untilMs: null }
  if (priceBp == null || fromMs == null || untilMs == null || nowMs < fromMs || nowMs >= untilMs) return regular
  if (promoLeft(promo) === 0) return regular
  if (promo.promoPerBuyerCap != null && ownTaken >= promo.promoPerBuyerCap) return regular
  return { priceBp, isPromo: true, untilMs }
}

/** How many are left at the time-boxed price; null: as many as there are cards. */
export const promoLeft = (promo: Pick<Promo, 'promoStock' | 'promoTaken'>): number | null =>
  promo.promoStock == null ? null : Math.max(0, promo.promoStock - promo.promoTaken)

/** How many can be bought; null: no limit. */
export const leftOf = (listing: {
  readonly stock?: number | null | undefined
  readonly taken: number
}): number | null => (listing.stock == null ? null : Math.max(0, listing.stock - listing.taken))

/** What the smallest card costs. */
export const priceFrom = (
  card: { readonly faces: readonly number[]; readonly minFaceFen: Fen },
  priceBp: number,
): Fen => priceOf(card.faces.length === 0 ? card.minFaceFen : fen(Math.min(...card.faces)), priceBp)

/** Which faces there are, in plain words. */
export function sayFaces(version: Faces): Readonly<Record<'zh' | 'en', string>> {
  const fixed = fixedFaces(version).map(formatYuan)
  if (fixed.length > 0) return { zh: `可选面额：${fixed.join('、')}。`, en: `Faces: ${fixed.join(', ')}.` }
  const [min, max, step] = [version.minFaceFen, version.maxFaceFen, version.stepFen].map(formatYuan)
  return { zh: `面额 ${min} 至 ${max}，每档 ${step}。`, en: `From ${min} to ${max} in steps of ${step}.` }
}

/** What it costs now, in plain words. */
export const sayPrice = (price: Fen): Readonly<Record<'zh' | 'en', string>> => ({
  zh: `现在的价格是 ${formatYuan(price)}。`,
  en: `The price now is ${formatYuan(price)}.`,
})

/** How many one buyer may have, in plain words. */
export const sayCap = (cap: number): Readonly<Record<'zh' | 'en', string>> => ({
  zh: `每人限购 ${cap} 张。`,
  en: `Each buyer may have ${cap}.`,
})

import type { ListingFacts, SoldVersion } from '../../../../contract/operator/shelf.ts'
import type { StoreChannel } from '../../../../contract/store/order.ts'
import type { ListingCategory } from '../../../../contract/store/shelf.ts'
import { instantAt } from '../../../../contract/wall-clock.ts'
import { exactly, timeZone } from '../../../lib/dates.ts'
import { percentOf, readPercent } from '../../settlement-words.ts'

/** How a template stands on the shelf, as a person writes it into fields. An empty count is no limit. */
export interface ListingFields {
  category: ListingCategory
  title: string
  subtitle: string
  channels: StoreChannel[]
  giftable: boolean
  series: boolean
  stock: string
  perBuyerCap: string
  segment: string
  hasPromo: boolean
  promoPercent: string
  promoFrom: string
  promoUntil: string
  promoPerBuyerCap: string
  promoStock: string
}

const countText = (count: number | null): string => (count === null ? '' : String(count))

/** The fields of a listing as it stands; a new time-boxed price begins at the next full hour and lasts a day. */
export function fieldsOf(facts: ListingFacts, nowMs: number): ListingFields {
  const { promo } = facts
  const nextHour = Math.ceil(nowMs / 3_600_000) * 3_600_000
  return {
    ...facts,
    channels: [...facts.channels],
    stock: countText(facts.stock),
    perBuyerCap: countText(facts.perBuyerCap),
    segment: facts.segment ?? '',
    hasPromo: promo !== null,
    promoPercent: promo === null ? '' : percentOf(promo.priceBp),
    promoFrom: exactly(promo?.fromMs ?? nextHour),
    promoUntil: exactly(promo?.untilMs ?? nextHour + 86_400_000),
    promoPerBuyerCap: countText(promo?.perBuyerCap ?? null),
    promoStock: countText(promo?.stock ?? null),
  }
}

export interface ReadListing {
  /** Null while something is missing or wrong. */
  readonly facts: ListingFacts | null
  /** Names of fields, and `promoOrder`: it ends before it begins. */
  readonly faults: readonly string[]
}

/** Reads the fields; `stands`: what they were made of, so that an instant that nobody touched stays to the millisecond. */
export function readListingForm(
  fields: ListingFields,
  sold: Pick<SoldVersion, 'priceBp'>,
  stands: ListingFacts['promo'],
): ReadListing {
  const faults: string[] = []
  const counted = (name: 'stock' | 'perBuyerCap' | 'promoPerBuyerCap' | 'promoStock'): number | null => {
    const text = fields[name].trim()
    if (text === '') return null
    if (/^[1-9]\d{0,7}$/.test(text)) return Number(text)
    faults.push(name)
    return null
  }
  const [stock, perBuyerCap] = [counted('stock'), counted('perBuyerCap')]
  const title = fields.title.trim()
  const segment = fields.segment.trim()
  if (title === '') faults.push('title')
  if (fields.channels.length === 0) faults.push('channels')
  if (segment !== '' && !/^[a-z0-9-]{2,32}$/.test(segment)) faults.push('segment')
  if (fields.series && stock === null) faults.push('stock')
  const promo = fields.hasPromo ? readPromo(fields, sold, stands, faults, counted) : null
  if (faults.length > 0) return { facts: null, faults }
  const { category, channels, giftable, series } = fields
  const plain = { category, title, subtitle: fields.subtitle.trim(), channels, giftable, series, stock, perBuyerCap }
  return { facts: { ...plain, segment: segment === '' ? null : segment, promo }, faults }
}

function readPromo(
  fields: ListingFields,
  sold: Pick<SoldVersion, 'priceBp'>,
  stands: ListingFacts['promo'],
  faults: string[],
  counted: (name: 'promoPerBuyerCap' | 'promoStock') => number | null,
): ListingFacts['promo'] {
  const priceBp = readPercent(fields.promoPercent)
  const fromMs = readInstant(fields.promoFrom, stands?.fromMs)
  const untilMs = readInstant(fields.promoUntil, stands?.untilMs)
  const [perBuyerCap, stock] = [counted('promoPerBuyerCap'), counted('promoStock')]
  if (priceBp === null || priceBp === 0 || priceBp >= sold.priceBp) faults.push('promoPercent')
  if (fromMs === null) faults.push('promoFrom')
  if (untilMs === null) faults.push('promoUntil')
  if (fromMs !== null && untilMs !== null && fromMs >= untilMs) faults.push('promoOrder')
  return priceBp === null || fromMs === null || untilMs === null
    ? null
    : { priceBp, fromMs, untilMs, perBuyerCap, stock }
}

/** 2026-09-28 14:30:05 in the zone that times are shown in; null when it is none. */
export function readInstant(text: string, stands?: number): number | null {
  if (stands !== undefined && exactly(stands) === text) return stands
  const parts = /^(\d{4}-\d{2}-\d{2}) (\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text)
  if (parts === null) return null
  const [, day = '', hours, minutes, seconds = '0'] = parts
  const at = instantAt(day, Number(hours) * 60 + Number(minutes), timeZone.value) + Number(seconds) * 1000
  return Number.isFinite(at) ? at : null
}

/** One stretch of time with one price. */
export interface PriceSpan {
  readonly kind: 'before' | 'promo' | 'after' | 'always'
  readonly priceBp: number
  readonly isNow: boolean
}

/** Which price stands when. */
export function spansOf(promo: ListingFacts['promo'], regularBp: number, nowMs: number): PriceSpan[] {
  if (promo === null) return [{ kind: 'always', priceBp: regularBp, isNow: true }]
  const isBefore = nowMs < promo.fromMs
  const isAfter = nowMs >= promo.untilMs
  return [
    { kind: 'before', priceBp: regularBp, isNow: isBefore },
    { kind: 'promo', priceBp: promo.priceBp, isNow: !isBefore && !isAfter },
    { kind: 'after', priceBp: regularBp, isNow: isAfter },
  ]
}

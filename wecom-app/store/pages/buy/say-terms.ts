import type { ListingDetail } from '../../../../contract/store/shelf.ts'
import type { OwnTexts } from '../../../lib/own-texts.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const YEAR_DAYS = 365

type Say = OwnTexts['t']

/** 3 小时, 90 分钟: a length of time as terms say it. */
export function sayLength(ms: number, t: Say): string {
  const [unit, count] =
    ms % DAY_MS === 0
      ? (['days', ms / DAY_MS] as const)
      : ms % HOUR_MS === 0
        ? (['hours', ms / HOUR_MS] as const)
        : (['minutes', Math.round(ms / 60_000)] as const)
  return t(`buy.length.${unit}`, { count }, count)
}

export function sayValidity(days: number | null, t: Say): string {
  if (days === null) return t('buy.validEndless')
  const years = days / YEAR_DAYS
  if (Number.isInteger(years)) return t('buy.validYears', { count: years }, years)
  return t('buy.validDays', { count: days }, days)
}

/** The three things that are said before anybody pays: how long it is valid, how it can be given back, where it counts. */
export function sayTerms(
  listing: Pick<ListingDetail, 'validDays' | 'coolingOffMs' | 'rightMs' | 'scope'>,
  t: Say,
): readonly { readonly name: string; readonly text: string }[] {
  const backs = [
    listing.coolingOffMs > 0 ? t('buy.coolingOff', { time: sayLength(listing.coolingOffMs, t) }) : null,
    listing.rightMs > 0 ? t('buy.right', { time: sayLength(listing.rightMs, t) }) : null,
  ].filter((one) => one !== null)
  return [
    { name: 'validity', text: sayValidity(listing.validDays, t) },
    { name: 'refund', text: backs.length === 0 ? t('buy.noRefund') : backs.join(t('buy.and')) },
    { name: 'scope', text: listing.scope },
  ]
}

import type { occasions } from '../../../contract/hr/campaign.ts'

/** WeCom advises these lengths for the parts of a card; what is longer is cut on the phone. */
const longest = { source: 13, title: 26, desc: 30 } as const

type Occasion = (typeof occasions)[number]
const gifts: Readonly<Record<Occasion, string>> = {
  mid_autumn: '中秋福利',
  spring_festival: '春节福利',
  dragon_boat: '端午福利',
  birthday: '生日祝福',
  anniversary: '司庆福利',
  thanks: '感谢心意',
  other: '福利',
}

export interface MessageWords {
  /** Who it comes from. */
  readonly source: string
  readonly title: string
  readonly desc: string
}

/** The words of a campaign's message in WeCom: one for all people, so it names nobody. Source: protocols wecom 5.2. */
export function messageWords(campaign: {
  readonly companyName: string
  readonly title: string
  readonly occasion: string
}): MessageWords {
  const source = clip(campaign.companyName, longest.source)
  const gift = campaign.occasion in gifts ? gifts[campaign.occasion as Occasion] : gifts.other
  return { source, title: clip(campaign.title, longest.title), desc: clip(`${source}送您一份${gift}`, longest.desc) }
}

/** Cuts a text to so many characters, the mark of the cut included; never inside of what people see as one character. */
export function clip(text: string, most: number): string {
  if (Array.from(text).length <= most) return text
  let kept = ''
  let length = 0
  for (const { segment } of new Intl.Segmenter('zh', { granularity: 'grapheme' }).segment(text)) {
    length += Array.from(segment).length
    if (length > most - 1) break
    kept += segment
  }
  return `${kept}…`
}

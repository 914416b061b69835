import { faultOfTerms, type ShareTerms } from '../../../../contract/commission.ts'
import { TermsEntry } from '../../../../contract/operator/terms.ts'
import { readPercent, readSpan } from '../../settlement-words.ts'

/** Terms as they stand in the fields of a form. */
export interface TermsFields {
  collector: 'brand' | 'platform'
  platform: string
  cap: string
  hold: string
  holdUnit: 'hours' | 'minutes'
  walletCredit: boolean
  channels: { code: string; name: string; mchid: string; percent: string }[]
}

export interface ReadTerms {
  /** What the server is told; null while something cannot be kept. */
  readonly entry: TermsEntry | null
  /** Who gets what, as soon as the percentages can be read: for the preview. */
  readonly shares: ShareTerms | null
  /** The fields that are wrong: `platform`, `cap`, `hold`, `name 0` …; `over` the cap, `sum` over 100 %, a code `twice`. */
  readonly faults: readonly string[]
}

/** Reads the fields of a form, by the rules that the server keeps. */
export function readTermsForm(fields: TermsFields): ReadTerms {
  const faults: string[] = []
  const readBp = (text: string, fault: string, least: number): number => {
    const bp = readPercent(text)
    if (bp === null || bp < least) faults.push(fault)
    return bp ?? 0
  }
  const platformBp = readBp(fields.platform, 'platform', 0)
  const maxRatioBp = readBp(fields.cap, 'cap', 0)
  const channels = fields.channels.map((one, index) => ({
    code: one.code.trim(),
    name: one.name.trim(),
    mchid: one.mchid.trim(),
    bp: readBp(one.percent, `percent ${index}`, 1),
  }))
  const shares: ShareTerms = { collector: fields.collector, platformBp, channels, maxRatioBp }
  const readable = faults.length === 0
  const sum = platformBp + channels.reduce((all, one) => all + one.bp, 0)
  if (readable && sum > 10_000) faults.push('sum')
  if (new Set(channels.map((one) => one.code)).size !== channels.length) faults.push('twice')
  if (readable && faultOfTerms(shares)?.code === 'ratio_over_cap') faults.push('over')
  const holdMs = readSpan(fields.hold, fields.holdUnit) ?? -1
  const parsed = TermsEntry.safeParse({ ...shares, channels, holdMs, walletCredit: fields.walletCredit })
  for (const { path } of parsed.error?.issues ?? []) {
    if (path[0] === 'holdMs') faults.push('hold')
    if (path[0] === 'channels' && path[2] !== 'bp') faults.push(`${String(path[2])} ${String(path[1])}`)
  }
  return {
    entry: parsed.success && faults.length === 0 ? parsed.data : null,
    shares: readable && sum <= 10_000 ? shares : null,
    faults,
  }
}

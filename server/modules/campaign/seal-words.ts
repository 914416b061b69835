import type { Id } from '../../../contract/ids.ts'
import type { Scope } from '../../kernel/context.ts'
import type { CampaignDbRow, CampaignRow, RecurringDbRow, RecurringRow } from './tables.ts'

const place = (column: 'greeting_sealed' | 'word_sealed', rowId: Id<'campaign'>) => ({
  table: 'campaign',
  column,
  rowId,
})

/** Seals the giver's words for a campaign's own row. */
export function sealGreeting(scope: Scope, id: Id<'campaign'>, text: string): Buffer {
  return scope.house.seal.seal(place('greeting_sealed', id), text)
}

/** Opens what `sealGreeting` sealed; throws SealBroken. */
export function openGreeting(scope: Scope, id: Id<'campaign'>, sealed: Uint8Array): string {
  return scope.house.seal.open(place('greeting_sealed', id), sealed)
}

/** Seals the approver's word. */
export function sealWord(scope: Scope, id: Id<'campaign'>, text: string): Buffer {
  return scope.house.seal.seal(place('word_sealed', id), text)
}

/** A row with its words opened; throws SealBroken. */
export function openCampaign(scope: Scope, row: CampaignDbRow): CampaignRow {
  const { greetingSealed, wordSealed, ...rest } = row
  const word = wordSealed ? scope.house.seal.open(place('word_sealed', row.id), wordSealed) : null
  return { ...rest, greeting: openGreeting(scope, row.id, greetingSealed), word }
}

const runPlace = (rowId: Id<'recurring'>) => ({ table: 'recurring', column: 'greeting_sealed', rowId })

/** Seals the giver's words for a run's own row. */
export function sealRunGreeting(scope: Scope, id: Id<'recurring'>, text: string): Buffer {
  return scope.house.seal.seal(runPlace(id), text)
}

/** A run with its words opened; throws SealBroken. */
export function openRecurring(scope: Scope, { greetingSealed, ...rest }: RecurringDbRow): RecurringRow {
  return { ...rest, greeting: scope.house.seal.open(runPlace(rest.id), greetingSealed) }
}

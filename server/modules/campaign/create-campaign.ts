import type { CampaignContent } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { readVersions } from '../catalog/read-template.ts'
import { nameOwnRoster } from '../staff/name-rosters.ts'
import { contentOf } from './plan-campaign.ts'
import { findOwnCampaign } from './read-campaign.ts'
import { sealGreeting } from './seal-words.ts'
import { Campaign } from './tables.ts'

/**
 * Makes a draft of the actor's company. A draft may be unfinished; what it must say to be submitted is in `blocksOf`.
 * Refuses with `not_found` for another company's list or an unknown card.
 */
export async function createCampaign(tx: Tx, content: CampaignContent): Promise<Id<'campaign'>> {
  await checkReferences(tx, content)
  const [id, now] = [tx.newId('campaign'), tx.clock.now()]
  const { greeting, ...plain } = content
  await tx.em.insert(Campaign, {
    id,
    companyId: companyOf(tx.actor),
    state: 'draft',
    version: 1,
    ...plain,
    greetingSealed: sealGreeting(tx, id, greeting),
    selection: JSON.stringify(content.selection),
    createdBy: memberOf(tx.actor),
    createdAtMs: now,
    changedAtMs: now,
  })
  await trail(tx, { objectId: id, act: 'campaign.created', toState: 'draft' })
  return id
}

/** A new draft with the same words, card and list; a time of sending that has passed is left out. */
export async function copyCampaign(tx: Tx, id: Id<'campaign'>): Promise<Id<'campaign'>> {
  const content = contentOf(await findOwnCampaign(tx, id))
  const past = content.sendAtMs !== null && content.sendAtMs < tx.clock.now()
  const sendAtMs = past ? null : content.sendAtMs
  // Whose day it was is not whose day it is: the new one begins without people.
  const selection = content.selection.kind === 'run' ? { kind: 'all' as const } : content.selection
  return createCampaign(tx, { ...content, sendAtMs, selection })
}

/** Refuses with `not_found` what the content points at and the company may not use. */
export async function checkReferences(tx: Tx, content: CampaignContent): Promise<void> {
  if (content.selection.kind === 'run') refuse('malformed_request', { field: 'selection' })
  const [version] = await readVersions(tx, [content.templateVersionId])
  if (version === undefined) refuse('not_found', { field: 'templateVersionId' })
  if (content.rosterId !== null) await nameOwnRoster(tx, content.rosterId)
}

import { isId, type Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readCampaign } from '../campaign/read-campaign.ts'

/** What an approval is about: the campaign in the version that was submitted. */
export const subjectOf = (campaign: { readonly id: Id<'campaign'>; readonly version: number }): string =>
  `approval:${campaign.id}:${campaign.version}`

/** The campaign of a subject, and its version; null for a text of another kind. */
export function readSubject(subject: string): { readonly campaignId: Id<'campaign'>; readonly version: number } | null {
  const [kind, campaignId, version] = subject.split(':')
  if (kind !== 'approval' || !isId('campaign', campaignId)) return null
  return { campaignId, version: Number(version) }
}

/** Whether the campaign still waits for an answer in the very version that was asked about. */
export async function isAsked(tx: Tx, subject: string): Promise<boolean> {
  return (await readAsked(tx, subject)) !== null
}

/**
 * What somebody who answers a card agrees to: the campaign, and the content that was submitted with the version that the
 * card asked about. Read in one, so that no newer content slips under an older card. Null when it is no question any more.
 */
export async function readAsked(
  tx: Tx,
  subject: string,
): Promise<{ readonly id: Id<'campaign'>; readonly contentHash: string } | null> {
  const about = readSubject(subject)
  const campaign = about && (await readCampaign(tx, about.campaignId))
  if (campaign?.state !== 'in_review' || campaign.version !== about?.version || !campaign.contentHash) return null
  return { id: campaign.id, contentHash: campaign.contentHash }
}

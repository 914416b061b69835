import { sumFen, type Fen } from '../../../contract/fen.ts'
import { CampaignContent } from '../../../contract/hr/campaign.ts'
import type { Tx } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { readVersions, type TemplateVersionRow } from '../catalog/read-template.ts'
import { readRecipients, type Recipient } from '../staff/read-recipients.ts'
import { blocksOf, chooseHeads, hashContent, type Block, type Head, type LeftOutCode } from './rules.ts'
import type { CampaignRow } from './tables.ts'

/** What approving a campaign would do, as things stand now. */
export interface Plan {
  readonly content: CampaignContent
  readonly version: TemplateVersionRow
  readonly heads: readonly Head[]
  readonly leftOut: ReadonlyMap<LeftOutCode, number>
  readonly faceTotalFen: Fen
  readonly priceTotalFen: Fen
  readonly blocks: readonly Block[]
  readonly contentHash: string
}

/** What a campaign says, as the contract has it. */
export function contentOf(campaign: CampaignRow): CampaignContent {
  return CampaignContent.parse({
    title: campaign.title,
    occasion: campaign.occasion,
    cover: campaign.cover,
    templateVersionId: campaign.templateVersionId,
    rosterId: campaign.rosterId ?? null,
    selection: JSON.parse(campaign.selection) as unknown,
    amountFrom: campaign.amountFrom,
    faceFen: campaign.faceFen ?? null,
    greeting: campaign.greeting,
    sendAtMs: campaign.sendAtMs ?? null,
  })
}

/**
 * Computes heads, sums, blocks and the content hash of a campaign from what the database says in this scope. Submitting
 * and approving compute it again in their transaction, so that the hash stands for what is really done.
 */
export async function planCampaign(tx: Tx, campaign: CampaignRow): Promise<Plan> {
  const content = contentOf(campaign)
  const [version] = await readVersions(tx, [content.templateVersionId])
  if (version === undefined) throw new Error(`campaign ${campaign.id} has no template version`)
  const recipients = await readList(tx, campaign.companyId, content)
  const { heads, leftOut } = chooseHeads(content, version, recipients ?? [])
  const rosterUsed = recipients !== null
  return {
    content,
    version,
    heads,
    leftOut,
    faceTotalFen: sumFen(heads.map((head) => head.faceFen)),
    priceTotalFen: sumFen(heads.map((head) => head.priceFen)),
    blocks: blocksOf({ content, terms: version, heads: heads.length, rosterUsed, nowMs: tx.clock.now() }),
    contentHash: hashContent(campaign.id, content, heads),
  }
}

/** The chosen rows; none without a list; null while the list is not applied. */
async function readList(
  tx: Tx,
  companyId: CampaignRow['companyId'],
  { rosterId, selection }: CampaignContent,
): Promise<Recipient[] | null> {
  if (rosterId === null) return []
  try {
    return await readRecipients(tx, { companyId, rosterId, selection })
  } catch (error) {
    if (error instanceof AppError && error.code === 'roster_not_ready') return null
    throw error
  }
}

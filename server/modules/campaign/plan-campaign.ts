import { sumFen, type Fen } from '../../../contract/fen.ts'
import { yearsField } from '../../../contract/greeting.ts'
import { CampaignContent } from '../../../contract/hr/campaign.ts'
import type { Tx } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { readVersions, type TemplateVersionRow } from '../catalog/read-template.ts'
import { filingRefusal } from '../compliance/check-filing.ts'
import { readRecipients, type Recipient } from '../staff/read-recipients.ts'
import { planRunDay } from './plan-run-day.ts'
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
  const ofRun = content.selection.kind === 'run'
  const recipients = ofRun ? [] : await readList(tx, campaign.companyId, content)
  const { heads, leftOut } = ofRun
    ? await planRunDay(tx, campaign, version)
    : chooseHeads(content, version, recipients ?? [])
  const rosterUsed = recipients !== null
  const faceTotalFen = sumFen(heads.map((head) => head.faceFen))
  return {
    content,
    version,
    heads,
    leftOut,
    faceTotalFen,
    priceTotalFen: sumFen(heads.map((head) => head.priceFen)),
    // A day's campaign that waited for a person is sent when it is approved, however late.
    blocks: [
      ...blocksOf({
        content,
        terms: version,
        heads: heads.length,
        rosterUsed,
        nowMs: ofRun ? 0 : tx.clock.now(),
        ...(ofRun ? { mergeFields: [yearsField] } : {}),
      }),
      ...(await blockOfFiling(tx, version, faceTotalFen)),
    ],
    contentHash: hashContent(campaign.id, content, heads),
  }
}

/** What the filing of the card's brand says against it. */
async function blockOfFiling(tx: Tx, { brandId, named }: TemplateVersionRow, faceTotalFen: Fen): Promise<Block[]> {
  const code = await filingRefusal(tx, [{ brandId, named, faceFen: () => faceTotalFen }])
  return code === null ? [] : [{ code, field: 'templateVersionId', ruleId: null }]
}

/** The chosen people; null while their list is not applied. */
async function readList(
  tx: Tx,
  companyId: CampaignRow['companyId'],
  { rosterId, selection }: CampaignContent,
): Promise<Recipient[] | null> {
  if (selection.kind === 'run') return []
  try {
    return await readRecipients(tx, { companyId, rosterId, selection })
  } catch (error) {
    if (error instanceof AppError && error.code === 'roster_not_ready') return null
    throw error
  }
}

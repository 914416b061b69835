import type { Lang } from '../../../contract/error-codes.ts'
import type { CampaignDetail } from '../../../contract/hr/campaign.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readVersions, viewTemplates } from '../catalog/read-template.ts'
import { readMemberNames } from '../company/read-members.ts'
import { nameOwnRoster } from '../staff/name-rosters.ts'
import { contentOf } from './plan-campaign.ts'
import { findOwnCampaign } from './read-campaign.ts'
import type { CampaignRow } from './tables.ts'

interface Step {
  readonly act: string
  readonly actor: string
  readonly at_ms: number
}

/** All of one campaign of the actor's company, with what happened to it. Another company's is 404. */
export async function viewCampaign(tx: Tx, id: Id<'campaign'>, lang: Lang): Promise<CampaignDetail> {
  const campaign = await findOwnCampaign(tx, id)
  const steps = await sql<Step>(tx.em, 'select act, actor, at_ms from trail where object_id = ? order by id', [id])
  const names = await namesOf(tx, campaign, steps)
  const member = (of: Id<'member'>) => ({ id: of, name: names.get(of) ?? '' })
  const content = contentOf(campaign)
  const [template] = await viewTemplates(tx, await readVersions(tx, [content.templateVersionId]))
  if (template === undefined) throw new Error(`campaign ${id} has no template version`)
  return {
    id,
    title: campaign.title,
    occasion: content.occasion,
    state: campaign.state,
    heads: campaign.heads ?? null,
    faceTotalFen: campaign.faceTotalFen ?? null,
    createdAtMs: campaign.createdAtMs,
    orderId: campaign.orderId ?? null,
    version: campaign.version,
    content,
    template,
    rosterName: content.rosterId === null ? null : (await nameOwnRoster(tx, content.rosterId)).name,
    createdBy: member(campaign.createdBy),
    submittedBy: campaign.submittedBy ? member(campaign.submittedBy) : null,
    decidedBy: campaign.decidedBy ? member(campaign.decidedBy) : null,
    decidedAtMs: campaign.decidedAtMs ?? null,
    word: campaign.word ?? null,
    contentHash: campaign.contentHash ?? null,
    timeline: timelineOf(campaign, steps, names, lang),
  }
}

async function namesOf(tx: Tx, campaign: CampaignRow, steps: readonly Step[]): Promise<Map<Id<'member'>, string>> {
  const actors = steps.map((step) => step.actor).filter((actor) => isId('member', actor))
  const people = [campaign.createdBy, campaign.submittedBy, campaign.decidedBy].filter((one) => one != null)
  return readMemberNames(tx, [...new Set([...actors, ...people])])
}

/** What happened, oldest first. A rejection carries the approver's word while it is the last one. */
function timelineOf(
  campaign: CampaignRow,
  steps: readonly Step[],
  names: ReadonlyMap<Id<'member'>, string>,
  lang: Lang,
): CampaignDetail['timeline'] {
  const house = lang === 'zh' ? '系统' : 'system'
  const lastRejection = steps.findLastIndex((step) => step.act === 'campaign.rejected')
  return steps.map(({ act, actor, at_ms }, index) => ({
    atMs: Number(at_ms),
    act,
    by: isId('member', actor) ? (names.get(actor) ?? '') : house,
    note: index === lastRejection ? (campaign.word ?? null) : null,
  }))
}

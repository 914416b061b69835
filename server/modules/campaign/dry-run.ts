import type { Lang } from '../../../contract/error-codes.ts'
import { fen, sumFen, type Fen } from '../../../contract/fen.ts'
import { mergeGreeting } from '../../../contract/greeting.ts'
import type { DryRun } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readBrands } from '../catalog/read-template.ts'
import { readCompany } from '../company/read-company.ts'
import { countLookUps, countMatched } from '../staff/count-matched.ts'
import { readYears } from '../staff/read-days.ts'
import { openPeople } from '../staff/read-people.ts'
import type { Shortage } from '../wallet/hold-budgets.ts'
import { readRoom } from '../wallet/read-room.ts'
import { readWallet } from '../wallet/read-wallet.ts'
import { budgetNotes, campaignNotes, leftOutNotes, type Circumstances } from './campaign-notes.ts'
import { messageWords } from './message-words.ts'
import { planCampaign, type Plan } from './plan-campaign.ts'
import { findOwnCampaign } from './read-campaign.ts'
import type { Head } from './rules.ts'
import type { CampaignRow } from './tables.ts'

const PEOPLE_PER_CALL = 1000

/** Whom a campaign would send to, for the module that knows WeCom's limits to plan. */
export interface SendingWish {
  readonly companyId: Id<'company'>
  readonly campaignId: Id<'campaign'>
  /** Null: as soon as the cards are made. */
  readonly sendAtMs: number | null
  /** People whose account is known, and those who are looked up or not found at all. */
  readonly known: number
  readonly toLookUp: number
}
export type PlanSending = (tx: Tx, wish: SendingWish) => Promise<Pick<DryRun['wecom'], 'quota' | 'windows'>>

/**
 * What approving a campaign would do, computed now, in the reader's language; `planSending` tells when messages would go.
 * Another company's campaign is 404.
 */
export async function dryRunCampaign(
  tx: Tx,
  id: Id<'campaign'>,
  lang: Lang,
  planSending: PlanSending,
): Promise<DryRun> {
  const campaign = await findOwnCampaign(tx, id)
  const plan = await planCampaign(tx, campaign)
  const known = await readCircumstances(tx, campaign, plan)
  const messages = plan.heads.length
  const sending = await planSending(tx, {
    companyId: campaign.companyId,
    campaignId: campaign.id,
    sendAtMs: plan.content.sendAtMs,
    known: messages - known.toLookUp,
    toLookUp: known.toLookUp,
  })
  const { quota, leftFirstDay } = sending.quota
  const byDepartment = sumByDepartment(plan.heads, await readRoom(tx, campaign))
  const short = shortOf(byDepartment)
  const facts = { ...known, quota, sentFirst: Math.min(messages, leftFirstDay) }
  const [first, last] = [sending.windows[0], sending.windows.at(-1)]
  return {
    heads: messages,
    faceTotalFen: plan.faceTotalFen,
    priceTotalFen: plan.priceTotalFen,
    byDepartment,
    walletFen: facts.walletFen,
    notes: [...budgetNotes(short, lang), ...campaignNotes(plan, facts, lang)],
    leftOut: leftOutNotes(plan, lang),
    wecom: {
      messages,
      calls: Math.ceil(messages / PEOPLE_PER_CALL),
      withUserId: facts.withUserId,
      toLookUp: facts.toLookUp,
      minutes: first && last ? Math.ceil((last.toMs - first.fromMs) / MINUTE_MS) : 0,
      ...sending,
    },
    preview: await preview(tx, facts.companyName, plan, campaign.runDay ?? null),
    contentHash: plan.contentHash,
    canSubmit: campaign.state === 'draft' && plan.blocks.length === 0 && short.length === 0,
  }
}

async function readCircumstances(
  tx: Tx,
  campaign: CampaignRow,
  plan: Plan,
): Promise<Omit<Circumstances, 'quota' | 'sentFirst'> & { readonly companyName: string }> {
  const { companyId } = campaign
  const company = (await readCompany(tx, companyId)) ?? refuse('not_found')
  const [brand] = await readBrands(tx, [plan.version.brandId])
  const personIds = plan.heads.map((head) => head.personId)
  return {
    companyName: company.name,
    setting: company.paymentRoute,
    takesWechatPay: brand?.mchid != null && brand.appid != null,
    walletFen: (await readWallet(tx, companyId))?.balanceFen ?? fen(0),
    ...(await countMatched(tx, personIds)),
    lookUpsADay: await countLookUps(tx, companyId),
  }
}

const MINUTE_MS = 60_000

/** What each department's people get and cost, and what its budget in force says to that. */
function sumByDepartment(heads: readonly Head[], room: ReadonlyMap<string, Fen>): DryRun['byDepartment'] {
  return [...Map.groupBy(heads, (head) => head.department ?? '')].map(([department, theirs]) => {
    const priceFen = sumFen(theirs.map((head) => head.priceFen))
    const leftFen = room.get(department)
    return {
      department,
      heads: theirs.length,
      faceFen: sumFen(theirs.map((head) => head.faceFen)),
      priceFen,
      budget: leftFen === undefined ? null : { leftFen, missingFen: fen(Math.max(0, priceFen - leftFen)) },
    }
  })
}

/** Departments whose budget keeps the campaign from being submitted. */
const shortOf = (byDepartment: DryRun['byDepartment']): Shortage[] =>
  byDepartment.flatMap(({ department, priceFen, budget }) =>
    budget !== null && budget.missingFen > 0 ? [{ department, neededFen: priceFen, leftFen: budget.leftFen }] : [],
  )

/** What the first person will see: the message, which is the same for all, and the words in the opened card. */
async function preview(tx: Tx, companyName: string, plan: Plan, runDay: string | null): Promise<DryRun['preview']> {
  const [first] = plan.heads
  const [person] = first ? await openPeople(tx, [first.personId]) : []
  if (!first || !person) return null
  const { greeting, title, occasion } = plan.content
  const words = messageWords({ companyName, title, occasion })
  return {
    messageTitle: words.title,
    messageText: words.desc,
    personName: person.name,
    greeting: mergeGreeting(greeting, {
      name: person.name,
      department: person.department,
      company: companyName,
      years: runDay === null ? null : await readYears(tx, first.personId, runDay),
    }),
    faceFen: first.faceFen,
  }
}

import type { Lang } from '../../../contract/error-codes.ts'
import { fen } from '../../../contract/fen.ts'
import { mergeGreeting } from '../../../contract/greeting.ts'
import type { DryRun } from '../../../contract/hr/campaign.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { readBrands } from '../catalog/read-template.ts'
import { readCompany } from '../company/read-company.ts'
import { countLookUps, countMatched } from '../staff/count-matched.ts'
import { countPeople, openPeople } from '../staff/read-people.ts'
import { readWallet } from '../wallet/read-wallet.ts'
import { campaignNotes, leftOutNotes, type Circumstances } from './campaign-notes.ts'
import { messageWords } from './message-words.ts'
import { planCampaign, type Plan } from './plan-campaign.ts'
import { findOwnCampaign } from './read-campaign.ts'
import type { Head } from './rules.ts'
import type { CampaignRow } from './tables.ts'

/** Limits of WeCom (protocols wecom, section 10), and how fast we go inside of them. */
const wecom = {
  peoplePerCall: 1000,
  /** Person-sends a day for each account. */
  sendsPerAccount: 200,
  /** We look up 8,000 a minute where 10,000 are allowed. */
  lookUpsPerMinute: 8000,
  /** Calls of message/send have no limit of their own; we count on one a second. */
  callsPerMinute: 60,
} as const

/** What approving a campaign would do, computed now, in the reader's language. Another company's campaign is 404. */
export async function dryRunCampaign(tx: Tx, id: Id<'campaign'>, lang: Lang): Promise<DryRun> {
  const campaign = await findOwnCampaign(tx, id)
  const plan = await planCampaign(tx, campaign)
  const facts = await readCircumstances(tx, campaign, plan)
  const messages = plan.heads.length
  const calls = Math.ceil(messages / wecom.peoplePerCall)
  return {
    heads: messages,
    faceTotalFen: plan.faceTotalFen,
    priceTotalFen: plan.priceTotalFen,
    byDepartment: sumByDepartment(plan.heads),
    walletFen: facts.walletFen,
    notes: campaignNotes(plan, facts, lang),
    leftOut: leftOutNotes(plan, lang),
    wecom: {
      messages,
      calls,
      withUserId: facts.withUserId,
      toLookUp: facts.toLookUp,
      minutes: Math.ceil(facts.toLookUp / wecom.lookUpsPerMinute + calls / wecom.callsPerMinute),
    },
    preview: await preview(tx, facts.companyName, plan),
    contentHash: plan.contentHash,
    canSubmit: campaign.state === 'draft' && plan.blocks.length === 0,
  }
}

async function readCircumstances(
  tx: Tx,
  campaign: CampaignRow,
  plan: Plan,
): Promise<Circumstances & { readonly companyName: string }> {
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
    sameDay: await countSameDay(tx, campaign),
    messagesADay: (await countPeople(tx, companyId)) * wecom.sendsPerAccount,
  }
}

/** Messages of the company's other campaigns on the day on which this one would be sent. */
async function countSameDay(tx: Tx, campaign: CampaignRow): Promise<number> {
  const from = startOfDay(campaign.sendAtMs ?? tx.clock.now())
  const [row] = await sql<{ heads: unknown }>(
    tx.em,
    `select sum(heads) as heads from campaign
      where company_id = ? and id <> ? and state in ('approved', 'running', 'finished')
        and coalesce(send_at_ms, decided_at_ms) >= ? and coalesce(send_at_ms, decided_at_ms) < ?`,
    [campaign.companyId, campaign.id, from, from + DAY_MS],
  )
  return readSum(row?.heads)
}

const DAY_MS = 86_400_000
/** WeCom's day is China's: eight hours before UTC all year. */
const CHINA_MS = 8 * 3_600_000
const startOfDay = (atMs: number) => Math.floor((atMs + CHINA_MS) / DAY_MS) * DAY_MS - CHINA_MS

function sumByDepartment(heads: readonly Head[]): DryRun['byDepartment'] {
  const sums = new Map<string, { heads: number; faceFen: number }>()
  for (const head of heads) {
    const sum = sums.get(head.department ?? '') ?? { heads: 0, faceFen: 0 }
    sums.set(head.department ?? '', { heads: sum.heads + 1, faceFen: sum.faceFen + head.faceFen })
  }
  return [...sums].map(([department, sum]) => ({ department, heads: sum.heads, faceFen: fen(sum.faceFen) }))
}

/** What the first person will see: the message, which is the same for all, and the words in the opened card. */
async function preview(tx: Tx, companyName: string, plan: Plan): Promise<DryRun['preview']> {
  const [first] = plan.heads
  const [person] = first ? await openPeople(tx, [first.personId]) : []
  if (!first || !person) return null
  const { greeting, title, occasion } = plan.content
  const words = messageWords({ companyName, title, occasion })
  return {
    messageTitle: words.title,
    messageText: words.desc,
    personName: person.name,
    greeting: mergeGreeting(greeting, { name: person.name, department: person.department, company: companyName }),
    faceFen: first.faceFen,
  }
}

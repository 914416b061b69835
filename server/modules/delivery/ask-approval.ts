import { can } from '../../../contract/abilities.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertIgnore, sql } from '../../kernel/sql.ts'
import { isMaker } from '../campaign/approve-campaign.ts'
import { readCampaign } from '../campaign/read-campaign.ts'
import { readAccounts, type MemberAccount } from '../company/read-accounts.ts'
import { readCompany } from '../company/read-company.ts'
import { readMemberNames } from '../company/read-members.ts'
import { inSpace, spaceOf } from '../company/read-user-id-space.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { readWallet } from '../wallet/read-wallet.ts'
import { approvalBody, type Question } from './approval-card.ts'
import { subjectOf } from './approval-subject.ts'
import { isUserId } from './message-bodies.ts'
import { sendNotificationJob } from './notification-jobs.ts'
import { sealCall, taskIdOf } from './seal-notification.ts'

type Campaign = NonNullable<Awaited<ReturnType<typeof readCampaign>>>

/**
 * Job `approval.ask`: a card to everybody who may approve this campaign and did not make it, once for each submission.
 * Nothing when it is not in review any more, or the company has no app: the console asks them all the same.
 */
export async function askApproval(edge: Edge, campaignId: Id<'campaign'>): Promise<void> {
  await edge.tx((tx) => ask(tx, campaignId))
}

async function ask(tx: Tx, campaignId: Id<'campaign'>): Promise<void> {
  const campaign = await readCampaign(tx, campaignId)
  if (campaign?.state !== 'in_review') return
  const app = await readWecomApp(tx, campaign.companyId)
  if (app === null) return
  const question = await readQuestion(tx, campaign)
  const subject = subjectOf(campaign)
  for (const { id: receiverId, userid } of await readApprovers(tx, campaign)) {
    const id = tx.newId('notification')
    const body = approvalBody(question, { agentId: app.agentId, userId: userid, taskId: taskIdOf(tx, id) })
    const people = { [inSpace(spaceOf(app.kind), userid)]: [id] }
    const facts = { company_id: campaign.companyId, kind: 'approval', subject, receiver_id: receiverId }
    const sealed = sealCall(tx, id, { kind: 'send', body, people })
    const state = { state: 'planned', version: 1, body_sealed: sealed, calls: 0, created_at_ms: tx.clock.now() }
    await insertIgnore(tx.em, 'notification', [{ id, ...facts, ...state }])
    const [held] = await sql(tx.em, 'select 1 from notification where id = ?', [id])
    if (held !== undefined) await enqueue(tx, [{ ...sendNotificationJob(id), lane: 'small' }])
  }
}

/** Members who may decide about a campaign and did not make it, with an account that WeCom can be given. */
async function readApprovers(tx: Tx, campaign: Campaign): Promise<MemberAccount[]> {
  const approvers: MemberAccount[] = []
  for (const member of await readAccounts(tx, campaign.companyId)) {
    if (!can('member', member.roles, 'campaign.approve') || !isUserId(member.userid)) continue
    if (!(await isMaker(tx, campaign, member.id))) approvers.push(member)
  }
  return approvers
}

/** What is asked: the campaign as it was submitted, and the money there is. */
export async function readQuestion(tx: Tx, campaign: Campaign): Promise<Question> {
  const company = await readCompany(tx, campaign.companyId)
  const submittedBy = campaign.submittedBy ?? campaign.createdBy
  const wallet = await readWallet(tx, campaign.companyId)
  return {
    companyName: company?.name ?? '',
    companyCode: company?.code ?? '',
    campaignId: campaign.id,
    title: campaign.title,
    heads: campaign.heads ?? 0,
    faceTotalFen: campaign.faceTotalFen ?? fen(0),
    priceTotalFen: campaign.priceTotalFen ?? fen(0),
    walletFen: wallet?.balanceFen ?? fen(0),
    submitter: (await readMemberNames(tx, [submittedBy])).get(submittedBy) ?? '',
    publicUrl: tx.house.publicUrl,
  }
}

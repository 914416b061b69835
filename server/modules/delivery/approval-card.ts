import { errorCodes, errorSentence, type ErrorCode } from '../../../contract/error-codes.ts'
import { formatYuan, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { CampaignState } from '../../../contract/states.ts'
import { buttonCard, sendBody, textNotice, type CardFact } from './message-bodies.ts'

/** The key of the button that approves. */
export const APPROVE = 'approve'

/** What an approver is asked about. */
export interface Question {
  readonly companyName: string
  readonly companyCode: string
  readonly campaignId: Id<'campaign'>
  readonly title: string
  readonly heads: number
  readonly faceTotalFen: Fen
  readonly priceTotalFen: Fen
  readonly walletFen: Fen
  readonly submitter: string
  readonly publicUrl: string
}

/** The approver's card: what it is about, 同意, and 查看 for all the rest. `taskId` comes back with the press. */
export function approvalBody(
  question: Question,
  to: { readonly agentId: number; readonly userId: string; readonly taskId: string },
): string {
  const card = buttonCard({
    ...wordsOf(question),
    facts: factsOf(question),
    taskId: to.taskId,
    buttons: [
      { text: '同意', style: 1, does: { key: APPROVE } },
      { text: '查看', style: 2, does: { url: reviewLink(question) } },
    ],
  })
  return sendBody({ agentId: to.agentId, userIds: [to.userId] }, card)
}

/** The card in the place of the question once it is answered: the outcome in words, and no button to press any more. */
export function answeredBody(
  question: Question,
  to: { readonly agentId: number; readonly userId: string; readonly responseCode: string },
  outcome: string,
): string {
  const content = textNotice({
    ...wordsOf(question),
    title: '福利活动审批',
    facts: factsOf(question),
    subtitle: outcome,
    url: reviewLink(question),
  })
  return JSON.stringify({
    userids: [to.userId],
    agentid: to.agentId,
    response_code: to.responseCode,
    ...('template_card' in content ? { template_card: content.template_card } : {}),
  })
}

/** How an approval card ends: by what became of the campaign, or by why this press did nothing. */
const answerCodes = ['decided', 'forbidden', 'card_expired'] as const
export type AnswerCode = (typeof answerCodes)[number] | ErrorCode

/** Whether a text is one of the codes with which a card ends. */
export function isAnswerCode(text: unknown): text is AnswerCode {
  return typeof text === 'string' && (answerCodes.some((code) => code === text) || Object.hasOwn(errorCodes, text))
}

/** The sentence that ends a card. `decider` is who decided, where somebody did. */
export function outcomeOf(
  code: AnswerCode,
  now: { readonly state: CampaignState; readonly asked: boolean; readonly decider: string | null },
): string {
  if (code === 'forbidden') return '您现在没有审批权限，这次点击没有生效'
  if (code === 'card_expired') return '卡片已超过 72 小时，请点开到页面审批'
  if (code !== 'decided') return errorSentence(code, 'zh')
  switch (now.state) {
    case 'approved':
    case 'running':
    case 'finished':
      return `已由 ${now.decider ?? '审批人'} 同意`
    case 'rejected':
      return `已由 ${now.decider ?? '审批人'} 退回`
    case 'cancelled':
      return '活动已取消，不会发放'
    case 'draft':
      return '已撤回修改，重新提交后会再发卡片给您'
    case 'in_review':
      return now.asked ? '等待审批，请点开到页面处理' : '内容已修改，请以新的审批卡片为准'
  }
}

const wordsOf = ({ companyName, title }: Question) => ({ source: companyName, title: '福利活动待您审批', desc: title })

function factsOf(question: Question): CardFact[] {
  const missing = question.priceTotalFen - question.walletFen
  const budget = missing > 0 ? `还差 ${formatYuan(missing)}` : `余额足够（${formatYuan(question.walletFen)}）`
  return [
    { name: '人数', value: `${question.heads} 人` },
    { name: '面额合计', value: formatYuan(question.faceTotalFen) },
    { name: '应付金额', value: formatYuan(question.priceTotalFen) },
    { name: '企业余额', value: budget },
    { name: '提交人', value: question.submitter },
  ]
}

/** Through the sign-in, which inside WeCom asks nothing. */
function reviewLink({ publicUrl, companyCode, campaignId }: Question): string {
  const link = new URL(`/hr/sign-in/${companyCode}`, publicUrl)
  link.searchParams.set('return', `/console/campaigns/${campaignId}`)
  return link.href
}

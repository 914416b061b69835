import type { Lang } from './error-codes.ts'
import type { RefundPartReason, RefundRoute } from './refunds.ts'
import type { RefundPartState } from './states.ts'

type Words = Readonly<Record<Lang, string>>

const ofRoute: Readonly<Record<RefundRoute, Words>> = {
  wechat: { zh: '已原路退回微信支付', en: 'Back with the payer by WeChat Pay' },
  wallet: { zh: '已退回企业余额', en: 'Back in the company wallet' },
  wallet_credit: { zh: '已转入企业余额', en: 'Credited to the company wallet' },
  credit: { zh: '已冲减授信欠款', en: 'Taken off what is owed on credit' },
  bank: { zh: '已汇出', en: 'Transferred' },
}

const ofState: Readonly<Record<Exclude<RefundPartState, 'done'>, Words>> = {
  waiting: { zh: '排队中，马上处理', en: 'In line; it goes on by itself' },
  returning: { zh: '正在收回已分账的部分', en: 'Shares are being taken back first' },
  unfreezing: { zh: '正在解冻剩余款项', en: 'The rest is being freed first' },
  sent: { zh: '已向微信支付提交退款', en: 'Handed to WeChat Pay' },
  processing: {
    zh: '微信支付处理中，零钱约 5 分钟，银行卡 1 至 3 个工作日',
    en: 'WeChat Pay is working on it: minutes to a balance, 1 to 3 working days to a card',
  },
  closed: {
    zh: '微信支付关闭了这笔退款，平台正在处理',
    en: 'WeChat Pay closed this refund; the platform looks after it',
  },
  abnormal: {
    zh: '付款人的账户收不了款，平台正在处理',
    en: 'The payer’s account takes nothing; the platform looks after it',
  },
  stuck: { zh: '需要平台人工处理', en: 'A person of the platform must look at it' },
  paying_out: {
    zh: '平台将汇款退回，银行流水确认后完成',
    en: 'It is transferred, and done when the bank statement shows it',
  },
}

const ofReason: Readonly<Partial<Record<RefundPartReason, Words>>> = {
  waits_for_turn: {
    zh: '同一笔付款有其他操作在进行，结束后自动继续',
    en: 'Something else of the same payment is under way; it goes on by itself afterwards',
  },
  no_answer: { zh: '微信支付没有回答，正在查询', en: 'No answer from WeChat Pay yet; it is being asked' },
  merchant_not_enough: {
    zh: '收款商户余额不足，款项到位后自动重试',
    en: 'The merchant has too little money; it is tried again by itself',
  },
  receiver_not_enough: {
    zh: '分账接收方余额不足，没有退回分账',
    en: 'A receiver of shares has too little money to give them back',
  },
  receiver_no_auth: { zh: '分账接收方没有开通退回', en: 'A receiver of shares does not allow taking them back' },
  return_failed: { zh: '分账没有退回', en: 'A share was not given back' },
  payer_account_abnormal: { zh: '付款人账户异常或已注销', en: 'The payer’s account is abnormal or closed' },
  merchant_no_auth: { zh: '收款商户没有退款权限', en: 'The merchant may not refund' },
  refused: { zh: '微信支付拒绝了退款', en: 'WeChat Pay refused it' },
  too_old: { zh: '付款已超过 365 天，改为汇款退回', en: 'The payment is older than 365 days: it is transferred' },
  too_many: {
    zh: '这笔付款的退款已满 50 次，改为汇款退回',
    en: 'The payment was refunded 50 times: it is transferred',
  },
}

/** How a part of a refund stands, in one sentence. */
export function refundPartSentence(
  part: { readonly state: RefundPartState; readonly route: RefundRoute; readonly reason: RefundPartReason | null },
  lang: Lang,
): string {
  if (part.state === 'done') return ofRoute[part.route][lang]
  const said = ofState[part.state][lang]
  const why = part.reason === null ? undefined : ofReason[part.reason]?.[lang]
  if (why === undefined) return said
  return lang === 'zh' ? `${said}：${why}` : `${said}: ${why}`
}

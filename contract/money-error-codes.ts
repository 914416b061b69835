/** A refusal: its status, and in both languages what happened and what to do now. */
export interface ErrorText {
  readonly status: number
  readonly zh: string
  readonly en: string
}

/** The refusals of money: refunds, settlement, sources, invoices and custody. All others stand in error-codes.ts. */
export const moneyErrorCodes = {
  card_spent: {
    status: 409,
    zh: '有卡已被使用，不能退回，请只选择未使用的卡后重试。',
    en: 'Some cards were used and cannot be taken back. Choose only cards that nobody has used.',
  },
  card_not_refundable: {
    status: 409,
    zh: '有卡正在使用中或已经退回，请刷新后重新选择。',
    en: 'Some cards are in use or were taken back before. Refresh and choose again.',
  },
  nothing_to_take_back: {
    status: 409,
    zh: '没有可追回的卡，员工都已打开，请刷新查看。',
    en: 'There is no card to take back: everybody has opened theirs. Refresh to see.',
  },
  refund_right_over: {
    status: 409,
    zh: '冷静期已结束，卡已生效，请联系平台处理。',
    en: 'The cooling-off time is over and the card is in force. Contact the platform.',
  },
  refund_over_paid: {
    status: 422,
    zh: '退款超过可退金额，请减少金额后重试。',
    en: 'That is more than can go back. Lower the amount.',
  },
  ratio_over_cap: {
    status: 422,
    zh: '分账比例超过微信支付给收款商户的上限，请降低平台或渠道的比例，或先申请更高的上限。',
    en: 'The shares are over what WeChat Pay lets the collecting merchant share. Lower them, or have the limit raised first.',
  },
  payee_account_missing: {
    status: 422,
    zh: '这些收款方还没有登记银行账户，请先登记户名、账号和开户行。',
    en: 'Nobody has entered the bank accounts of these payees yet. Enter holder, number and bank first.',
  },
  payout_differs: {
    status: 422,
    zh: '这笔银行流水的金额与付款单不同，请核对后选择另一笔流水。',
    en: 'The amount of this bank line is not the amount of the payout. Check it and choose another line.',
  },
  wallet_insufficient: {
    status: 409,
    zh: '企业钱包余额不足，请先充值或减少金额。',
    en: 'The company wallet does not hold enough. Top it up or use a smaller amount.',
  },
  credit_insufficient: {
    status: 409,
    zh: '授信额度不足，请减少金额，或先转账还款。',
    en: 'The credit line does not cover this. Use a smaller amount, or repay by a transfer first.',
  },
  budget_exceeded: {
    status: 409,
    zh: '部门预算不足，请调整人数或金额，或请财务增加预算。',
    en: 'A department’s budget does not cover this. Change the people or the amount, or ask finance to raise the budget.',
  },
  budget_overlaps: {
    status: 409,
    zh: '该部门在这段时间里已有预算，请修改那份预算，或换一段时间。',
    en: 'The department has a budget in this time already. Change that one, or choose other days.',
  },
  budget_in_use: {
    status: 409,
    zh: '预算不能低于已占用和已用的金额，请填写更高的金额。',
    en: 'A budget cannot be less than what is held and used of it. Enter a higher amount.',
  },
  combined_unavailable: {
    status: 409,
    zh: '平台未配置合单支付，请选择一个品牌分别付款。',
    en: 'Combined payments are not set up here. Choose one brand and pay them one by one.',
  },
  combined_too_many: {
    status: 409,
    zh: '一次合单最多付给 10 个品牌，请选择一个品牌分别付款。',
    en: 'One combined payment reaches 10 brands at most. Choose one brand and pay them one by one.',
  },
  too_many_pieces: {
    status: 422,
    zh: '分成的笔数太多，请提高每笔上限或减少金额。',
    en: 'That makes too many payments. Raise the limit of each, or use a smaller amount.',
  },
  line_used: {
    status: 409,
    zh: '这笔流水的钱已用掉，不能撤销认领，请改用退款。',
    en: 'The money of this line was used, so the match cannot be undone. Use a refund instead.',
  },
  withdrawal_over_collected: {
    status: 409,
    zh: '账上商户号里没有这么多钱，请核对这笔是不是微信支付提现。',
    en: 'By the books our merchant account does not hold as much. Check whether this is a withdrawal from WeChat Pay.',
  },
  line_decided: {
    status: 409,
    zh: '这笔流水已处理，请刷新后查看结果。',
    en: 'This line was decided already. Refresh to see what became of it.',
  },
  payment_over_needed: {
    status: 409,
    zh: '付款金额超过订单待付金额，请按剩余金额付款。',
    en: 'The payment is more than the order still needs. Pay the amount that is left.',
  },
  statement_refused: {
    status: 422,
    zh: '对账单无法导入，未记任何一笔；请按说明改正文件后重新上传。',
    en: 'The statement cannot be imported and nothing of it was booked. Correct it as described and upload it again.',
  },
  notice_refused: {
    status: 401,
    zh: '通知未通过验证，请检查签名、时间戳和密钥。',
    en: 'The notice could not be verified. Check its signature, timestamp and keys.',
  },
  invoice_kind_refused: {
    status: 422,
    zh: '售卖预付卡按规定只开增值税普通发票，不能开专用发票，请改选普通发票。',
    en: 'Prepaid cards are sold with an ordinary invoice; a special VAT invoice may not be issued. Choose the ordinary one.',
  },
  invoice_over_paid: {
    status: 409,
    zh: '开票金额超过可开金额（已付款减去退款和已开的发票），请减少金额后重试。',
    en: 'The amount is more than what was paid and neither refunded nor invoiced yet. Lower it and try again.',
  },
  tax_number_wrong: {
    status: 422,
    zh: '税号不正确，请核对 15、17、18 或 20 位的纳税人识别号或统一社会信用代码。',
    en: 'The tax number is not valid. Check it: 15, 17, 18 or 20 signs; one of 18 must be a unified social credit code.',
  },
  custody_document_used: {
    status: 409,
    zh: '这份凭证已用于另一条记录，请核对指出的字段，更正时请用新的凭证编号。',
    en: 'This document was entered with other content. Check the named field; to correct it, enter another document.',
  },
  custody_day_future: {
    status: 422,
    zh: '银行还不可能确认未来的余额，请填写今天或更早的日期。',
    en: 'No bank can confirm a balance of a day that has not come. Enter today or an earlier day.',
  },
  custody_span_backwards: {
    status: 422,
    zh: '结束日期不在保函或保险的有效期内，请改正日期后重试。',
    en: 'The end is not within the time of the guarantee. Correct the day and try again.',
  },
  custody_quarter_open: {
    status: 409,
    zh: '该季度的日报还没有写完，请在季度结束后的次日再下载。',
    en: 'The daily statements of this quarter are not complete yet. Download it the day after the quarter has ended.',
  },
  card_kind_not_filed: {
    status: 422,
    zh: '发卡品牌的备案不包含这种卡，请换一种卡，或联系平台核对备案。',
    en: 'The issuer’s filing does not cover this kind of card. Choose another card, or ask the platform to check the filing.',
  },
  prepaid_over_ceiling: {
    status: 409,
    zh: '发卡后该品牌的预收资金余额会超过备案上限，请减少金额、换一个品牌，或联系平台。',
    en: 'With these cards the issuer would owe more than its filing allows. Give less, choose another brand, or ask the platform.',
  },
} as const satisfies Record<string, ErrorText>

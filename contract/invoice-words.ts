import type { Lang } from './error-codes.ts'
import type { InvoiceState } from './states.ts'

/** What stands on the goods line of every invoice (税务总局公告 2016 年第 53 号). */
export const invoiceGoods = { name: '预付卡销售和充值', code: '601', rate: '不征税' } as const

const states: Readonly<Record<InvoiceState, Readonly<Record<Lang, string>>>> = {
  requested: { zh: '已申请，等待开具', en: 'Requested, not issued yet' },
  issuing: { zh: '开具中', en: 'Being issued' },
  issued: { zh: '已开具', en: 'Issued' },
  reversing: { zh: '红冲中', en: 'Being reversed' },
  red: { zh: '已红冲，此发票作废', en: 'Reversed by a red-letter invoice' },
  rejected: { zh: '未开具', en: 'Not issued' },
}

const reasons: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  cancelled: { zh: '申请已撤回', en: 'the request was withdrawn' },
  refunded: {
    zh: '开具前订单已退款，剩余金额另开',
    en: 'the order was refunded before; what remains is invoiced anew',
  },
  TITLE_REFUSED: {
    zh: '开票服务不接受这个抬头或税号，请核对后重新申请',
    en: 'the service does not accept this title or tax number; check them and request again',
  },
}

/** How an invoice stands, with the reason where there is one. */
export function invoiceSentence(state: InvoiceState, reason: string | null, lang: Lang): string {
  const said = states[state][lang]
  if (reason === null) return said
  const why = reasons[reason]?.[lang]
  if (state === 'issued')
    return lang === 'zh'
      ? `${said}；红冲未成功（${why ?? reason}），可再次红冲`
      : `${said}; it could not be reversed (${why ?? reason}), try again`
  const other =
    lang === 'zh' ? `开票服务未接受（${reason}），请联系平台` : `the service refused it (${reason}); ask the platform`
  return lang === 'zh' ? `${said}：${why ?? other}` : `${said}: ${why ?? other}`
}

import { brokenCardRules, cardLimits, type CardRuleId, type CardTerms } from '../../../contract/card-rules.ts'
import type { Lang } from '../../../contract/error-codes.ts'
import type { Fen } from '../../../contract/fen.ts'

type Words = Readonly<Record<Lang, string>>

export type RuleId = CardRuleId | 'company_transfer' | 'unnamed_real_name' | 'credit_purchase'
export interface Rule {
  readonly id: RuleId
  readonly title: Words
  /** The text that it rests on, as it is cited in Chinese. */
  readonly source: string
  /** First day of the text in force, YYYY-MM-DD. */
  readonly effectiveFrom: string
  /** The limit in fen or days; null where the rule has none. */
  readonly limit: { readonly unit: 'fen' | 'days'; readonly value: number } | null
}

const opinion2011 = '国办发〔2011〕25号《关于规范商业预付卡管理的意见》'
const since2011 = '2011-05-23'

/** The rules that the house applies, as data. This is software, not legal advice: the sources are there to be read. */
export const rules: Readonly<Record<RuleId, Rule>> = {
  named_face: {
    id: 'named_face',
    title: { zh: '记名卡单张面额不超过 5,000 元', en: 'A named card holds at most 5,000 yuan' },
    source: opinion2011,
    effectiveFrom: since2011,
    limit: { unit: 'fen', value: cardLimits.namedFaceFen },
  },
  unnamed_face: {
    id: 'unnamed_face',
    title: { zh: '不记名卡单张面额不超过 1,000 元', en: 'An unnamed card holds at most 1,000 yuan' },
    source: opinion2011,
    effectiveFrom: since2011,
    limit: { unit: 'fen', value: cardLimits.unnamedFaceFen },
  },
  named_no_expiry: {
    id: 'named_no_expiry',
    title: { zh: '记名卡不得设有效期', en: 'A named card must not expire' },
    source: opinion2011,
    effectiveFrom: since2011,
    limit: null,
  },
  unnamed_validity: {
    id: 'unnamed_validity',
    title: { zh: '不记名卡有效期不得少于三年', en: 'An unnamed card is valid for three years or more' },
    source: opinion2011,
    effectiveFrom: since2011,
    limit: { unit: 'days', value: cardLimits.unnamedValidDays },
  },
  company_transfer: {
    id: 'company_transfer',
    title: {
      zh: '单位一次性购卡 5,000 元及以上，须银行转账，不得使用现金',
      en: 'A company that buys cards for 5,000 yuan or more at once pays by bank transfer, never in cash',
    },
    source: opinion2011,
    effectiveFrom: since2011,
    limit: { unit: 'fen', value: 500_000 },
  },
  unnamed_real_name: {
    id: 'unnamed_real_name',
    title: {
      zh: '一次性购买不记名卡 10,000 元及以上，须实名登记购卡人',
      en: 'Who buys unnamed cards for 10,000 yuan or more at once is registered by real name',
    },
    source: opinion2011,
    effectiveFrom: since2011,
    limit: { unit: 'fen', value: 1_000_000 },
  },
  credit_purchase: {
    id: 'credit_purchase',
    title: {
      zh: '多用途预付卡不得用信用卡购买或充值',
      en: 'Multi-purpose prepaid cards may not be bought or reloaded with a credit card',
    },
    source: '《支付机构预付卡业务管理办法》',
    effectiveFrom: '2012-11-01',
    limit: null,
  },
}

/** A rule with its source in one line, for a person to read. */
export function ruleText(id: RuleId, lang: Lang): string {
  const rule = rules[id]
  return lang === 'zh' ? `${rule.title.zh}（${rule.source}）` : `${rule.title.en} (${rule.source})`
}

/** The rules that a card of this template with this face would break; empty when it may be given. */
export function cardRules(template: CardTerms, faceFen: number): RuleId[] {
  return brokenCardRules(template, faceFen)
}

export type PaymentSetting = 'strict' | 'non_cash'
export type PaymentSource = 'wallet' | 'wechat_pay' | 'bank_transfer' | 'credit_line'
export interface PaymentRoute {
  readonly source: PaymentSource
  readonly allowed: boolean
  /** The rule that bars the route, or under which it is allowed with a word of warning. */
  readonly ruleId: RuleId | null
  /** What the payer should know; null when there is nothing to say. */
  readonly note: Words | null
}

const barred: Words = {
  zh: '本单达到 5,000 元，请用对公转账，或用转账充值的企业余额付款。',
  en: 'This order reaches 5,000 yuan. Pay by bank transfer, or from the wallet that was filled by one.',
}
/** Shown wherever a company pays 5,000 yuan or more by WeChat. */
const notAnAccount: Words = {
  zh: '微信支付属于非现金支付，但不是对公账户转账：平台会记录付款人 openid、付款银行类型和微信支付单号备查。贵司若只接受对公转账，请不要使用。',
  en: 'WeChat Pay is not cash, but it is not a transfer from a company account either: the payer’s openid, bank type and transaction id are recorded. If your company accepts bank transfers only, do not use it.',
}

const noCredit: Words = {
  zh: '贵司未开通授信额度。预付卡的信用购买受法规限制，由平台按企业逐一开通。',
  en: 'Your company has no credit line. Buying prepaid cards on credit is restricted by law; the platform opens it company by company.',
}
const creditIsNoTransfer: Words = {
  zh: '本单达到 5,000 元，须先到账再购卡，不能用授信额度，请用对公转账，或用转账充值的企业余额付款。',
  en: 'This order reaches 5,000 yuan: its money must arrive first, so credit is no way. Pay by bank transfer, or from the wallet that was filled by one.',
}
const repayLater: Words = {
  zh: '先发卡后付款：之后的对公转账会先用来还款。',
  en: 'Cards now, money later: your next transfers repay this first.',
}

/**
 * Which ways a company may pay an order of this total. From 5,000 yuan on, `strict` leaves bank transfer and the
 * wallet (filled by transfers); `non_cash` also leaves WeChat Pay, with a notice. Cash is no way at any amount. Credit is
 * a way only where the platform opened a line for the company (`hasCredit`), and never from 5,000 yuan on under `strict`.
 */
export function paymentRoutes(setting: PaymentSetting, totalFen: Fen, hasCredit = false): readonly PaymentRoute[] {
  const ruled = totalFen >= (rules.company_transfer.limit?.value ?? 0)
  const free = (source: PaymentSource): PaymentRoute => ({ source, allowed: true, ruleId: null, note: null })
  const wechat: PaymentRoute = {
    source: 'wechat_pay',
    allowed: setting === 'non_cash',
    ruleId: 'company_transfer',
    note: setting === 'non_cash' ? notAnAccount : barred,
  }
  const credit = creditRoute(hasCredit, ruled && setting === 'strict')
  return [free('wallet'), ruled ? wechat : free('wechat_pay'), free('bank_transfer'), credit]
}

function creditRoute(hasCredit: boolean, mustArriveFirst: boolean): PaymentRoute {
  const source = 'credit_line'
  if (!hasCredit) return { source, allowed: false, ruleId: 'credit_purchase', note: noCredit }
  if (mustArriveFirst) return { source, allowed: false, ruleId: 'company_transfer', note: creditIsNoTransfer }
  return { source, allowed: true, ruleId: null, note: repayLater }
}

/** Whether a purchase of cards asks for the buyer's real name. */
export function asksRealName(template: CardTerms, totalFen: number): boolean {
  return !template.named && totalFen >= (rules.unnamed_real_name.limit?.value ?? 0)
}

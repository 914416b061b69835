import { errorSentence, type Lang } from '../../../contract/error-codes.ts'
import { formatYuan, type Fen } from '../../../contract/fen.ts'
import type { RuleNote } from '../../../contract/hr/campaign.ts'
import { asksRealName, paymentRoutes, rules, type PaymentSetting, type RuleId } from '../compliance/rules.ts'
import type { Shortage } from '../wallet/hold-budgets.ts'
import { sayShort } from './hold-budgets-of.ts'
import type { Plan } from './plan-campaign.ts'
import type { LeftOutCode } from './rules.ts'

/** What the dry run knows beside the plan. */
export interface Circumstances {
  readonly setting: PaymentSetting
  readonly takesWechatPay: boolean
  readonly walletFen: Fen
  readonly withUserId: number
  readonly toLookUp: number
  /** Look-ups that the company has for a day in which WeCom knew none of the numbers. */
  readonly lookUpsADay: number
  /** How many messages WeCom lets the app send in a day, and how many people are sent to before that stops us. */
  readonly quota: number
  readonly sentFirst: number
}

type Words = Readonly<Record<Lang, string>>

const leftOutTexts: Readonly<Record<LeftOutCode, Words>> = {
  no_amount: { zh: '名单里没有金额', en: 'The list says no amount' },
  face_not_allowed: { zh: '金额不是这张卡可选的面额', en: 'The amount is not a face of this card' },
  repeated: {
    zh: '同一人在名单中重复出现，只按第一行发一次',
    en: 'The person is in the list twice; the first row counts',
  },
}

/** Who of the list gets no card, by reason. */
export function leftOutNotes(plan: Plan, lang: Lang): { code: string; text: string; count: number }[] {
  return [...plan.leftOut].map(([code, count]) => ({ code, text: leftOutTexts[code][lang], count }))
}

/** Budgets that do not cover what their departments' people cost. */
export function budgetNotes(short: readonly Shortage[], lang: Lang): RuleNote[] {
  const said = sayShort(short)[lang]
  return short.length === 0 ? [] : [{ level: 'block', code: 'budget_exceeded', text: said, source: null }]
}

/** All that the dry run has to say: what keeps the campaign back first, then what one should know. */
export function campaignNotes(plan: Plan, facts: Circumstances, lang: Lang): RuleNote[] {
  const blocks = plan.blocks.map(({ code, ruleId }): RuleNote => ({
    level: 'block',
    code,
    text: errorSentence(code, lang),
    source: ruleId === null ? null : rules[ruleId].source,
  }))
  const notice = (code: string, words: Words, ruleId: RuleId | null = null): RuleNote => ({
    level: 'notice',
    code,
    text: words[lang],
    source: ruleId === null ? null : rules[ruleId].source,
  })
  const ruled = ruleNotices(plan, facts).map(({ code, words, ruleId }) => notice(code, words, ruleId))
  const own = ownNotices(plan, facts).map(({ code, words }) => notice(code, words))
  return [...blocks, ...ruled, ...own]
}

interface Notice {
  readonly code: string
  readonly words: Words
}

/** What a rule of law asks for with this purchase. */
function ruleNotices(plan: Plan, facts: Circumstances): (Notice & { readonly ruleId: RuleId })[] {
  const notices: (Notice & { readonly ruleId: RuleId })[] = []
  const { version, priceTotalFen } = plan
  const wechat = paymentRoutes(facts.setting, priceTotalFen).find((route) => route.source === 'wechat_pay')
  if (wechat?.ruleId) {
    notices.push({ code: 'company_transfer', words: rules[wechat.ruleId].title, ruleId: wechat.ruleId })
    const code = wechat.allowed ? 'non_cash' : 'transfer_or_wallet'
    const said = !wechat.allowed || facts.takesWechatPay
    if (wechat.note && said) notices.push({ code, words: wechat.note, ruleId: wechat.ruleId })
  }
  if (asksRealName({ named: version.named, validDays: version.validDays ?? null }, priceTotalFen))
    notices.push({ code: 'real_name', words: rules.unnamed_real_name.title, ruleId: 'unnamed_real_name' })
  return notices
}

/** What our own arithmetic sees: money, people left out, and WeCom's limits. */
function ownNotices(plan: Plan, facts: Circumstances): Notice[] {
  const notices: Notice[] = []
  const say = (code: string, zh: string, en: string) => notices.push({ code, words: { zh, en } })
  const heads = plan.heads.length
  const missing = plan.priceTotalFen - facts.walletFen
  if (heads > 0 && missing > 0)
    say(
      'wallet_low',
      `企业余额 ${formatYuan(facts.walletFen)}，还差 ${formatYuan(missing)}，需充值或用其他方式付款。`,
      `The wallet holds ${formatYuan(facts.walletFen)}: ${formatYuan(missing)} more is to be paid another way or topped up.`,
    )
  const leftOut = [...plan.leftOut.values()].reduce((sum, count) => sum + count, 0)
  if (leftOut > 0)
    say(
      'left_out',
      `名单中有 ${leftOut} 行不会发卡，原因见下。`,
      `${leftOut} rows of the list get no card; see why below.`,
    )
  if (facts.toLookUp > 0)
    say(
      'to_look_up',
      `${facts.toLookUp} 人没有企业微信账号，发送前按手机号查找。`,
      `${facts.toLookUp} people have no WeCom account in the list and are looked up by mobile first.`,
    )
  if (facts.toLookUp > facts.lookUpsADay)
    say(
      'look_ups_rationed',
      `企业微信限制查不到的手机号数量：若都查不到，今天查到第 ${facts.lookUpsADay} 人就要停下，其余的人改日再发。`,
      `WeCom limits numbers that it does not know: if it knows none, we stop after ${facts.lookUpsADay} today and the rest wait for another day.`,
    )
  const unreachable = heads - facts.withUserId - facts.toLookUp
  if (unreachable > 0)
    say(
      'unreachable',
      `${unreachable} 人在企业微信里找不到，卡会照常生成，推送会失败；补上账号或手机号后可重发。`,
      `${unreachable} people cannot be found in WeCom: their cards are made, their messages fail and can be sent again once an account or mobile is known.`,
    )
  const later = heads - facts.sentFirst
  if (later > 0)
    say(
      'quota',
      facts.sentFirst > 0
        ? `应用每天最多发 ${facts.quota} 条消息：先发 ${facts.sentFirst} 人，其余 ${later} 人从第二天起自动续发。`
        : `应用每天最多发 ${facts.quota} 条消息，当天的已经用完：${later} 人从第二天起自动发送。`,
      facts.sentFirst > 0
        ? `The app may send ${facts.quota} messages a day: ${facts.sentFirst} people first, the other ${later} from the next day on, by itself.`
        : `The app may send ${facts.quota} messages a day and that day’s are used up: ${later} people follow from the next day on, by itself.`,
    )
  return notices
}

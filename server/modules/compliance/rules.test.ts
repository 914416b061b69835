import { describe, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { asksRealName, cardRules, paymentRoutes, rules, ruleText, type PaymentSetting, type RuleId } from './rules.ts'

const named = { named: true, validDays: null }
const unnamed = { named: false, validDays: 1095 }
const open = (setting: 'strict' | 'non_cash', yuanFen: number) =>
  paymentRoutes(setting, fen(yuanFen))
    .filter((route) => route.allowed)
    .map((route) => route.source)

describe('card rules hold on both sides of each limit', () => {
  test.each([
    ['named at 5,000 yuan', named, 500_000, []],
    ['named one fen over', named, 500_001, ['named_face']],
    ['unnamed at 1,000 yuan', unnamed, 100_000, []],
    ['unnamed one fen over', unnamed, 100_001, ['unnamed_face']],
    ['named with any expiry', { named: true, validDays: 36_500 }, 100, ['named_no_expiry']],
    ['unnamed for three years', { named: false, validDays: 1095 }, 100, []],
    ['unnamed a day short', { named: false, validDays: 1094 }, 100, ['unnamed_validity']],
    ['unnamed without expiry', { named: false, validDays: null }, 100, []],
    ['all that is wrong is named', { named: false, validDays: 1 }, 100_001, ['unnamed_face', 'unnamed_validity']],
  ] as const)('%s', (_name, terms, face, broken) => {
    expect(cardRules(terms, face)).toEqual(broken)
  })

  test('a purchase of unnamed cards asks for a real name from 10,000 yuan on; named cards carry one anyway', () => {
    expect(asksRealName(unnamed, 999_999)).toBe(false)
    expect(asksRealName(unnamed, 1_000_000)).toBe(true)
    expect(asksRealName(named, 1_000_000)).toBe(false)
  })
})

describe('payment routes of a company', () => {
  test('a fen under 5,000 yuan every way is open and nothing is said', () => {
    for (const setting of ['strict', 'non_cash'] as const) {
      expect(open(setting, 499_999)).toEqual(['wallet', 'wechat_pay', 'bank_transfer'])
      const ways = paymentRoutes(setting, fen(499_999)).filter((route) => route.source !== 'credit_line')
      expect(ways.every((route) => route.ruleId === null && route.note === null)).toBe(true)
    }
  })

  test('at 5,000 yuan `strict` leaves transfer and wallet, and names the rule', () => {
    expect(open('strict', 500_000)).toEqual(['wallet', 'bank_transfer'])
    const wechat = paymentRoutes('strict', fen(500_000)).find((route) => route.source === 'wechat_pay')
    expect(wechat?.ruleId).toBe('company_transfer')
    expect(wechat?.note?.zh).toContain('对公转账')
  })

  test('at 5,000 yuan `non_cash` leaves WeChat Pay too, and says that it is not an account', () => {
    expect(open('non_cash', 500_000)).toEqual(['wallet', 'wechat_pay', 'bank_transfer'])
    const wechat = paymentRoutes('non_cash', fen(500_000)).find((route) => route.source === 'wechat_pay')
    expect(wechat?.note?.zh).toContain('不是对公账户')
    expect(wechat?.note?.zh).toContain('openid')
    expect(wechat?.note?.en).toContain('not a transfer from a company account')
  })

  test('credit is no way unless the platform opened a line, and not at 5,000 yuan under `strict`', () => {
    const credit = (setting: PaymentSetting, total: number, line: boolean) =>
      paymentRoutes(setting, fen(total), line).find((route) => route.source === 'credit_line')
    for (const setting of ['strict', 'non_cash'] as const) {
      expect(credit(setting, 1, false)).toMatchObject({ allowed: false, ruleId: 'credit_purchase' })
      expect(credit(setting, 499_999, true)).toMatchObject({ allowed: true, ruleId: null })
    }
    expect(credit('strict', 500_000, true)).toMatchObject({ allowed: false, ruleId: 'company_transfer' })
    expect(credit('non_cash', 500_000, true)?.allowed).toBe(true)
  })

  test('cash is no source at any amount', () => {
    for (const total of [1, 499_999, 500_000]) {
      const sources: string[] = paymentRoutes('non_cash', fen(total)).map((route) => route.source)
      expect(sources).not.toContain('cash')
    }
  })
})

test('every rule says what it is in both languages, where it comes from and since when', () => {
  for (const [id, rule] of Object.entries(rules)) {
    expect(rule.id).toBe(id)
    expect(rule.effectiveFrom).toMatch(/^\d{4}-\d{2}-\d{2}$/)
    for (const lang of ['zh', 'en'] as const) {
      expect(ruleText(id as RuleId, lang)).toContain(rule.title[lang])
      expect(ruleText(id as RuleId, lang)).toContain(rule.source)
    }
  }
})

import { expect, test } from 'vitest'
import { describeRosterSkipped, describeRosterWarning, RosterSkipped, type RosterWarning } from './roster-remarks.ts'

const skipped = RosterSkipped.options.flatMap((option): RosterSkipped[] =>
  'sheet' in option.shape
    ? option.shape.code.options.map((code) => ({ code, sheet: 'S1' }) as RosterSkipped)
    : option.shape.code.options.map((code) => ({ code, row: 12 }) as RosterSkipped),
)
const warnings: RosterWarning[] = [
  { code: 'second_list', sheet: 'S1' },
  { code: 'empty_formulas', count: 12 },
  { code: 'hidden_rows', count: 12 },
  { code: 'disabled_accounts', count: 12 },
]

test('each remark names its place or count, in Chinese for Chinese readers and in English for the others', () => {
  expect(skipped).toHaveLength(7)
  const saidIn = (language: 'zh' | 'en'): string[] => [
    ...skipped.map((one) => Object.values(describeRosterSkipped(one, language)).join(' ')),
    ...warnings.map((one) => describeRosterWarning(one, language)),
  ]
  for (const text of saidIn('zh')) expect(text).toMatch(/\p{Script=Han}/u)
  for (const text of saidIn('en')) expect(text).not.toMatch(/\p{Script=Han}/u)
  for (const text of [...saidIn('zh'), ...saidIn('en')]) expect(text).toMatch(/S1|12/)
})

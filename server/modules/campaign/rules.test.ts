import { describe, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { CampaignContent } from '../../../contract/hr/campaign.ts'
import { encodeId } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import { priceOf } from '../../../contract/price.ts'
import type { Recipient } from '../staff/read-recipients.ts'
import { blocksOf, chooseHeads, hashContent } from './rules.ts'

const named = {
  named: true,
  validDays: null,
  faces: '[]',
  minFaceFen: 10_000,
  maxFaceFen: 500_000,
  stepFen: 5_000,
  priceBp: 9_500,
}
const content = CampaignContent.parse({
  title: '中秋福利',
  occasion: 'mid_autumn',
  cover: 'mid_autumn',
  templateVersionId: encodeId('templateVersion', 1n),
  rosterId: encodeId('roster', 1n),
  selection: { kind: 'all' },
  amountFrom: 'same',
  faceFen: 50_000,
  greeting: '{姓名}，中秋快乐！',
  sendAtMs: null,
})
const row = (person: number, amount: number | null): Recipient => ({
  personId: encodeId('person', BigInt(person)),
  department: '一部',
  amountFen: amount === null ? null : fen(amount),
})

describe('who gets what', () => {
  test('one amount for all: the list’s own amounts do not matter, a person twice counts once', () => {
    const { heads, leftOut } = chooseHeads(content, named, [row(1, 1), row(2, null), row(1, 99)])
    expect(heads.map((head) => [head.personId, head.faceFen, head.priceFen])).toEqual([
      [row(1, null).personId, 50_000, 47_500],
      [row(2, null).personId, 50_000, 47_500],
    ])
    expect([...leftOut]).toEqual([['repeated', 1]])
  })

  test('an amount column: no amount, nothing, below, beside a step and beyond are left out by reason', () => {
    const rows = [
      row(1, 10_000),
      row(2, null),
      row(3, 0),
      row(4, 9_999),
      row(5, 12_000),
      row(6, 505_000),
      row(7, 15_000),
    ]
    const { heads, leftOut } = chooseHeads({ amountFrom: 'column', faceFen: fen(50_000) }, named, rows)
    expect(heads.map((head) => head.faceFen)).toEqual([10_000, 15_000])
    expect(Object.fromEntries(leftOut)).toEqual({ no_amount: 1, face_not_allowed: 4 })
  })

  test('a face that the template has but the rule bars is not given', () => {
    const unnamed = { ...named, named: false, validDays: 1095 }
    const column = { amountFrom: 'column', faceFen: null } as const
    const { heads, leftOut } = chooseHeads(column, unnamed, [row(1, 100_000), row(2, 105_000)])
    expect(heads).toHaveLength(1)
    expect([...leftOut]).toEqual([['face_not_allowed', 1]])
  })

  test.each([
    [10_000, 10_000, 10_000],
    [10_000, 9_500, 9_500],
    [101, 5_000, 51],
    [99, 5_000, 50],
    [101, 4_999, 50],
    [1, 1, 1],
  ])('a face of %i at %i basis points costs %i: half a fen goes up, nothing is free', (face, bp, price) => {
    expect(priceOf(fen(face), bp)).toBe(price)
  })
})

describe('the hash stands for all that is approved', () => {
  const id = encodeId('campaign', 1n)
  const heads = [
    { personId: encodeId('person', 1n), faceFen: fen(50_000) },
    { personId: encodeId('person', 2n), faceFen: fen(60_000) },
  ]
  const hash = hashContent(id, content, heads)

  test('it is the same for the same, whatever the order of the keys', () => {
    const turned = Object.fromEntries(Object.entries(content).reverse()) as typeof content
    expect(hashContent(id, turned, heads)).toBe(hash)
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
  })

  test.each([
    ['title', { title: '中秋福利。' }],
    ['occasion', { occasion: 'thanks' }],
    ['cover', { cover: 'plain' }],
    ['template', { templateVersionId: encodeId('templateVersion', 2n) }],
    ['list', { rosterId: encodeId('roster', 2n) }],
    ['selection', { selection: { kind: 'departments', departments: ['一部'] } }],
    ['where the amount is from', { amountFrom: 'column' }],
    ['amount', { faceFen: fen(50_001) }],
    ['greeting', { greeting: '{姓名}，中秋快乐' }],
    ['time', { sendAtMs: 1 }],
  ] as const)('another %s is another hash', (_name, more) => {
    expect(hashContent(id, { ...content, ...(more as object) }, heads)).not.toBe(hash)
  })

  test('another campaign, another head, another face or another order of heads is another hash', () => {
    const [a, b] = heads as [(typeof heads)[0], (typeof heads)[0]]
    const others = [[a], [b, a], [a, { ...b, faceFen: fen(60_001) }], [a, b, b]]
    const hashes = [
      hashContent(encodeId('campaign', 2n), content, heads),
      ...others.map((o) => hashContent(id, content, o)),
    ]
    expect(new Set([hash, ...hashes]).size).toBe(6)
  })
})

describe('what keeps a campaign back', () => {
  const judge = (
    more: Partial<CampaignContent>,
    facts: { heads?: number; rosterUsed?: boolean; named?: boolean } = {},
  ) =>
    blocksOf({
      content: { ...content, ...more },
      terms: facts.named === false ? { ...named, named: false, validDays: 1095 } : named,
      heads: facts.heads ?? 1,
      rosterUsed: facts.rosterUsed ?? true,
      nowMs: 1_000,
    }).map((block) => [block.code, block.field])

  test('nothing does when all is well', () => {
    expect(judge({})).toEqual([])
    expect(judge({ sendAtMs: 1_000 })).toEqual([])
    expect(judge({}, { heads: limits.itemsPerOrder })).toEqual([])
    expect(judge({ greeting: '{姓名}{部门}{公司} 一个{' })).toEqual([])
  })

  test.each([
    ['no head', {}, { heads: 0 }, ['recipients_empty', 'selection']],
    ['too many heads', {}, { heads: limits.itemsPerOrder + 1 }, ['too_many_recipients', 'selection']],
    ['no amount', { faceFen: null }, {}, ['face_out_of_range', 'faceFen']],
    ['a face beside the steps', { faceFen: fen(50_001) }, {}, ['face_out_of_range', 'faceFen']],
    ['a named face over the limit', { faceFen: fen(500_001) }, {}, ['face_over_limit', 'faceFen']],
    ['an unnamed face over the limit', { faceFen: fen(105_000) }, { named: false }, ['face_over_limit', 'faceFen']],
    ['a list that is not applied', {}, { heads: 0, rosterUsed: false }, ['roster_not_ready', 'rosterId']],
    ['a time that has passed', { sendAtMs: 999 }, {}, ['send_time_past', 'sendAtMs']],
    ['an unknown merge field', { greeting: '{生日}快乐' }, {}, ['greeting_unknown_field', 'greeting']],
  ] as const)('%s', (_name, more, facts, block) => {
    expect(judge(more, facts)).toEqual([block])
  })

  test('the face limit is named with its rule', () => {
    const [block] = blocksOf({
      content: { ...content, faceFen: fen(500_001) },
      terms: named,
      heads: 1,
      rosterUsed: true,
      nowMs: 0,
    })
    expect(block?.ruleId).toBe('named_face')
  })
})

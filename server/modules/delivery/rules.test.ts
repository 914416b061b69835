import { access } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { covers } from '../../../contract/hr/campaign.ts'
import { clip } from '../campaign/message-words.ts'
import { isUserId } from './message-bodies.ts'
import { besideTheRush, mayRepeat, messageBody, waitAfter } from './rules.ts'

const message = {
  agentId: 1000002,
  companyName: '杭州青禾信息技术有限责任公司',
  companyCode: 'qinghe',
  campaignId: 'cam_0000000000001',
  title: '中秋节日问候',
  occasion: 'mid_autumn',
  cover: 'mid_autumn',
  publicUrl: 'http://fuli.example.com',
  userIds: ['zhangsan', 'LiSi'],
  again: null,
}

test('the body names the people once and the campaign by its link, and asks WeCom to pass over repeats', () => {
  expect(JSON.parse(messageBody(message))).toEqual({
    touser: 'zhangsan|LiSi',
    msgtype: 'template_card',
    agentid: 1000002,
    template_card: {
      card_type: 'text_notice',
      source: { desc: '杭州青禾信息技术有限责任…' },
      main_title: { title: '中秋节日问候', desc: '杭州青禾信息技术有限责任…送您一份中秋福利' },
      sub_title_text: '点开查看您的福利卡',
      card_action: { type: 1, url: 'http://fuli.example.com/pack/?campaign=cam_0000000000001&company=qinghe' },
    },
    enable_duplicate_check: 1,
    duplicate_check_interval: 14_400,
  })
  expect(messageBody({ ...message, again: 'dlb_0000000000001' })).toContain('&again=dlb_0000000000001')
})

test('over https the campaign’s cover is on the card, and its picture is in the pages', async () => {
  for (const cover of covers) {
    const body = JSON.parse(messageBody({ ...message, cover, publicUrl: 'https://fuli.example.com' })) as {
      template_card: { card_type: string; card_image: { url: string; aspect_ratio: number } }
    }
    const { card_type: kind, card_image: image } = body.template_card
    expect([kind, image.aspect_ratio]).toEqual(['news_notice', 1.6])
    expect(image.url).toBe(`https://fuli.example.com/assets/cover-${cover}.jpg`)
    await access(join(import.meta.dirname, '../../../wecom-app/public', new URL(image.url).pathname))
  }
})

test('a text is cut to its length and never inside of a character', () => {
  expect(clip('中秋', 2)).toBe('中秋')
  expect(clip('中秋节', 2)).toBe('中…')
  expect(clip('节😀😀😀', 3)).toBe('节😀…')
  expect(clip('节👨‍👩‍👧快乐', 4)).toBe('节…')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, most) => {
      const cut = clip(text, most)
      expect(Array.from(cut).length).toBeLessThanOrEqual(most)
      expect(cut.isWellFormed()).toBe(true)
      if (cut !== text) expect(text.startsWith(cut.slice(0, -1))).toBe(true)
    }),
  )
})

test('bytes are repeated inside four hours less ten minutes, to the millisecond', () => {
  const first = 1_000_000
  expect(mayRepeat(first, first + 13_800_000 - 1)).toBe(true)
  expect(mayRepeat(first, first + 13_800_000)).toBe(false)
})

test('minutes 0 and 30 are left to others', () => {
  const hour = Date.UTC(2026, 8, 25, 1)
  const quiet = { quietMinutes: true }
  expect(besideTheRush(quiet, hour)).toBe(hour + 60_000)
  expect(besideTheRush({ quietMinutes: false }, hour)).toBe(hour)
  expect(besideTheRush(quiet, hour + 59_999)).toBe(hour + 60_000)
  expect(besideTheRush(quiet, hour + 60_000)).toBe(hour + 60_000)
  expect(besideTheRush(quiet, hour + 30 * 60_000 + 1)).toBe(hour + 31 * 60_000)
  expect(besideTheRush(quiet, hour - 1)).toBe(hour - 1)
})

test('waiting doubles from a second to ten minutes', () => {
  expect([1, 2, 3, 10, 11, 500].map(waitAfter)).toEqual([1000, 2000, 4000, 512_000, 600_000, 600_000])
})

test('what would reach everybody, or two people, is no userid', () => {
  for (const bad of ['@all', 'a|b', '', 'a b', '张三', 'a'.repeat(65)]) expect(isUserId(bad)).toBe(false)
  for (const good of ['a', 'Zhang.San@qinghe', '7', 'a'.repeat(64)]) expect(isUserId(good)).toBe(true)
})

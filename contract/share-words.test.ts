import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cardFaults, shareWords, wordFaults, type Shared } from './share-words.ts'

const origin = 'https://fuli.example.com'

describe('words near what is passed on', () => {
  test.each([
    '分享给好友领红包',
    '分享好友，双方各得 10 元',
    '转发有礼',
    '转 发 领 好 礼',
    '转\u200b发\u200b领红包',
    '邀请 3 位好友赢大奖',
    '邀请好友，积分翻倍送你',
    '免费领，只要分享到朋友圈',
    '分享可提高中奖概率',
    '帮我砍一刀',
    '快来帮我助力',
    '集赞 20 个换卡',
    '每日签到',
    '请先转发再打开',
    '关注公众号后领取',
    '已分享 3 次',
    'Share with a friend and earn points',
    'Win a prize: forward this card',
    'Please share first',
    'Invite friends, get a bonus',
    'Ｓｈａｒｅ to unlock',
  ])('%j is an inducement', (text) => {
    expect(wordFaults(text)).toContain('inducement')
  })

  test.each([
    '送你一张青禾咖啡福利卡',
    '一份心意，打开看看',
    '把这张卡送给朋友',
    '点右上角“…”，选择朋友发送',
    '好友打开链接即可领取这张卡',
    '中秋快乐，阖家团圆',
    '超过 72 小时未领取，卡自动退回给你',
    'A gift card for you',
    'Tap "…" at the top right and choose a friend',
    'Whoever opens the link first can take the card',
  ])('%j is a plain word', (text) => {
    expect(wordFaults(text)).toEqual([])
  })

  test.each([
    ['面值 ¥100', ['price']],
    ['100元福利卡', ['price']],
    ['8.5折', ['price']],
    ['见 www.evil.example', ['address']],
    ['<b>卡</b>', ['address']],
  ])('%j: %j', (text, faults) => {
    expect(wordFaults(text)).toEqual(faults)
  })
})

describe('a card in a chat', () => {
  const gift: Shared = { what: 'gift', brandName: '青禾咖啡', fromName: '小林' }
  const listing: Shared = { what: 'listing', title: '中秋咖啡卡', brandName: '青禾咖啡' }

  test('says who gives what, in both languages', () => {
    expect(shareWords(gift, 'zh')).toEqual({ title: '小林送你一张青禾咖啡福利卡', text: '一份心意，打开看看' })
    expect(shareWords(gift, 'en').title).toBe('小林 sends you a card of 青禾咖啡')
    expect(shareWords({ ...gift, fromName: null }, 'zh').title).toBe('送你一张青禾咖啡福利卡')
    expect(shareWords({ ...gift, fromName: null }, 'en').title).toBe('A card of 青禾咖啡 for you')
    expect(shareWords(listing, 'zh')).toEqual({ title: '中秋咖啡卡', text: '青禾咖啡' })
  })

  test('a name that breaks the rules stands on none', () => {
    expect(shareWords({ ...gift, fromName: '分享领红包' }, 'zh').title).toBe('送你一张福利卡')
    expect(shareWords({ ...gift, brandName: '<script>' }, 'zh').title).toBe('送你一张福利卡')
    expect(shareWords({ ...listing, title: '咖啡卡 100 元' }, 'zh').title).toBe('福利卡')
    expect(shareWords({ ...listing, title: '长'.repeat(60) }, 'en').title).toBe('Gift card')
  })

  test('whatever the names are, no card breaks the rules', () => {
    const part = fc.constantFrom(
      '分享',
      '领',
      '红包',
      ' ',
      '\u200b',
      '转发',
      '8折',
      'http://',
      '咖啡',
      '送',
      '100元',
      'win',
    )
    const name = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''))
    const lang = fc.constantFrom('zh' as const, 'en' as const)
    const shared: fc.Arbitrary<Shared> = fc.oneof(
      fc.record({ what: fc.constant('gift' as const), brandName: name, fromName: fc.option(name) }),
      fc.record({ what: fc.constant('listing' as const), title: name, brandName: name }),
    )
    fc.assert(
      fc.property(shared, lang, (one, inLang) => {
        const words = shareWords(one, inLang)
        expect(cardFaults({ ...words, url: `${origin}/shop/` }, { origin, everybody: true })).toEqual([])
      }),
    )
  })

  test('leads to our own pages, and a gift is for one person', () => {
    const words = shareWords(gift, 'zh')
    const faults = (url: string, everybody = false) => cardFaults({ ...words, url }, { origin, everybody })
    expect(faults(`${origin}/mine/gift/ABC`)).toEqual([])
    expect(faults(`${origin}/mine/gift/ABC`, true)).toEqual(['token_for_all'])
    expect(faults(`${origin}/shop/`, true)).toEqual([])
    for (const url of [
      'https://evil.example/shop/',
      'https://fuli.example.com.evil.example/',
      'https://fuli.example.com@evil.example/',
      'https://x@fuli.example.com/shop/',
      'http://fuli.example.com/shop/',
      'javascript:alert(1)',
      '/shop/',
    ])
      expect(faults(url), url).toEqual(['outside_link'])
  })
})

/** Texts of all pages that people pass things on from, by file and key. */
function textsOfPages(): readonly (readonly [string, string])[] {
  const pages = join(import.meta.dirname, '../wecom-app')
  const files = readdirSync(pages, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /^(employee|shop|store|lib)\/.*locales\/.*\.json$/.test(path),
  )
  const textsOf = (value: unknown, at: string): (readonly [string, string])[] =>
    typeof value === 'string'
      ? [[at, value]]
      : Object.entries(value as object).flatMap(([key, inner]) => textsOf(inner, `${at}.${key}`))
  return files.flatMap((path) => textsOf(JSON.parse(readFileSync(join(pages, path), 'utf8')), path))
}

describe('texts of pages that people pass things on from', () => {
  const texts = textsOfPages()

  test('are there', () => {
    expect(texts.length).toBeGreaterThan(100)
    expect(texts.some(([, text]) => text.includes('福利卡'))).toBe(true)
  })

  test('none promises, demands or counts sharing', () => {
    const wrong = texts.filter(([, text]) => wordFaults(text).includes('inducement'))
    expect(wrong).toEqual([])
  })
})

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reviewAdapter } from './adapter.ts'
import { ownWordsFile, readWords } from './words-file.ts'

const own = reviewAdapter({ words: readWords(ownWordsFile), pictures: 'person' })

describe('texts, by the list of words', () => {
  test.each([
    '赌博',
    '一起来赌 博吧',
    '赌\u200b博\ufeff',
    '赌.博',
    '赌**博',
    '加ＱＱ：12345',
    '加 Q-Q',
    'ＰＯＲＮ',
    'p o r n',
    'pörn',
    '看 hｔtps://example.com',
    '傻\u00ad逼',
  ])('%j is refused', async (text) => {
    expect(await own.reviewText(text)).toBe('refuse')
  })

  test.each([
    '',
    '中秋快乐，阖家团圆！',
    '祝小明 18 岁生日快乐 🎂',
    'Happy birthday! It was an occasion only casual friends miss.',
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    '百家饭，乐呵呵',
    '加班辛苦了，微信上聊',
    '祝妈妈的生日快乐，给您买了大麻花',
  ])('%j passes: markup is text like any other', async (text) => {
    expect(await own.reviewText(text)).toBe('pass')
  })

  test('a word of the list is found wherever it stands and however it is spaced', async () => {
    const spacing = fc.constantFrom('', ' ', '　', '\u200d', '\u2060', '·', '-', '\n', '！')
    const words = readWords(ownWordsFile)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...words), fc.string(), fc.string(), spacing, async (word, a, b, gap) => {
        const spaced = Array.from(word).join(gap)
        expect(await own.reviewText(`${a}${spaced}${b}`)).toBe('refuse')
      }),
    )
  })

  test('300 signs cost next to nothing', async () => {
    const begun = performance.now()
    for (let times = 0; times < 200; times += 1) await own.reviewText('祝你生日快乐'.repeat(50))
    expect(performance.now() - begun).toBeLessThan(2_000)
  })
})

describe('pictures', () => {
  test('go to a person, unless the sandbox lets them pass', async () => {
    expect(await own.reviewPicture(Buffer.alloc(1))).toBe('person')
    const sandbox = reviewAdapter({ words: ['xx'], pictures: 'pass' })
    expect(await sandbox.reviewPicture(Buffer.alloc(1))).toBe('pass')
  })
})

describe('a list of an operator’s own', () => {
  const fileOf = (content: string): string => {
    const path = join(mkdtempSync(join(tmpdir(), 'fulika-words-')), 'words.txt')
    writeFileSync(path, content)
    return path
  }

  test('is read without remarks, empty lines and doubles, as texts are compared', () => {
    expect(readWords(fileOf('# remark\r\n\r\n ＡＢ \r\nab\n坏 词\n'))).toEqual(['ab', '坏词'])
  })

  test.each([
    ['nothing in it', '# only a remark\n'],
    ['a word of one sign', '坏词\n的\n'],
    ['a word of signs alone', '坏词\n***\n'],
  ])('is refused: %s', (_name, content) => {
    expect(() => readWords(fileOf(content))).toThrow()
  })

  test('is refused where it is not there', () => {
    expect(() => readWords('/nowhere/words.txt')).toThrow()
  })
})

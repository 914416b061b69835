import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { boxApp, openBox, type Box } from '../../testing/wecom-box.ts'
import {
  buttonCard,
  clipBytes,
  miniprogramNotice,
  newsNotice,
  recipientsOf,
  sendBody,
  textCard,
  textMessage,
  textNotice,
  withRecipients,
  type MessageContent,
} from './message-bodies.ts'

let box: Box
beforeAll(async () => {
  box = await openBox()
})
afterAll(() => box.close())

const url = 'https://fuli.example.com/pack/?company=qinghe'
const long = '很长的一段话'.repeat(200)
const envelope = { agentId: boxApp.agentId, userIds: ['ZhangSan'] }
const words = { source: '青禾信息', title: '中秋福利', desc: '送您一份中秋福利', url }
const facts = Array.from({ length: 9 }, (_, i) => ({ name: `很长的名字${i}`, value: long, url }))
const image = { url: 'https://fuli.example.com/assets/cover-plain.jpg', aspectRatio: 1.6 }

const kinds: Readonly<Record<string, MessageContent>> = {
  text: textMessage(`${long}${long}`),
  textcard: textCard({ title: long, description: long, url, button: '去看看' }),
  text_notice: textNotice({ ...words, title: long, subtitle: long, facts }),
  news_notice: newsNotice({ ...words, subtitle: long, facts, image }),
  button_interaction: buttonCard({
    ...words,
    facts,
    taskId: 'ntf_0000000000001',
    buttons: [
      { text: '同意', style: 1, does: { key: 'approve' } },
      { text: '查看', style: 2, does: { url } },
    ],
  }),
}

test.each(Object.keys(kinds))('%s goes through WeCom as it is, however long its words are', async (name) => {
  const sent = await box.port.send(boxApp, sendBody(envelope, kinds[name]!))
  expect(sent).toMatchObject({ invalidUsers: [], unlicensedUsers: [] })
  expect(sent.messageId).not.toBeNull()
  expect(sent.responseCode === null).toBe(name !== 'button_interaction')
})

test('a mini program notice keeps its lengths', () => {
  const notice = miniprogramNotice({ appId: 'wx1', title: long, description: long, facts: [...facts, ...facts] })
  const { title, content_item: items } = (notice as { miniprogram_notice: { title: string; content_item: object[] } })
    .miniprogram_notice
  expect([Array.from(title).length, items.length]).toEqual([12, 10])
  expect(() => miniprogramNotice({ appId: 'wx1', title: '短' })).toThrow(RangeError)
  expect(sendBody(envelope, notice)).not.toContain('agentid')
})

test('what WeCom refuses is not written', () => {
  const card = textNotice(words)
  expect(() => sendBody({ agentId: 1, userIds: [] }, card)).toThrow(RangeError)
  expect(() => sendBody({ agentId: 1, userIds: ['@all'] }, card)).toThrow(RangeError)
  expect(() => sendBody({ agentId: 1, userIds: ['a|b'] }, card)).toThrow(RangeError)
  const crowd = Array.from({ length: 1001 }, (_, i) => `u${i}`)
  expect(() => sendBody({ agentId: 1, userIds: crowd }, card)).toThrow(RangeError)
  expect(() => textNotice({ ...words, url: 'javascript:alert(1)' })).toThrow(RangeError)
  expect(() => newsNotice({ ...words, image: { url, aspectRatio: 3 } })).toThrow(RangeError)
  expect(() => buttonCard({ ...words, taskId: 'a b', buttons: [] })).toThrow(RangeError)
  expect(() => buttonCard({ ...words, taskId: 'a b', buttons: [{ text: 'x', style: 1, does: { key: 'k' } }] })).toThrow(
    RangeError,
  )
})

test('the same message to fewer people differs in its people alone', () => {
  const body = sendBody({ agentId: 1, userIds: ['a', 'B', 'c'] }, textNotice(words))
  const fewer = withRecipients(body, ['B'])
  expect(recipientsOf(fewer)).toEqual(['B'])
  expect(withRecipients(fewer, ['a', 'B', 'c'])).toBe(body)
})

test('bytes are counted, and no character is cut in two', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 4, max: 60 }), (text, most) => {
      const cut = clipBytes(text, most)
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(most)
      expect(cut.isWellFormed()).toBe(true)
    }),
  )
})

import { expect, test } from 'vitest'
import { NoticeRefused } from './outside.ts'
import { changeTypeOf, elementsOrNone, kindOf, readEvent } from './push-xml.ts'

test('elements come by name with or without CDATA, as text, and in lists where they repeat', () => {
  const message = `
    <xml><ToUserName><![CDATA[ww1]]></ToUserName><Event>change_contact</Event >
    <ChangeType>Update_User</ChangeType><MsgId>4561255354251345929</MsgId><Empty/><Blank><![CDATA[]]></Blank>
    <Title><![CDATA[<b>a & b</b> &lt; <!DOCTYPE x>]]></Title>
    <SelectedItems><SelectedItem><QuestionKey>q</QuestionKey><OptionIds><OptionId>1</OptionId><OptionId>2</OptionId></OptionIds></SelectedItem></SelectedItems>
    </xml >`
  const elements = readEvent(message)
  expect(elements).toEqual({
    ToUserName: 'ww1',
    Event: 'change_contact',
    ChangeType: 'Update_User',
    MsgId: '4561255354251345929',
    Empty: '',
    Blank: '',
    Title: '<b>a & b</b> &lt; <!DOCTYPE x>',
    SelectedItems: { SelectedItem: { QuestionKey: 'q', OptionIds: { OptionId: ['1', '2'] } } },
  })
  expect([kindOf(elements), changeTypeOf(elements)]).toEqual(['change_contact', 'update_user'])
  expect(elements['event']).toBeUndefined()
})

test('a suite event is told by InfoType, a message by MsgType, and what names nothing is other', () => {
  const kindIn = (inside: string) => kindOf(readEvent(`<xml>${inside}</xml>`))
  expect(kindIn('<SuiteId>s</SuiteId><InfoType><![CDATA[suite_ticket]]></InfoType>')).toBe('suite_ticket')
  expect(kindIn('<MsgType>text</MsgType><Content>hi</Content>')).toBe('text')
  expect(kindIn('<MsgType>event</MsgType><Event>LOCATION</Event>')).toBe('location')
  for (const none of ['', '<Event>a b</Event>', '<Event><x>subscribe</x></Event>', '<Event>a</Event><Event>b</Event>'])
    expect(kindIn(none)).toBe('other')
  expect(changeTypeOf(readEvent('<xml><ChangeType>x y</ChangeType></xml>'))).toBeNull()
})

test('a DTD, an entity, other roots, reserved names, depth without end and plain text are refused', () => {
  const deep = `${'<a>'.repeat(40)}x${'</a>'.repeat(40)}`
  const bad = [
    '',
    'plain',
    '<other><Event>x</Event></other>',
    '<xml>text</xml>',
    '<!DOCTYPE x [<!ENTITY e "a">]><xml><Event>subscribe</Event></xml>',
    '<xml><Event>x</Event><!ENTITY e "a"></xml>',
    '<xml><__proto__>x</__proto__></xml>',
    `<xml>${deep}</xml>`,
    '<xml><Event>1</Event></xml><xml><Event>2</Event></xml>',
  ]
  for (const message of bad) {
    expect(() => readEvent(message)).toThrow(NoticeRefused)
    expect(elementsOrNone(message)).toEqual({})
  }
})

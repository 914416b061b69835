import { expect, test } from 'vitest'
import { encrypt, getSignature } from '@wecom/crypto'
import { NoticeRefused } from '../../kernel/outside.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { openCallback, verifyUrl } from './callback.ts'

const config = {
  token: 'QDG6eK',
  aesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
  receiveIds: ['wx5823bf96d3bd56c7'],
}
const echo = {
  timestamp: '1409659589',
  nonce: '263014780',
  msg_signature: '5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3',
  echostr: 'P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==',
}
const cipher =
  'RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=='
const message = {
  timestamp: '1409659813',
  nonce: '1372623149',
  msg_signature: '477715d11cdb4164915debcba66cb864d751f3e6',
}
const at = 1409659813_000
const body = (encrypted: string) =>
  Buffer.from(
    `<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName><AgentID><![CDATA[218]]></AgentID><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`,
  )
const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof NoticeRefused) return error.code
    throw error
  }
  return 'none'
}
const sealed = (encrypted: string) => ({
  timestamp: message.timestamp,
  nonce: 'n',
  msg_signature: getSignature(config.token, message.timestamp, 'n', encrypted),
})

test('the official vector of URL verification gives its plain text', () => {
  expect(verifyUrl(config, echo)).toBe('1616140317555161061')
})

test('the official message vector opens to its XML, line breaks included', () => {
  const opened = openCallback(config, message, body(cipher), at)
  expect(opened.message).toBe(
    '<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName>\n<FromUserName><![CDATA[mycreate]]></FromUserName>\n<CreateTime>1409659813</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[hello]]></Content>\n<MsgId>4561255354251345929</MsgId>\n<AgentID>218</AgentID>\n</xml>',
  )
  expect(opened.receiveId).toBe('wx5823bf96d3bd56c7')
})

test('signature, age, addressee and form are each refused with their own code', () => {
  expect(codeOf(() => openCallback(config, { ...message, nonce: '1' }, body(cipher), at))).toBe('signature_wrong')
  expect(codeOf(() => openCallback(config, { ...message, msg_signature: 'ab' }, body(cipher), at))).toBe(
    'signature_wrong',
  )
  expect(codeOf(() => openCallback(config, {}, body(cipher), at))).toBe('signature_missing')
  expect(codeOf(() => openCallback(config, message, body(cipher), at + 300_001))).toBe('stale')
  expect(codeOf(() => openCallback(config, message, body(cipher), at + 300_000))).toBe('none')
  expect(codeOf(() => openCallback({ ...config, receiveIds: ['ww2'] }, message, body(cipher), at))).toBe('cipher_wrong')
  expect(codeOf(() => openCallback(config, message, Buffer.from('not xml'), at))).toBe('malformed')
  const doctype = Buffer.from('<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>')
  expect(codeOf(() => openCallback(config, message, doctype, at))).toBe('malformed')
  expect(codeOf(() => verifyUrl(config, { ...echo, echostr: '' }))).toBe('malformed')
})

test('an envelope with more in it than WeCom sends is refused before it is taken apart', () => {
  const padded = (more: string) => Buffer.from(body(cipher).toString().replace('</xml>', `${more}</xml>`))
  expect(codeOf(() => openCallback(config, message, padded('<More>1</More>'), at))).toBe('none')
  for (const costly of ['<a/>', '<a></a>', '<![CDATA[]]>'])
    expect(codeOf(() => openCallback(config, message, padded(costly.repeat(120)), at))).toBe('malformed')
})

test('a well signed but broken cipher text is refused', () => {
  for (const bad of ['AAAA', Buffer.alloc(32, 7).toString('base64'), 'not-base64!'])
    expect(codeOf(() => openCallback(config, sealed(bad), body(bad), at))).toBe('cipher_wrong')
})

test('a message sealed by the library opens here', () => {
  const encrypted = encrypt(config.aesKey, '<xml>你好</xml>', config.receiveIds[0]!)
  expect(openCallback(config, sealed(encrypted), body(encrypted), at).message).toBe('<xml>你好</xml>')
})

test('a callback is verified for any of the ids of its address, and told by its kind and change', () => {
  const corpId = 'wwSandbox01'
  const nowMs = Date.UTC(2026, 0, 5, 2)
  const port = wecomOf({ baseUrl: 'http://127.0.0.1:1' }, { now: () => nowMs })
  const keys = {
    token: 'QDG6eK',
    encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C',
    receiveIds: [corpId, 'wwProvider'],
  }
  const signed = (cipher: string, atMs = nowMs) => {
    const timestamp = String(atMs / 1000)
    return { timestamp, nonce: 'n', msg_signature: getSignature(keys.token, timestamp, 'n', cipher) }
  }
  const open = (message: string, to = corpId, atMs = nowMs) => {
    const cipher = encrypt(keys.encodingAesKey, message, to)
    const raw = Buffer.from(`<xml><Encrypt><![CDATA[${cipher}]]></Encrypt></xml>`)
    return port.openCallback(keys, signed(cipher, atMs), raw)
  }
  const echostr = encrypt(keys.encodingAesKey, '16161403', corpId)
  expect(port.verifyCallback(keys, { ...signed(echostr), echostr })).toBe('16161403')
  const foreign = encrypt(keys.encodingAesKey, '16161403', 'wwOther')
  const refused = [
    () => port.verifyCallback(keys, { ...signed(echostr), nonce: 'm', echostr }),
    () => port.verifyCallback(keys, { ...signed(foreign), echostr: foreign }),
    () => port.verifyCallback(keys, { ...signed(echostr, nowMs - 3_600_000), echostr }),
    () => open('<xml/>', 'wwOther'),
    () => open('<xml/>', corpId, nowMs - 3_600_000),
  ]
  for (const run of refused) expect(run).toThrow(NoticeRefused)

  expect(open('<xml/>', 'wwProvider')).toMatchObject({ receiveId: 'wwProvider' })
  const change = '<xml><InfoType>change_contact</InfoType><ChangeType>update_user</ChangeType></xml>'
  expect(open(change)).toMatchObject({ kind: 'change_contact', changeType: 'update_user' })
  const event = '<xml><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[Enter_Agent]]></Event></xml>'
  expect(open(event)).toMatchObject({ kind: 'enter_agent', message: event })
  const kinds: readonly [string, string][] = [
    ['<xml><MsgType>text</MsgType><Content>hi</Content></xml>', 'text'],
    ['<xml><Event>a b</Event></xml>', 'other'],
    ['<xml><Event><x>subscribe</x></Event></xml>', 'other'],
    ['<!DOCTYPE x [<!ENTITY e "a">]><xml><Event>subscribe</Event></xml>', 'other'],
    ['no xml at all', 'other'],
    ['', 'other'],
  ]
  for (const [message, kind] of kinds)
    expect(open(message)).toEqual({ kind, changeType: null, receiveId: corpId, message })
})

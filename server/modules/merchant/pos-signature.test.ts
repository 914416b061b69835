import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isSignedWith, posSignedText, readPosSignature } from './pos-signature.ts'

const page = readFileSync(new URL('../../../docs/pos.md', import.meta.url), 'utf8')
const fenced = (name: string): string => page.split(`\`\`\`${name}\n`)[1]!.split('\n```')[0]!
const key = /With the key `([^`]+)`/.exec(page)![1]!

test('the worked example of docs/pos.md is what is signed, and its signature holds', () => {
  const [method = '', url = '', timestamp = '', nonce = '', body = ''] = fenced('signed').split('\n')
  const request = { method, url, body: Buffer.from(body, 'utf8') }
  expect(posSignedText(request, timestamp, nonce).toString('utf8')).toBe(fenced('signed'))
  const signature = fenced('signature')
  const header = `FULIKA-HMAC-SHA256 terminal=trm_06YGPJVCC0400,timestamp=${timestamp},nonce=${nonce},signature=${signature}`
  const said = readPosSignature(header)!
  expect(isSignedWith(key, request, said)).toBe(true)
  expect(isSignedWith(`${key}x`, request, said)).toBe(false)
  expect(isSignedWith(key, { ...request, body: Buffer.from(`${body} `) }, said)).toBe(false)
})

test('the webhook of docs/pos.md carries the signature of its body', () => {
  const [, stamp = ''] = /^Fulika-Timestamp: (\d+)$/m.exec(page)!
  const [, signature = ''] = /^Fulika-Signature: v1=([0-9a-f]{64})$/m.exec(page)!
  const [body = ''] = /^\{"id":"whd_.*\}$/m.exec(page)!
  expect(createHmac('sha256', key).update(`${stamp}.${body}`).digest('hex')).toBe(signature)
})

test('the parts of the header may stand in any order and with spaces between; anything else is none', () => {
  const parts = [
    'terminal=trm_06YGPJVCC0400',
    'timestamp=1795420800',
    `nonce=${'a'.repeat(16)}`,
    `signature=${'0'.repeat(64)}`,
  ]
  const read = (text: string) => readPosSignature(text)?.terminalId ?? null
  expect(read(`FULIKA-HMAC-SHA256 ${parts.toReversed().join(', ')}`)).toBe('trm_06YGPJVCC0400')
  for (const wrong of [
    `Bearer ${parts.join(',')}`,
    `FULIKA-HMAC-SHA256 ${parts.slice(1).join(',')}`,
    `FULIKA-HMAC-SHA256 ${[...parts, parts[0]].join(',')}`,
    `FULIKA-HMAC-SHA256 ${parts.join(',').replace('trm_', 'crd_')}`,
    `FULIKA-HMAC-SHA256 ${parts.join(',').replace(/0{64}/, 'A'.repeat(64))}`,
    `FULIKA-HMAC-SHA256 ${parts.join(',').replace('1795420800', '1795420800000')}`,
  ])
    expect([wrong, read(wrong)]).toEqual([wrong, null])
})

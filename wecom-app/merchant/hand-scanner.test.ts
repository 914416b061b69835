import { expect, test } from 'vitest'
import { handScanner, readPayCode } from './hand-scanner.ts'

const code = '28'.repeat(26)

test('a code is read with what stands around it, and nothing else is taken for one', () => {
  for (const text of [code, ` ${code}\n`, code.replace(/(.{4})/g, '$1 '), code.replace(/(.{13})/g, '$1-')])
    expect(readPayCode(text)).toBe(code)
  for (const text of ['', code.slice(1), `${code}1`, `x${code.slice(1)}`, `https://fulika.test/${code}`])
    expect(readPayCode(text)).toBeNull()
})

test('digits with Enter are a code; those of minutes ago are not', () => {
  const fire = (gapMs: number, listen = handScanner()): string | null => {
    let at = 0
    for (const digit of code) expect(listen(digit, (at += gapMs))).toBeNull()
    return listen('Enter', at + gapMs)
  }
  expect(fire(5)).toBe(code)
  expect(fire(3000)).toBeNull()
  const twice = handScanner()
  expect([fire(5, twice), fire(5, twice)]).toEqual([code, code])
  expect(handScanner()('Enter', 1)).toBeNull()
})

test('what was typed before does not spoil a scan', () => {
  const listen = handScanner()
  listen('7', 0)
  let at = 50
  for (const digit of code) listen(digit, (at += 4))
  expect(listen('Enter', at + 4)).toBe(code)
})

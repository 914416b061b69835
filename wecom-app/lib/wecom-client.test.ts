// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { available, closeWindow, ownPlace, scanCode, selectPeople, setSharing } from './wecom-client.ts'

const browserOf = (userAgent: string): void => {
  vi.stubGlobal('navigator', { userAgent })
  vi.stubGlobal('location', new URL('https://fuli.example.com/pack/cards/1'))
}
beforeEach(() => browserOf('Mozilla/5.0 (iPhone) Safari/604.1'))
afterEach(() => vi.unstubAllGlobals())

test('in a plain browser nothing is loaded or asked, and every function says that it did nothing', async () => {
  const asked = vi.fn()
  vi.stubGlobal('fetch', asked)
  expect(available()).toBe(false)
  expect(await Promise.all([closeWindow(), setSharing(true), setSharing(false)])).toEqual([false, false, false])
  expect(await Promise.all([scanCode(), selectPeople()])).toEqual([null, null])
  expect(asked).not.toHaveBeenCalled()
})

test('WeCom’s client is known by its name, on a phone and on a desk', () => {
  for (const agent of [
    'Mozilla/5.0 (iPhone) wxwork/4.1.36 MicroMessenger/7.0.1',
    'Mozilla/5.0 (Windows NT 10.0) WXWork/4.1',
  ]) {
    browserOf(agent)
    expect(available()).toBe(true)
  }
})

test('a scanned code leads to a place of this site or nowhere', () => {
  expect(ownPlace(' https://fuli.example.com/claim/w/Ab12?x=1#y ')).toBe('/claim/w/Ab12?x=1#y')
  for (const text of [
    'https://fuli.example.com.evil.test/claim/w/1',
    'https://fuli.example.com@evil.test/claim',
    'https://user@fuli.example.com/claim',
    'http://fuli.example.com/claim',
    'https://fuli.example.com:8443/claim',
    'javascript:alert(1)',
    'data:text/html,x',
    '//fuli.example.com/claim',
    '6901234567892',
    '',
  ])
    expect([text, ownPlace(text)]).toEqual([text, null])
})

test('no other file of the pages speaks with the library itself', () => {
  const root = fileURLToPath(new URL('../', import.meta.url))
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.(ts|vue)$/.test(name) && !name.startsWith('dist/'),
  )
  const speaking = files.filter((name) => /['"]@wecom\/jssdk/.test(readFileSync(`${root}${name}`, 'utf8')))
  expect(speaking.sort()).toEqual(['lib/wecom-client.ts'])
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ownPlace } from './own-place.ts'

beforeEach(() => void vi.stubGlobal('location', new URL('https://fuli.example.com/pack/cards/1')))
afterEach(() => vi.unstubAllGlobals())

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

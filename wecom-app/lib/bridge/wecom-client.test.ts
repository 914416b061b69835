import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { closeWindow, scanCode, selectPeople, setSharing } from './wecom-client.ts'

beforeEach(() => {
  vi.stubGlobal('navigator', { userAgent: 'Mozilla/5.0 (iPhone) Safari/604.1' })
  vi.stubGlobal('location', new URL('https://fuli.example.com/pack/cards/1'))
})
afterEach(() => vi.unstubAllGlobals())

test('in a plain browser nothing is loaded or asked, and every function says that it did nothing', async () => {
  const asked = vi.fn()
  vi.stubGlobal('fetch', asked)
  const outcomes = await Promise.all([closeWindow(), setSharing(true), setSharing(false), scanCode(), selectPeople()])
  expect(outcomes).toEqual(outcomes.map(() => ({ kind: 'unavailable', gap: 'client_only' })))
  expect(asked).not.toHaveBeenCalled()
})

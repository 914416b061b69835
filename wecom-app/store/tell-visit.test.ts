import { afterEach, beforeEach, expect, test, vi } from 'vitest'

vi.hoisted(() => {
  vi.stubGlobal('location', new URL('http://here.test/shop/'))
  vi.stubGlobal('navigator', { userAgent: 'Mozilla/5.0 MicroMessenger/8.0' })
})
const { tellVisit } = await import('./tell-visit.ts')

let kept: Map<string, string>
let told: { visitor: string; channel: string; steps: string[] }[]
let status = 204
beforeEach(() => {
  vi.useFakeTimers({ now: new Date(2026, 10, 23, 12) })
  kept = new Map()
  told = []
  status = 204
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  })
  vi.stubGlobal('fetch', (_url: string, init: { body: string }) => {
    told.push(JSON.parse(init.body) as (typeof told)[number])
    if (status === 0) return Promise.reject(new TypeError('no network'))
    return Promise.resolve(new Response(null, { status }))
  })
})
afterEach(() => vi.useRealTimers())
const tell = async (steps: ('visit' | 'view')[]): Promise<void> => {
  tellVisit(steps)
  await vi.advanceTimersByTimeAsync(2_000)
}

test('each step is told once a day, under one number that is another one the next day', async () => {
  await tell(['visit'])
  await tell(['visit', 'view'])
  await tell(['visit', 'view'])
  expect(told.map(({ steps }) => steps)).toEqual([['visit'], ['view']])
  expect(told[0]!.visitor).toMatch(/^[0-9a-f]{32}$/)
  expect(told[1]!.visitor).toBe(told[0]!.visitor)
  expect(told[0]!.channel).toBe('wechat')
  vi.setSystemTime(new Date(2026, 10, 24, 0, 0, 1))
  await tell(['visit'])
  expect(told).toHaveLength(3)
  expect(told[2]!.visitor).not.toBe(told[0]!.visitor)
})

test('what was not taken is told again, and nothing of it troubles the page', async () => {
  status = 0
  await tell(['visit'])
  status = 503
  await tell(['visit'])
  status = 204
  await tell(['visit'])
  await tell(['visit'])
  expect(told).toHaveLength(3)
})

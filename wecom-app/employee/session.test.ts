import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { enter, gate, gateProblem, refusedWith, session } from './session.ts'

const here = vi.hoisted(() => {
  const address = 'http://here.test/pack/'
  vi.stubGlobal('location', new URL(address))
  return address
})
let went: string[] = []
let kept: Map<string, string>
let passing: Map<string, string>

const storage = (map: Map<string, string>) => ({
  getItem: (key: string) => map.get(key) ?? null,
  setItem: (key: string, value: string) => void map.set(key, value),
})

/** A page that is opened at an address and whose server answers so. */
async function arrive(href: string, status: number, body: unknown = {}): Promise<void> {
  session.value = null
  vi.stubGlobal('location', { href, replace: (to: string) => went.push(to) })
  vi.stubGlobal('document', { documentElement: { lang: 'zh-CN' } })
  vi.stubGlobal('localStorage', storage(kept))
  vi.stubGlobal('sessionStorage', storage(passing))
  vi.stubGlobal('fetch', () =>
    status === 0
      ? Promise.reject(new TypeError('no network'))
      : Promise.resolve(new Response(JSON.stringify(body), { status })),
  )
  const entered = enter()
  await vi.runAllTimersAsync()
  await entered
}
const person = { name: '王芳', companyName: '青禾制造', companyCode: 'demo', timeZone: 'Asia/Shanghai', sandbox: false }
const nobody = { code: 'unauthenticated', title: 'x', requestId: 'r' }

beforeEach(() => {
  vi.useFakeTimers()
  went = []
  kept = new Map()
  passing = new Map()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('a message asks WeCom whose phone it is, and comes back without the company', async () => {
  await arrive(`${here}?campaign=cam_1&company=DEMO`, 200, person)
  expect(gate.value).toBe('leaving')
  expect(went).toEqual([`/employee/sign-in/demo?return=${encodeURIComponent('/pack/?campaign=cam_1')}`])
})

test('a session that is there opens the pack; only the company code is kept on the phone', async () => {
  await arrive(`${here}?campaign=cam_1`, 200, person)
  expect([gate.value, session.value?.name]).toEqual(['open', '王芳'])
  expect([...kept.values()]).toEqual(['demo'])
  expect(went).toEqual([])
})

test('a session that is over is renewed for the company used last, once and not in circles', async () => {
  kept.set('fulika.packCompany', 'demo')
  await arrive(`${here}cards/crd_1`, 401, nobody)
  expect(gate.value).toBe('leaving')
  expect(went).toEqual(['/employee/sign-in/demo?return=%2Fpack%2Fcards%2Fcrd_1'])
  await arrive(`${here}cards/crd_1`, 401, nobody)
  expect(gate.value).toBe('closed')
  expect(went).toHaveLength(1)
})

test('without a session and a company there is nothing to ask; a company that is no code counts as none', async () => {
  await arrive(here, 401, nobody)
  expect(gate.value).toBe('closed')
  await arrive(`${here}?company=..%2Fhr`, 401, nobody)
  expect(gate.value).toBe('closed')
  expect(went).toEqual([])
})

test('a refusal of the sign-in is told, and a server out of reach is not a missing session', async () => {
  await arrive(`${here}?problem=not_on_staff_list`, 200, person)
  expect([gate.value, refusedWith.value]).toEqual(['closed', 'not_on_staff_list'])
  kept.set('fulika.packCompany', 'demo')
  await arrive(here, 0)
  expect([gate.value, gateProblem.value?.status]).toEqual(['failed', 0])
  expect(went).toEqual([])
})

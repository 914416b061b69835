import { afterEach, describe, expect, test, vi } from 'vitest'
import { acts, gaps, type Act, type Bridge, type Gap, type Outcome, type PayOrder, type ShareCard } from './bridge.ts'

/** What a person or a platform may do with the next thing that is asked of it. */
export const answers = ['does', 'cancels', 'refuses', 'is silent', 'breaks'] as const
export type Answer = (typeof answers)[number]

/** A channel as the suite drives it: the bridge, and the platform behind it. */
export interface Rig {
  readonly bridge: Bridge
  /** How the platform answers from now on. */
  readonly answer: (how: Answer) => void
  /** What was asked of the platform or of the network so far. */
  readonly asked: () => readonly string[]
  readonly place: HTMLElement
}

export const order: PayOrder = {
  appId: 'wx0123456789abcdef',
  timeStamp: '1790000000',
  nonceStr: 'n0nce',
  package: 'prepay_id=wx2026',
  signType: 'RSA',
  paySign: 'c2ln',
}
export const card: ShareCard = {
  title: '送你一张福利卡',
  text: '打开收下',
  url: 'https://fuli.example.com/mine/gift/0',
  imageUrl: 'https://fuli.example.com/lib/icon.svg',
}

/** Where a person has the word, however long they take. */
const person: readonly Act[] = ['pay', 'share', 'notify', 'scan', 'locate']
/** What of the acts leaves nothing to wait for: leaving for the sign-in answers at once. */
const waits = acts.filter((act) => act !== 'signIn')

/**
 * What every channel promises, the same for WeChat, WeCom, a browser, and whatever comes after them. `lacks` are the gaps that
 * a channel declares: more or fewer are a fault.
 */
export function conformance(name: string, open: () => Promise<Rig>, lacks: Partial<Readonly<Record<Act, Gap>>>): void {
  const able = waits.filter((act) => lacks[act] === undefined)
  describe(`the channel ${name}`, () => {
    afterEach(() => vi.useRealTimers())

    test('says of every act whether it can, and why not: no more and no less than it declares', async () => {
      const { bridge } = await open()
      expect(bridge.can).toEqual(Object.fromEntries(acts.map((act) => [act, lacks[act] ?? true])))
      for (const why of Object.values(bridge.can)) if (why !== true) expect(gaps).toContain(why)
    })

    test('what it cannot do is answered with the reason that it declared, and nobody is asked', async () => {
      const rig = await open()
      const before = rig.asked().length
      for (const [act, gap] of Object.entries(lacks))
        expect([act, await run(rig, act as Act)]).toEqual([act, { kind: 'unavailable', gap }])
      expect(rig.asked().slice(before)).toEqual([])
    })

    test.each(able)('%s is done when the platform does it', async (act) => {
      const rig = await open()
      rig.answer('does')
      expect((await run(rig, act)).kind).toBe('done')
    })

    test.each(able)('%s that the person turns back from is cancelled, and nothing else', async (act) => {
      const rig = await open()
      rig.answer('cancels')
      // What no person can turn back from is refused or done, never left open.
      expect(['cancelled', 'done']).toContain((await run(rig, act)).kind)
    })

    test.each(able)(
      '%s that the platform refuses, or breaks at, is a failure with its word; it never throws',
      async (act) => {
        for (const how of ['refuses', 'breaks'] as const) {
          const rig = await open()
          rig.answer(how)
          const outcome = await run(rig, act)
          expect(outcome.kind).toBe('failed')
          expect(outcome).toHaveProperty('why', expect.stringMatching(/./))
        }
      },
    )

    test.each(able)('%s works again after it failed', async (act) => {
      const rig = await open()
      rig.answer('breaks')
      await run(rig, act)
      rig.answer('does')
      expect((await run(rig, act)).kind).toBe('done')
    })

    test.each(able)('%s at a platform that says nothing waits for a person, and for nothing else', async (act) => {
      vi.useFakeTimers()
      const rig = await open()
      rig.answer('is silent')
      let outcome: Outcome<unknown> | null = null
      void run(rig, act).then((said) => (outcome = said))
      await vi.advanceTimersByTimeAsync(60_000)
      if (outcome === null) expect(person).toContain(act)
      else expect(outcome).toMatchObject({ kind: 'failed' })
    })

    if (lacks.pay === undefined) paysOnce(open)
    if (lacks.notify === undefined) letsGoOfNotices(open)
  })
}

function paysOnce(open: () => Promise<Rig>): void {
  test('a second tap on paying opens no second cashier', async () => {
    const rig = await open()
    rig.answer('is silent')
    const first = run(rig, 'pay')
    expect((await run(rig, 'pay')).kind).toBe('failed')
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(rig.asked().filter((one) => one === 'pay')).toHaveLength(1)
    void first
  })
}

function letsGoOfNotices(open: () => Promise<Rig>): void {
  test('whoever waits for a tap on notices is told when the button is gone', async () => {
    const rig = await open()
    rig.answer('is silent')
    const over = new AbortController()
    const running = rig.bridge.notify(rig.place, { templates: ['t1'], label: '提醒我', over: over.signal })
    over.abort()
    expect((await running).kind).toBe('cancelled')
  })
}

function run({ bridge, place }: Rig, act: Act): Promise<Outcome<unknown>> {
  const over = new AbortController().signal
  switch (act) {
    case 'signIn':
      return Promise.resolve(bridge.signIn('/shop/'))
    case 'pay':
      return bridge.pay(order)
    case 'share':
      return bridge.share(card)
    case 'menu':
      return bridge.menu(card)
    case 'notify':
      return bridge.notify(place, { templates: ['t1', 't2'], label: '提醒我', over })
    case 'scan':
      return bridge.scan()
    case 'locate':
      return bridge.locate()
    case 'close':
      return bridge.close()
  }
}

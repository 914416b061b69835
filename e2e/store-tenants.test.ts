import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GivenGift } from '../contract/employee/gift.ts'
import type { Ordered, StoreOrderView } from '../contract/store/order.ts'
import { endpoints } from '../server/app.ts'
import { chooseCard, namesOf, openPhone, payOrder } from './buyer-steps.ts'
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import { makeStrangers } from './strangers.ts'
import type { Visitor } from './visitor.ts'

type Kind = 'order' | 'card' | 'gift' | 'cover'

/** A well-formed body for each write that takes one, so that only the owner of the id can decide the answer. */
const bodies: Readonly<Record<string, unknown>> = {
  'POST /store/orders/:id/invoice': { title: '乙', taxNumber: null, email: null },
  'POST /store/cards/:id/gifts': { cover: 'plain', greeting: '' },
  'POST /store/cards/:id/thanks': { text: '谢谢' },
  'POST /store/cards/:id/shops': {},
}
const kindOf = (path: string): string => /\/(\w+?)s?\/:id/.exec(path)?.[1] ?? ''
const ofBuyers = endpoints.filter(({ path, may }) => /^\/store\/.*\/:id/.test(path) && may !== 'public')
/** What an employee does with cards, which a buyer does under /store. */
const ofStaff = endpoints.filter(({ path }) => /^\/employee\/(cards|gifts)\/:id/.test(path))

describe.each(dialectsHere())('two buyers (%s)', (dialect) => {
  let stage: OpenStage
  let ids: Readonly<Record<Kind, string>>
  let owner: Visitor
  let strangers: Readonly<Record<'store' | 'employee', Visitor>>

  beforeAll(async () => {
    stage = await openStage(dialect)
    owner = await openPhone(stage, 'owner')
    ids = await makeThings(stage, owner)
    strangers = { store: await openPhone(stage, 'stranger'), employee: (await makeStrangers(stage)).employee }
  })
  afterAll(() => stage.close())

  test.each([...ofBuyers, ...ofStaff].map((one) => [`${one.method} ${one.path}`, one] as const))(
    "%s of another's is 404",
    async (name, one) => {
      const id = ids[kindOf(one.path) as Kind]
      expect(id, `nothing to ask for at ${name}`).toBeDefined()
      const visitor = strangers[one.path.startsWith('/store/') ? 'store' : 'employee']
      const json = one.body === 'json' ? { json: bodies[name.replace('/employee/', '/store/')] } : {}
      if (one.body === 'json') expect(json.json, `no body for ${name}`).toBeDefined()
      const answer = await visitor.send(one.path.replace(':id', id), { method: one.method, ...json })
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, 'not_found'])
    },
  )

  test('lists show what is their own, and nothing of another', async () => {
    const lists = ['/store/orders', '/store/pack', '/store/gifts', '/store/inbox']
    const seen = async (visitor: Visitor) =>
      JSON.stringify(await Promise.all(lists.map((path) => visitor.call<unknown>(path))))
    const [own, other] = [await seen(owner), await seen(strangers.store)]
    for (const kind of ['order', 'card', 'gift'] as const) {
      expect(own, kind).toContain(ids[kind])
      expect(other, kind).not.toContain(ids[kind])
    }
  })
})

/** One of everything that a buyer has. */
async function makeThings(stage: OpenStage, owner: Visitor): Promise<Record<Kind, string>> {
  const { openid } = await namesOf(stage, 'owner')
  const { order } = await owner.call<Ordered>('/store/orders', { json: await chooseCard(owner) })
  await payOrder(stage, order.id, openid)
  const at = `/store/orders/${order.id}`
  const { cardId, may } = await owner.follow<StoreOrderView>(`${at}/events`, ({ state }) => state === 'ready')
  if (may.useNow) await owner.call(`${at}/use-now`, { method: 'POST' })
  const present = { cover: 'plain', greeting: '' }
  const gift = await owner.call<GivenGift>(`/store/cards/${cardId}/gifts`, { json: present })
  const red = { width: 700, height: 500, channels: 3, background: '#c00' } as const
  const raw = await sharp({ create: red }).png().toBuffer()
  const cover = await owner.call<{ id: string }>('/store/covers', { raw })
  return { order: order.id, card: cardId ?? '', gift: gift.id, cover: cover.id }
}

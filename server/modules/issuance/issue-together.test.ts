import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aTemplate } from '../../testing/cards.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { createBrand } from '../catalog/create-template.ts'
import { setTerms } from '../catalog/set-terms.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { placeOrder } from '../order/place-order.ts'
import { secureFunds } from '../order/secure-funds.ts'
import { issueCards } from './issue-cards.ts'
import { issueOrder, issueOrders } from './issue-order.ts'

const FACE = 30_000
const ends = { named: false, maxFaceFen: fen(100_000), validDays: 1100 }
const NOW = 1_800_000_000_000
const noPorts = {} as Ports

/** What an order is: cards of each brand, discount on each card, of a company or of one buyer, and whether it is paid. */
interface Plan {
  readonly cards: readonly [number, number]
  readonly off: number
  readonly company: boolean
  readonly paid: boolean
}
const plans: readonly Plan[] = [
  { cards: [1, 0], off: 0, company: false, paid: true },
  { cards: [1, 0], off: 777, company: false, paid: true },
  { cards: [0, 3], off: 1, company: true, paid: true },
  { cards: [2, 2], off: 500, company: true, paid: true },
  { cards: [1, 1], off: 0, company: false, paid: false },
  { cards: [60, 50], off: 3, company: true, paid: true },
  { cards: [40, 45], off: 3, company: true, paid: true },
  { cards: [700, 500], off: 0, company: true, paid: true },
]

onBothDatabases('issuing many orders together', (database) => {
  const clock = () => NOW
  const rows = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))

  /** Orders and terms are made a second apart. */
  let second = 0
  const later = <T>(work: (tx: Tx) => Promise<T>) => {
    second += 1
    return database.edge(noPorts, undefined, () => NOW - 1_000_000 + second * 1000).tx(work)
  }
  const brands: Id<'brand'>[] = []
  const versionsOf = () =>
    later(async (tx) => {
      const versions: Id<'templateVersion'>[] = []
      brands.length = 0
      for (const [at, issuerPrefix] of ['6230', '6231'].entries()) {
        const brandId = await createBrand(tx, { name: `品牌 ${at}`, issuerPrefix })
        brands.push(brandId)
        versions.push(await aTemplate(tx, brandId, { coolingOffMs: at * 3_600_000, ...(at === 0 ? {} : ends) }))
      }
      return versions
    })

  const placeOne = (plan: Plan, versions: readonly Id<'templateVersion'>[]) =>
    later(async (tx) => {
      const items = plan.cards.flatMap((count, brand) =>
        Array.from({ length: count }, (_, at) => ({
          holderId: encodeId('person', BigInt(at)),
          templateVersionId: versions[brand]!,
          faceFen: fen(FACE),
          priceFen: fen(FACE - plan.off),
        })),
      )
      const orderId = await placeOrder(tx, { companyId: plan.company ? encodeId('company', 1n) : null, items })
      const amount = fen(items.length * (FACE - plan.off))
      const lines = [debit(account.custodyBank('main'), amount), credit(account.orderFunds(orderId), amount)]
      if (!plan.paid) return orderId
      await post(tx, [{ kind: 'funds_received', ref: orderId, lines }])
      await secureFunds(tx, orderId, amount)
      return orderId
    })
  async function placeAll(versions: readonly Id<'templateVersion'>[], some = plans) {
    const ids: Id<'order'>[] = []
    for (const plan of some) ids.push(await placeOne(plan, versions))
    return ids
  }

  /** Everything that issuing wrote of an order, without ids, numbers and secrets. */
  async function madeOf(orderId: Id<'order'>) {
    const slices = await rows<{ id: string; from_seq: number; state: string }>(
      'select id, from_seq, state, issued_at_ms from order_slice where order_id = ? order by from_seq',
      [orderId],
    )
    const named = (value: unknown) =>
      slices
        .reduce((text, slice, at) => text.replaceAll(slice.id, `slice ${at}`), JSON.stringify(value))
        .replaceAll(orderId, 'order')
    const slots = slices.map(() => '?').join(',')
    const ids = slices.map((slice) => slice.id)
    const found = [
      await rows('select state, secured_fen, issued_fen from orders where id = ?', [orderId]),
      slices.map((slice) => [slice.from_seq, slice.state]),
      await rows(
        'select order_item.seq, card.company_id, card.brand_id, card.holder_id, card.face_fen, card.balance_fen, card.state, card.locked_until_ms, card.expires_at_ms, card.issued_at_ms, activity.seq as first, activity.kind, activity.amount_fen, activity.ref from card join order_item on order_item.id = card.order_item_id join activity on activity.card_id = card.id where order_item.order_id = ? order by order_item.seq',
        [orderId],
      ),
      await rows(
        `select entry.kind, entry.ref, posting.line, posting.unit, posting.account, posting.amount from entry join posting on posting.entry_id = entry.id where entry.ref in (${slots}) order by entry.ref, posting.line`,
        ids,
      ),
      await rows(
        `select object_id, act, from_state, to_state, note from trail where object_id in (?, ${slots}) order by act, note`,
        [orderId, ...ids],
      ),
      await rows<{ job_key: string }>(
        `select kind, job_key, lane, args, ready_at_ms from job where job_key in (${[...ids, orderId].map(() => '?').join(',')}) order by job_key`,
        [...ids.map((id) => `cards.deliver:${id}`), `settlement.plan:${orderId}`],
      ),
    ]
    return found.map(named)
  }

  test('many orders together get just what each of them gets alone', async () => {
    const versions = await versionsOf()
    const [alone, together]: [Id<'order'>[], Id<'order'>[]] = [[], []]
    for (const [at, plan] of plans.entries()) {
      alone.push(await placeOne(plan, versions))
      together.push(await placeOne(plan, versions))
      // Terms of today are not those of the orders of yesterday.
      const channels = [{ code: 'c', name: '渠道', mchid: '1900000777', bp: 10 + at }]
      const terms = { collector: 'brand', platformBp: 7 + at, maxRatioBp: 3000, channels, walletCredit: false } as const
      for (const brandId of brands) await later((tx) => setTerms(tx, { brandId, ...terms, holdMs: at * 1000 }))
    }
    const edge = database.edge(noPorts, undefined, clock)
    for (const orderId of alone) await issueOrder(edge, orderId)
    await issueOrders(edge, together)
    for (const [at] of plans.entries())
      expect([at, await madeOf(together[at]!)]).toEqual([at, await madeOf(alone[at]!)])
    const [made] = await rows<{ cards: unknown; numbers: unknown }>(
      'select count(*) as cards, count(distinct number) as numbers from card',
    )
    const wanted = plans.filter((plan) => plan.paid).reduce((sum, plan) => sum + plan.cards[0] + plan.cards[1], 0) * 2
    expect([Number(made!.cards), Number(made!.numbers)]).toEqual([wanted, wanted])
    await issueOrders(edge, together)
    expect(await rows('select id from card')).toHaveLength(wanted)
  })

  test('three workers with the same orders make each card once; killed anywhere, the next run finishes', async () => {
    const versions = await versionsOf()
    const single: Plan = { cards: [1, 0], off: 0, company: false, paid: true }
    const ids = await placeAll(versions, [...Array.from({ length: 130 }, () => single), plans[3]!])
    for (let nth = 1; nth <= 3; nth += 1) {
      const dying = dyingAt(database.edge(noPorts), nth)
      await expect(issueOrders(dying, ids)).rejects.toThrow('killed')
    }
    const edge = database.edge(noPorts)
    const work = () => issueOrders(edge, [...ids].reverse()).catch((error: unknown) => error)
    await Promise.all([issueOrders(edge, ids).catch((error: unknown) => error), work(), work()])
    await issueOrders(edge, ids)
    expect(await rows('select id from card')).toHaveLength(134)
    expect(await rows("select id from orders where state <> 'issued'")).toEqual([])
  })

  test('one order whose money is not there undoes all of its transaction', async () => {
    const versions = await versionsOf()
    const single: Plan = { cards: [1, 0], off: 0, company: false, paid: true }
    const ids = await placeAll(versions, [single, single])
    const back = (by: number) =>
      database.tx((tx) => change(tx.em, 'update orders set secured_fen = secured_fen + ? where id = ?', [by, ids[1]]))
    await back(-1)
    const slices = await rows<{ id: Id<'orderSlice'> }>('select id from order_slice order by id')
    let number = 0
    const issuing = { nextNumber: () => `623000000000${(number += 1)}` }
    const all = slices.map((slice) => slice.id)
    await expect(database.tx((tx) => issueCards(tx, issuing, all))).rejects.toThrow('cards cost more')
    expect(await rows('select id from card')).toEqual([])
    expect(await rows("select id from order_slice where state = 'issued'")).toEqual([])
    await back(1)
    expect(await database.tx((tx) => issueCards(tx, issuing, all))).toBe(2)
  })
})

/** An edge whose process "dies" at its nth transaction: that one and all later ones fail. */
function dyingAt(edge: Edge, nth: number): Edge {
  let count = 0
  return {
    ...edge,
    tx: (work) =>
      edge.tx(async (tx) => {
        const result = await work(tx)
        count += 1
        if (count >= nth) throw new Error('killed before the commit')
        return result
      }),
  }
}

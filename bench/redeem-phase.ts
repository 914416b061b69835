/**
 * The phases of `bench -- redeem`, each a process of its own:
 *   tills URL                 a merchant with shops
 *   spend URL ACTS SINGLES    purchases in process: in groups, and each in a transaction of its own, by turns
 *   dry URL                   the hot card until nothing is on it
 *   check URL                 what was spent against what there was, and the proof of the books
 */
import { randomInt } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { fen } from '../contract/fen.ts'
import { encodeId, type Id } from '../contract/ids.ts'
import type { Edge } from '../server/kernel/context.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { createMerchant } from '../server/modules/merchant/create-merchant.ts'
import { createShop } from '../server/modules/merchant/create-shop.ts'
import { actAtTill } from '../server/modules/redemption/act-at-till.ts'
import { makePayCode } from '../server/modules/redemption/pay-code.ts'
import type { Till, TillAct } from '../server/modules/redemption/till-acts.ts'
import { tillDeskOf } from '../server/modules/redemption/till-desk.ts'
import { openBench } from './bench-house.ts'
import { answer, peakRssMiB } from './phases.ts'
import { figuresOf, type Run } from './redeem-figures.ts'
import { cardPicker } from './zipf.ts'

const SHOPS = 20
const TILLS = 200
/** Who waits for an answer at a time: tills of a town at noon; and as many as one commit a request does best with. */
const CALLERS = 128
const SINGLE_CALLERS = 64
/** Rounds of each, by turns, so that a machine's moods meet both. */
const ROUNDS = 4

async function tills(edge: Edge): Promise<void> {
  const [brand] = await edge.read((tx) => sql<{ id: Id<'brand'> }>(tx.em, 'select id from brand'))
  await edge.tx(async (tx) => {
    const merchantId = await createMerchant(tx, { brandId: brand!.id, name: '青禾便利' })
    const place = {
      city: '苏州',
      address: '平江路 1 号',
      latitudeE6: null,
      longitudeE6: null,
      phone: null,
      hours: null,
    }
    for (let n = 1; n <= SHOPS; n += 1) await createShop(tx, merchantId, { name: `${n} 店`, ...place })
  })
}

async function readTills(edge: Edge): Promise<Till[]> {
  const shops = await edge.read((tx) =>
    sql<Omit<Till, 'tillId' | 'shiftId'>>(
      tx.em,
      'select id as shopId, merchant_id as merchantId, brand_id as brandId from shop order by id',
    ),
  )
  return Array.from({ length: TILLS }, (_, n) => ({
    ...shops[n % shops.length]!,
    tillId: encodeId('terminal', BigInt(n + 1)),
    shiftId: null,
  }))
}

const readCards = async (edge: Edge): Promise<Id<'card'>[]> =>
  (await edge.read((tx) => sql<{ id: Id<'card'> }>(tx.em, 'select id from card order by id'))).map(({ id }) => id)

async function spend(edge: Edge, acts: number, singles: number): Promise<object> {
  const [all, cards] = [await readTills(edge), await readCards(edge)]
  const pick = cardPicker(cards)
  let made = 0
  const next = (): TillAct => {
    made += 1
    const { cardId, hot } = pick()
    const { code } = makePayCode(edge, { kind: 'card', cardId })
    // Small sums, so that the hot card has enough for all: a card that is empty would be answered faster.
    const billFen = fen(hot ? 1 : randomInt(1, 4))
    const act = { kind: 'authorise' as const, on: { codes: [code] }, billFen, capture: true, partial: false, ref: null }
    return { till: all[made % all.length]!, key: `b${made}`, act }
  }
  const desk = tillDeskOf(edge)
  const together = (act: TillAct): Promise<unknown> => desk(act)
  const alone = async (act: TillAct): Promise<unknown> => {
    const [outcome] = await edge.tx((tx) => actAtTill(tx, [act])).catch(() => edge.tx((tx) => actAtTill(tx, [act])))
    if (!outcome!.ok) throw new Error(outcome!.code)
    return outcome
  }
  await play({ seconds: 0, done: 0, ms: [] }, CALLERS, Math.ceil(acts / 10), next, together)
  const [grouped, single]: [Run, Run] = [
    { seconds: 0, done: 0, ms: [] },
    { seconds: 0, done: 0, ms: [] },
  ]
  const cpu = process.cpuUsage()
  for (let round = 0; round < ROUNDS; round += 1) {
    await play(grouped, CALLERS, acts / ROUNDS, next, together)
    await play(single, SINGLE_CALLERS, singles / ROUNDS, next, alone)
  }
  const used = process.cpuUsage(cpu)
  return {
    grouped: figuresOf(grouped),
    single: figuresOf(single),
    cpuSeconds: (used.user + used.system) / 1e6,
    peakRssMiB: peakRssMiB(),
  }
}

/** A closed loop: each caller asks again when it was answered. */
async function play(
  run: Run,
  callers: number,
  count: number,
  next: () => TillAct,
  ask: (act: TillAct) => Promise<unknown>,
): Promise<void> {
  let left = Math.floor(count)
  const began = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left > 0) {
        left -= 1
        const act = next()
        const asked = performance.now()
        await ask(act)
        run.ms.push(performance.now() - asked)
        run.done += 1
      }
    }),
  )
  run.seconds += (performance.now() - began) / 1000
}

/** Many tills want more of one card than is on it: what was taken and what is left must be what there was. */
async function dry(edge: Edge): Promise<object> {
  const [all, [hot]] = [await readTills(edge), await readCards(edge)]
  const desk = tillDeskOf(edge)
  const outcomes = await Promise.all(
    Array.from({ length: 2_000 }, async (_, n) => {
      const { code } = makePayCode(edge, { kind: 'card', cardId: hot! })
      const act = {
        kind: 'authorise' as const,
        on: { codes: [code] },
        billFen: fen(97),
        capture: true,
        partial: false,
        ref: null,
      }
      return desk({ till: all[n % all.length]!, key: `d${n}`, act }).then(
        () => 'paid',
        (error: Error) => error.message.split(':')[0]!,
      )
    }),
  )
  return Object.fromEntries([...Map.groupBy(outcomes, (one) => one)].map(([one, own]) => [one, own.length]))
}

async function check(edge: Edge): Promise<object> {
  const [over] = await edge.read((tx) =>
    sql<{ cards: unknown }>(
      tx.em,
      `select count(*) as cards from card left join (select card_id, sum(captured_fen - refunded_fen) as fen from hold
          group by card_id) as spent on spent.card_id = card.id
        where card.balance_fen < 0 or coalesce(spent.fen, 0) > card.face_fen
          or card.balance_fen <> card.face_fen - coalesce(spent.fen, 0)`,
    ),
  )
  const [counted] = await edge.read((tx) => sql<{ made: unknown }>(tx.em, 'select count(*) as made from redemption'))
  const findings = await edge.read(proveBooks)
  return { overspends: Number(over?.cards), redemptions: Number(counted?.made), findings }
}

const [phase, url = '', acts = '0', singles = '0'] = process.argv.slice(2)
const { store, edge } = await openBench(url, 10 + ['tills', 'spend', 'dry', 'check'].indexOf(phase ?? ''))
if (phase === 'tills') {
  await tills(edge)
  answer({ shops: SHOPS })
} else if (phase === 'spend') answer(await spend(edge, Number(acts), Number(singles)))
else if (phase === 'dry') answer(await dry(edge))
else if (phase === 'check') answer(await check(edge))
else throw new Error(`no such phase: ${phase}`)
await store.close()

import { setTimeout as sleep } from 'node:timers/promises'
import { randomInt } from 'node:crypto'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { change, sql } from '../../kernel/sql.ts'
import type { TestDatabase } from '../databases.ts'
import { aTill } from '../tills.ts'
import { cardActs, makeReady, type CardAct, type CardActName, type Contested } from './card-acts.ts'
import { eachOf, makeCards, openRaceStage, pause, slots, type RaceStage } from './stage.ts'

export type CardPair = readonly [CardActName, CardActName]

/**
 * Every pair of acts, each with itself too. What is offered as a gift has nothing set aside, so nobody can claim a card
 * of which a till holds part: these two do not meet.
 */
export const cardPairs: readonly CardPair[] = (Object.keys(cardActs) as CardActName[]).flatMap((first, at, all) =>
  all
    .slice(at)
    .filter((second) => !(needed([first, second]).has('held') && needed([first, second]).has('offered')))
    .map((second): CardPair => [first, second]),
)

export interface CardRaceReport {
  readonly interleavings: number
  /** How often it came out as when the one, or the other, is over before the rival begins. */
  readonly asFirst: number
  readonly asSecond: number
  /** How often it was so either way. */
  readonly asEither: number
  /** What came out as neither. */
  readonly wrong: readonly string[]
}

/** Who of the two got what they wanted, and what is on the card in the end. */
interface Ending {
  readonly won: readonly [boolean, boolean]
  readonly card: string
}

const BATCH = 50
const MOST_BEHIND_MS = 12
/** Of the acts of a batch so many are stopped once, before their commit. */
const STOPPED = 5
const DAY_MS = 86_400_000

/** Where cards may be passed on. Any number of pairs race on it, one after the other. */
export async function openCardStage(database: TestDatabase): Promise<RaceStage> {
  const stage = await openRaceStage(database, 0)
  await stage.edge().tx((tx) => change(tx.em, 'update company set gift_depth = 5 where id = ?', [stage.company.id]))
  return stage
}

/**
 * Races two acts for many independent cards: at once on MariaDB, on SQLite one after the other in both orders. What
 * comes out must be what comes out when one of the two is over before the other begins: that is found out first, on
 * cards of its own. Every fifth act is stopped before its commit and asks again. The caller proves the books.
 */
export async function raceCards(stage: RaceStage, pair: CardPair, interleavings: number): Promise<CardRaceReport> {
  const [first] = await playSerially(stage, pair, ['first'])
  const [second] = await playSerially(stage, pair, ['second'])
  const together = stage.database.dialect === 'mysql'
  const [asFirst, asSecond] = [JSON.stringify(first), JSON.stringify(second)]
  const tally = { interleavings, asFirst: 0, asSecond: 0, asEither: 0, wrong: [] as string[] }
  for (let left = interleavings; left > 0; left -= BATCH) {
    const count = Math.min(BATCH, left)
    const orders = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? 'first' : 'second') as Order)
    const endings = together ? await playTogether(stage, pair, count) : await playSerially(stage, pair, orders)
    for (const [index, ending] of endings.entries()) {
      const came = JSON.stringify(ending)
      const [isFirst, isSecond] = [came === asFirst, came === asSecond]
      if (isFirst && isSecond) tally.asEither += 1
      else if (isFirst && (together || orders[index] === 'first')) tally.asFirst += 1
      else if (isSecond && (together || orders[index] === 'second')) tally.asSecond += 1
      else tally.wrong.push(`${pair.join(' and ')}: ${came} is neither ${asFirst} nor ${asSecond}`)
    }
  }
  return tally
}

type Order = 'first' | 'second'

function needed(pair: CardPair): Set<'held' | 'paid' | 'offered'> {
  return new Set(pair.flatMap((name): CardAct['needs'] => cardActs[name].needs))
}

/** One after the other, in the order told. */
async function playSerially(stage: RaceStage, pair: CardPair, orders: readonly Order[]): Promise<Ending[]> {
  const cards = await makeContested(stage, pair, orders.length)
  const won: [boolean, boolean][] = []
  for (const [index, card] of cards.entries()) {
    const stops = index % STOPPED === 1
    if (orders[index] === 'first') {
      const a = await play(stage, pair, 0, card, stops)
      won.push([a, await play(stage, pair, 1, card, stops)])
    } else {
      const b = await play(stage, pair, 1, card, stops)
      won.push([await play(stage, pair, 0, card, stops), b])
    }
  }
  return endingsOf(stage, cards, won)
}

async function playTogether(stage: RaceStage, pair: CardPair, count: number): Promise<Ending[]> {
  const cards = await makeContested(stage, pair, count)
  const won = await eachOf(stage, cards, async (card, index): Promise<[boolean, boolean]> => {
    const side = async (which: 0 | 1): Promise<boolean> => {
      // Mostly neck and neck; now and then the one or the other begins some way through its rival's work.
      await (index % 3 === which + 1 ? sleep(randomInt(0, MOST_BEHIND_MS)) : pause(4))
      return play(stage, pair, which, card, index % STOPPED === which)
    }
    if (index % 2 === 0) return Promise.all([side(0), side(1)])
    const [b, a] = await Promise.all([side(1), side(0)])
    return [a, b]
  })
  return endingsOf(stage, cards, won)
}

/** Where both stand at a boundary, the lock ends a millisecond before the card does. */
const UNLOCK_MS = DAY_MS
const EXPIRY_MS = DAY_MS + 1

async function play(stage: RaceStage, pair: CardPair, side: 0 | 1, card: Contested, stops: boolean): Promise<boolean> {
  const own: CardAct = cardActs[pair[side]]
  const rival: CardAct = cardActs[pair[1 - side]!]
  const start = stage.pay.clock.now()
  const at = own.at ?? rival.at
  const boundary = start + (at === 'unlock' ? UNLOCK_MS : EXPIRY_MS)
  const now = at === undefined ? start : own.at === undefined ? boundary - 1 : boundary
  const edge = stage.edge(now)
  return own.run(stops ? stoppedOnce(edge) : edge, card)
}

/** Ends a transaction before its commit, and whatever it did with it. */
class Stopped extends Error {}

/** The process is stopped before the commit, once; whoever asked asks again. */
function stoppedOnce(edge: Edge): Edge {
  return {
    ...edge,
    tx: async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
      await edge
        .tx(async (tx) => {
          await work(tx)
          throw new Stopped()
        })
        // A refusal ends it before: asked again it is refused again, or not.
        .catch((error: unknown) =>
          error instanceof Stopped || error instanceof AppError ? null : Promise.reject(error),
        )
      return edge.tx(work)
    },
  }
}

async function makeContested(stage: RaceStage, pair: CardPair, count: number): Promise<Contested[]> {
  const ids = await makeCards(stage, count)
  const edge = stage.edge()
  const [brand] = await edge.read((tx) =>
    sql<{ id: Id<'brand'> }>(tx.em, 'select brand_id as id from card where id = ?', [ids[0]]),
  )
  const till = await aTill(stage.database, brand!.id)
  const needs = needed(pair)
  const acts = pair.map((name): CardAct => cardActs[name])
  const cards = ids.map((cardId, index): Contested => ({
    cardId,
    companyId: stage.company.id,
    holderId: encodeId('person', BigInt(index)),
    till,
    held: null,
    paid: null,
    giftToken: null,
  }))
  await eachOf(stage, cards, (card) => makeReady(edge, card, needs))
  const start = stage.pay.clock.now()
  const set = (column: string, value: number) =>
    edge.tx((tx) => change(tx.em, `update card set ${column} = ? where id in (${slots(ids)})`, [value, ...ids]))
  if (acts.some((act) => act.at === 'unlock')) await set('locked_until_ms', start + UNLOCK_MS)
  if (acts.some((act) => act.at === 'expiry')) await set('expires_at_ms', start + EXPIRY_MS)
  return cards
}

/** What stands on the cards, without what differs by itself: ids, numbers and instants. */
async function endingsOf(
  stage: RaceStage,
  cards: readonly Contested[],
  won: readonly (readonly [boolean, boolean])[],
): Promise<Ending[]> {
  const ids = cards.map(({ cardId }) => cardId)
  const [rows, states] = await stage.edge().read(async (tx) => [
    await sql<Record<string, unknown>>(
      tx.em,
      `select card.id as id, card.state as state, balance_fen, held_fen, gift_depth, activities, holder_id, expires_at_ms,
          (select count(*) from gift where gift.card_id = card.id and gift.state = 'offered') as offered
        from card where id in (${slots(ids)})`,
      ids,
    ),
    await sql<{ cardId: string; state: string; amount: unknown; taken: unknown; back: unknown }>(
      tx.em,
      `select card_id as cardId, state, sum(amount_fen) as amount, sum(captured_fen) as taken, sum(refunded_fen) as back
        from hold where card_id in (${slots(ids)}) group by card_id, state order by card_id, state`,
      ids,
    ),
  ])
  const rowOf = new Map(rows.map((row) => [row['id'], row]))
  return cards.map((card, index) => {
    const row = rowOf.get(card.cardId)!
    const holds = states
      .filter((one) => one.cardId === card.cardId)
      .map((one) => `${one.state} ${Number(one.amount)}/${Number(one.taken)}/${Number(one.back)}`)
    const extended = Number(row['expires_at_ms'] ?? 0) > stage.pay.clock.now() + EXPIRY_MS
    return {
      won: won[index]!,
      card: [
        row['state'],
        `${Number(row['balance_fen'])} with ${Number(row['held_fen'])} held`,
        row['holder_id'] === card.holderId ? 'own' : 'passed on',
        `depth ${Number(row['gift_depth'])}`,
        `${Number(row['activities'])} activities`,
        ...(extended ? ['extended'] : []),
        `${Number(row['offered'])} offered`,
        ...holds,
      ].join(', '),
    }
  })
}

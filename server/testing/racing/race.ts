import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from '../../kernel/sql.ts'
import type { TestDatabase } from '../databases.ts'
import type { Contest, RacingPair, Won } from './contest.ts'
import { claimAndReturn, claimAndWithdraw, friendAndFriend, refundAndGift, refundAndReveal } from './gift-ends.ts'
import { refundAndHold } from './refund-hold.ts'
import { refundAndSplit } from './refund-split.ts'
import { refundAndUnlock } from './refund-unlock.ts'
import { eachOf, openRaceStage, pause, slots, type RaceStage, type Runner } from './stage.ts'
import { storeCloseAndPay, storeRefundAndClaim, storeRefundAndUse, storeRefundAndUseNow } from './store-ends.ts'
import { playInTurns, type Side } from './turns.ts'

/** Who races whom for a card or its money; never may both win. */
export const racingPairs = {
  'refund-unlock': refundAndUnlock,
  'refund-split': refundAndSplit,
  'refund-hold': refundAndHold,
  'refund-offer': refundAndGift,
  'refund-reveal': refundAndReveal,
  'friend-friend': friendAndFriend,
  'claim-withdraw': claimAndWithdraw,
  'claim-return': claimAndReturn,
  'store-refund-use': storeRefundAndUse,
  'store-refund-use-now': storeRefundAndUseNow,
  'store-refund-claim': storeRefundAndClaim,
  'store-close-pay': storeCloseAndPay,
} as const satisfies Record<string, RacingPair>
export type PairName = keyof typeof racingPairs

/**
 * How two run. `together`: at once, now the one, now the other a little behind. `first` and `second`: the one that is
 * named is over before the other begins. `turns`: by phases, in any order.
 */
type Order = 'together' | Side | 'turns'

export interface RaceReport {
  readonly interleavings: number
  /** How often the one alone got it, or the other; on SQLite each comes first equally often. */
  readonly firstWon: number
  readonly secondWon: number
  readonly neither: number
  /** What must never be. */
  readonly both: number
  /** What else is wrong. */
  readonly wrong: readonly string[]
}

/** Contests of a batch; and of so many batches one is followed to the last fen. */
const BATCH = 50
const ENDED = 20
/** Stages that race beside each other where the database lets them: while one makes its cards, others race. */
const STAGES = 4

/**
 * Races many independent cards, by MariaDB at once, on SQLite in both orders and by phases. What each card and
 * transaction came to is checked after each batch; the caller proves the books.
 */
export async function race(database: TestDatabase, name: PairName, interleavings: number): Promise<RaceReport> {
  const pair: RacingPair = racingPairs[name]
  const tally = { interleavings, firstWon: 0, secondWon: 0, neither: 0, both: 0, wrong: [] as string[] }
  let left = interleavings
  let batches = 0
  const runStage = async (): Promise<void> => {
    const stage = await openRaceStage(database, pair.coolingOffMs)
    while (left > 0) {
      const count = Math.min(BATCH, left)
      left -= count
      batches += 1
      const followed = batches % ENDED === 1
      const runners = await pair.prepare(stage, count)
      for (const { won, met, wrong } of await playBatch(stage, pair, runners)) {
        if (met || (won.first && won.second)) tally.both += 1
        else if (won.first) tally.firstWon += 1
        else if (won.second) tally.secondWon += 1
        else tally.neither += 1
        tally.wrong.push(...wrong)
      }
      tally.wrong.push(...(await brokenCards(stage, runners)))
      // Where both won there is no right end.
      if (followed && pair.end && tally.both === 0) tally.wrong.push(...(await pair.end(stage, runners)))
    }
  }
  const stages = database.dialect === 'mysql' ? Math.min(STAGES, Math.ceil(interleavings / BATCH)) : 1
  await Promise.all(Array.from({ length: stages }, runStage))
  return tally
}

interface Ended {
  readonly won: Won
  readonly met: boolean
  readonly wrong: readonly string[]
}

async function playBatch(stage: RaceStage, pair: RacingPair, runners: readonly Runner[]): Promise<Ended[]> {
  const contests = await eachOf(stage, runners, (runner) => pair.contest(stage, runner))
  const results = await eachOf(stage, contests, (contest, index) => playOne(stage, pair, contest, index))
  const met = (await pair.met?.(stage)) ?? new Set()
  return contests.map((contest, index) => {
    const { won, order } = results[index]!
    const wrong = [...contest.wrong(won), ...lateComers(contest, won, order)]
    return { won, met: met.has(contest.of), wrong: wrong.map((text) => `${contest.of}: ${text}`) }
  })
}

/** Who was over before the other began had nobody in its way. */
function lateComers({ mayWin }: Contest, won: Won, order: Order): string[] {
  if (order !== 'first' && order !== 'second') return []
  return (mayWin?.[order] ?? true) && !won[order] ? [`the ${order} came before the other and got nothing`] : []
}

async function playOne(stage: RaceStage, pair: RacingPair, contest: Contest, index: number) {
  const order = orderOf(stage, index)
  const run = (side: Side) => contest[side](stage.edge(contest.clocks?.[side]))
  const [first, second] =
    order === 'together'
      ? await playTogether(run, index, pair.mostBehindMs)
      : await playInTurns(() => (order === 'turns' ? (['first', 'second'] as const)[randomInt(0, 2)]! : order), {
          first: (through) => contest.first(through(stage.edge(contest.clocks?.first))),
          second: (through) => contest.second(through(stage.edge(contest.clocks?.second))),
        })
  return { order, won: { first, second } }
}

/** SQLite has one writer: what can differ there is the order of whole commands, and of their phases. */
function orderOf({ database }: RaceStage, index: number): Order {
  if (database.dialect === 'mysql') return 'together'
  return (['first', 'second', 'turns'] as const)[index % 3]!
}

/** Mostly neck and neck; now and then the one or the other begins some way through its rival's work. */
async function playTogether(
  run: (side: Side) => Promise<boolean>,
  index: number,
  mostBehindMs: number,
): Promise<[boolean, boolean]> {
  const late = async (side: Side, behind: boolean): Promise<boolean> => {
    await (behind ? sleep(randomInt(0, mostBehindMs)) : pause(4))
    return run(side)
  }
  const [firstLate, secondLate] = [index % 3 === 1, index % 3 === 2]
  if (index % 2 === 0) return Promise.all([late('first', firstLate), late('second', secondLate)])
  const [second, first] = await Promise.all([late('second', secondLate), late('first', firstLate)])
  return [first, second]
}

/** What a card is must be what happened to it: taken back with nothing held, or held and whole. */
async function brokenCards(stage: RaceStage, runners: readonly Runner[]): Promise<string[]> {
  const ids = runners.map((runner) => runner.cardId)
  const rows = await stage.edge().read((tx) =>
    sql<{ id: string; state: string; heldFen: unknown }>(
      tx.em,
      `select card.id as id, card.state as state, card.held_fen as heldFen from card where card.id in (${slots(ids)})
        and ((card.state = 'refunded' and (card.held_fen <> 0 or card.balance_fen <> 0
            or exists (select 1 from hold where hold.card_id = card.id and hold.state = 'held')))
          or (card.state = 'active' and (card.balance_fen <> card.face_fen
            or card.held_fen <> (select coalesce(sum(amount_fen), 0) from hold where hold.card_id = card.id and hold.state = 'held'))))`,
      ids,
    ),
  )
  return rows.map((row) => `${row.id}: ${row.state} with ${Number(row.heldFen)} fen held`)
}

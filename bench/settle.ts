import { openManySources } from '../e2e/many-sources.ts'
import { settleOrder, type SettledOrder } from '../e2e/settle-order.ts'
import { freshMysqlUrl, openTestDatabase } from '../server/testing/databases.ts'
import { groundOf } from './heads.ts'

/** Small orders whose money is being shared while the large one is paid and issued, and as many that come with it. */
const OTHERS = 8
const SHARES_PER_SECOND = 25
const HALF_AN_HOUR_MS = 1_800_000
/** How long sharing takes, run by run: whatever else the machine does meets both alike. */
const runsMs = [0, HALF_AN_HOUR_MS, HALF_AN_HOUR_MS, 0, 0, HALF_AN_HOUR_MS] as const

/**
 * One order of three brands for 60 receivers, from a wallet, one scan and a bank transfer, to the last fen: with a WeChat
 * Pay that shares at once, and with one that takes half an hour. Cards are made in real time; sharing is waited for by
 * the world's clock. Of the times until the cards are there, the middle one of three runs counts.
 */
export async function benchSettle(
  cards: number,
  dialect: 'mysql' | 'sqlite',
  say: (line: string) => void,
): Promise<object> {
  const ground = await groundOf(dialect)
  try {
    // What is compiled and cached in the first run would count for the others.
    say('once to warm up')
    await settleOnce(await emptyOn(dialect, ground.url, 'warm'), dialect, { cards, shareLatencyMs: 0 })
    const runs: (SettledOrder & { readonly shareLatencyMs: number })[] = []
    for (const [index, shareLatencyMs] of runsMs.entries()) {
      const url = await emptyOn(dialect, ground.url, String(index))
      const settled = await settleOnce(url, dialect, { cards, shareLatencyMs })
      say(`sharing takes ${shareLatencyMs / 60_000} min: ${JSON.stringify(settled)}`)
      runs.push({ ...settled, shareLatencyMs })
    }
    const of = (latencyMs: number) => runs.filter((run) => run.shareLatencyMs === latencyMs)
    const [atOnce, late] = [of(0), of(HALF_AN_HOUR_MS)]
    const [{ receivers, sources, shareCalls, naiveCalls, backlogDrainedMs }] = [late[0]!]
    return {
      cards,
      receivers,
      sources,
      fundedToPackMs0s: middleOf(atOnce),
      fundedToPackMs30min: middleOf(late),
      fundedToPackMs0sAll: atOnce.map((run) => run.fundedToPackMs),
      fundedToPackMs30minAll: late.map((run) => run.fundedToPackMs),
      shareCalls,
      naiveCalls,
      backlogDrainedMs0s: atOnce[0]!.backlogDrainedMs,
      backlogDrainedMs,
      balanced: runs.every((run) => run.broken.length === 0 && run.cards === cards),
    }
  } finally {
    await ground.remove()
  }
}

const middleOf = (runs: readonly SettledOrder[]): number =>
  runs.map((run) => run.fundedToPackMs).toSorted((a, b) => a - b)[Math.floor(runs.length / 2)]!

/** Another empty database where that one is; it goes when the ground goes. */
const emptyOn = async (dialect: 'mysql' | 'sqlite', url: string, name: string): Promise<string> =>
  dialect === 'mysql' ? (await freshMysqlUrl(url)).url : `${url}-${name}`

async function settleOnce(
  url: string,
  dialect: 'mysql' | 'sqlite',
  wish: { readonly cards: number; readonly shareLatencyMs: number },
): Promise<SettledOrder> {
  const database = await openTestDatabase(dialect, url)
  const pace = { others: OTHERS, sharesPerSecond: SHARES_PER_SECOND, timeRuns: true }
  const stage = await openManySources(database, { ...wish, ...pace })
  try {
    return await settleOrder(stage)
  } finally {
    await stage.close()
    await database.store.close()
  }
}

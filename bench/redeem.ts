import { openGround } from './ground.ts'
import { runPhase } from './phases.ts'
import type { RunFigures } from './redeem-figures.ts'
import { spendOverHttp } from './redeem-http.ts'

interface Spent {
  readonly grouped: RunFigures
  readonly single: RunFigures
  readonly cpuSeconds: number
  readonly peakRssMiB: number
}
interface Checked {
  readonly overspends: number
  readonly redemptions: number
  readonly findings: readonly unknown[]
}

/** So many purchases each in a transaction of its own, for each in groups: they take several times as long. */
const SINGLE_SHARE = 0.15
/**
 * Over HTTP each is signed, and each nonce is remembered: a second commit beside the purchase's own. So many that the hot
 * card, of 50,000 fen at 1 fen a time, has enough for all three.
 */
const HTTP_SHARE = 0.12

/**
 * Issues cards, and spends them at tills: Zipf 1.0 over all of them with a quarter of the purchases on one card, each
 * answered after its commit; in groups as the house does it, and one commit a request beside it in the same run.
 */
export async function benchRedeem(
  wish: { readonly cards: number; readonly acts: number },
  db: 'mysql' | 'sqlite',
  say: (line: string) => void,
): Promise<object> {
  const ground = await openGround(db)
  try {
    say(`${ground.durability}\nplacing and issuing ${wish.cards} cards`)
    await runPhase('issue-phase.ts', ['place', ground.service, String(wish.cards)])
    await runPhase('issue-phase.ts', ['issue', ground.service])
    await runPhase('redeem-phase.ts', ['tills', ground.service])
    say(`spending ${wish.acts} times in groups, ${Math.round(wish.acts * SINGLE_SHARE)} times one by one, by turns`)
    const before = ground.databaseCpuSeconds()
    const singles = String(Math.round(wish.acts * SINGLE_SHARE))
    const spent = await runPhase<Spent>('redeem-phase.ts', ['spend', ground.service, String(wish.acts), singles])
    const databaseCpuSeconds = ground.databaseCpuSeconds() - before
    say(JSON.stringify({ ...spent, databaseCpuSeconds }))
    say(`spending ${Math.round(wish.acts * HTTP_SHARE)} times over HTTP`)
    const http = await spendOverHttp(ground.service, Math.round(wish.acts * HTTP_SHARE))
    say(JSON.stringify(http))
    say('the hot card until nothing is on it')
    const dry = await runPhase<Record<string, number>>('redeem-phase.ts', ['dry', ground.service])
    say(`${JSON.stringify(dry)}\ncounting and proving`)
    const checked = await runPhase<Checked>('redeem-phase.ts', ['check', ground.service])
    for (const finding of checked.findings.slice(0, 20)) say(JSON.stringify(finding))
    return {
      cards: wish.cards,
      redemptions: checked.redemptions,
      perSecond: spent.grouped.perSecond,
      p50Ms: spent.grouped.p50Ms,
      p99Ms: spent.grouped.p99Ms,
      p999Ms: spent.grouped.p999Ms,
      worstMs: spent.grouped.worstMs,
      httpPerSecond: http.perSecond,
      httpP50Ms: http.p50Ms,
      httpP99Ms: http.p99Ms,
      onePerCommitPerSecond: spent.single.perSecond,
      onePerCommitP99Ms: spent.single.p99Ms,
      ratio: Math.round((spent.grouped.perSecond / spent.single.perSecond) * 100) / 100,
      overspends: checked.overspends,
      booksBalanced: checked.findings.length === 0,
      ranDry: dry,
      peakRssMiB: spent.peakRssMiB,
      durability: ground.durability,
    }
  } finally {
    await ground.remove()
  }
}

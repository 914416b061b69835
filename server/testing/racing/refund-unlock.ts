import { randomInt } from 'node:crypto'
import { holdFen, takeBack } from './refund-hold.ts'
import type { Contest, RacingPair } from './contest.ts'
import { makeRunners } from './stage.ts'

const COOLING_MS = 3 * 3_600_000

/**
 * A refund by right against the end of cooling-off. Each stands somewhere around the very millisecond at which the lock
 * ends, by a clock of its own; who is in its right says that clock.
 */
export const refundAndUnlock: RacingPair = {
  coolingOffMs: COOLING_MS,
  mostBehindMs: 50,
  prepare: (stage, count) => makeRunners(stage, 'wallet', count),
  contest: async (_stage, runner): Promise<Contest> => {
    const end = Number(runner.lockedUntilMs)
    const clocks = { first: end + randomInt(-1, 2), second: end + randomInt(-1, 2) }
    const when = `(refund ${clocks.first - end} ms, use ${clocks.second - end} ms)`
    const [mayTakeBack, mayUse] = [clocks.first < end, clocks.second >= end]
    return {
      of: runner.cardId,
      clocks,
      first: (edge) => takeBack(edge, runner, true),
      second: (edge) => holdFen(edge, runner),
      mayWin: { first: mayTakeBack, second: mayUse },
      wrong: ({ first, second }) => {
        if (first && !mayTakeBack) return [`taken back after cooling-off ${when}`]
        if (second && !mayUse) return [`used before the end of cooling-off ${when}`]
        if (!first && !second && (mayTakeBack || mayUse)) return [`neither, though one was in its right ${when}`]
        return []
      },
    }
  },
}

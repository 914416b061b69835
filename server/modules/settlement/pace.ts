import type { Edge } from '../../kernel/context.ts'
import { databaseRows } from '../../kernel/shared-rows.ts'
import { sharedState } from '../../kernel/shared-state.ts'

/**
 * Whether a collecting merchant may be asked to share or unfreeze now: calls are counted by all processes before they
 * are made (decision 0013). Jobs are spread over the seconds already; this holds the limit where many are late at once.
 */
export async function mayCallNow(edge: Edge, mchid: string): Promise<boolean> {
  const rows = databaseRows({
    write: (work) => edge.tx((tx) => work(tx.em)),
    read: (work) => edge.read((tx) => work(tx.em)),
    seal: edge.house.seal,
  })
  const limit = { name: `share:${mchid}`, limit: edge.house.wechatPay.sharesPerSecond, windowMs: 1_000, block: 1 }
  return (await sharedState(rows, () => edge.clock.now()).take([limit])) === 0
}

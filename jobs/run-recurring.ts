import type { Id } from '../contract/ids.ts'
import type { Edge, Tx } from '../server/kernel/context.ts'
import { AppError } from '../server/kernel/errors.ts'
import { enqueue } from '../server/kernel/outbox.ts'
import { readActiveRuns } from '../server/modules/campaign/read-recurring.ts'
import { readCampaign } from '../server/modules/campaign/read-campaign.ts'
import { payFromWalletInFull } from '../server/modules/funding/open-payment.ts'
import { indexDays } from '../server/modules/staff/index-days.ts'

const HOUR_MS = 3_600_000

/** The job `recurring.start`: asks each active run whose day has begun to look at it; one that fails stops no other. */
export async function startRecurring(tx: Tx): Promise<void> {
  const hour = Math.floor(tx.clock.now() / HOUR_MS)
  const runs = await readActiveRuns(tx)
  const jobs = runs.map((id) => ({
    kind: 'recurring.run',
    key: `recurring.run:${id}:${hour}`,
    args: { recurringId: id },
  }))
  for (let from = 0; from < jobs.length; from += 500) await enqueue(tx, jobs.slice(from, from + 500))
}

/**
 * The job `recurring.pay`: pays a day's campaign from the wallet where it holds enough. Where it does not, the order
 * waits for its money as any other does, and the people who may pay are told on their home page.
 */
export async function payRecurring(edge: Edge, campaignId: Id<'campaign'>): Promise<void> {
  const paid = await edge
    .tx(async (tx) => {
      const campaign = await readCampaign(tx, campaignId)
      return campaign?.orderId ? payFromWalletInFull(tx, campaign.orderId) : false
    })
    .catch((error: unknown) => {
      // Somebody else's order was faster at the wallet.
      if (error instanceof AppError && error.code === 'wallet_insufficient') return false
      throw error
    })
  edge.log.info({ campaignId, paid }, 'a run’s campaign was to be paid')
}

/** The job `people.days`: once for all who were on the staff before days were looked for. */
export async function indexAllDays(edge: Edge): Promise<void> {
  for (let after: string | null = ''; after !== null;) {
    const from: string = after
    after = await edge.tx((tx) => indexDays(tx, from))
  }
}

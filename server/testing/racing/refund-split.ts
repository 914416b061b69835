import type { Id } from '../../../contract/ids.ts'
import { handlers } from '../../../jobs/handlers.ts'
import type { Overlap } from '../../../sandbox/wechatpay/money-state.ts'
import type { Edge } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { planSettlement } from '../../modules/settlement/plan-settlement.ts'
import type { Contest, RacingPair } from './contest.ts'
import { takeBack } from './refund-hold.ts'
import { eachOf, makeRunners, slots, type RaceStage, type Runner } from './stage.ts'

/** WeChat Pay shares no order that is younger than a minute. */
const RIPE_MS = 61_000
/** Every job that was given a turn is due then. */
const TURNS_MS = 1_000
/** More rounds than a split and a refund have steps together. */
const MOST_ROUNDS = 200

/** A refund's call against the first call of sharing: only one may be under way of a transaction. */
export const refundAndSplit: RacingPair = {
  coolingOffMs: 0,
  mostBehindMs: 300,
  prepare: async (stage, count) => {
    const runners = await makeRunners(stage, 'wechat_pay', count)
    await stage.pay.clock.advance(RIPE_MS)
    await eachOf(stage, runners, ({ orderId }) => planSettlement(stage.edge(), orderId))
    await stage.pay.clock.advance(TURNS_MS)
    return runners
  },
  contest: async (stage, runner): Promise<Contest> => {
    const edge = stage.edge()
    const [of] = await ask<{ id: string }>(edge, 'select transaction_id as id from split where order_id = ?', runner)
    // Read before: whoever first had to look for its work would always come second.
    const shares = await readJobs(edge, runner.orderId, ['share'])
    return {
      of: of!.id,
      first: async (own) => {
        await takeBack(own, runner, false)
        for (const job of await readJobs(own, runner.orderId, ['refund.part'])) await runJob(own, job)
        return (await ask(own, refundSent, runner)).length > 0
      },
      second: async (own) => {
        for (const job of shares) await runJob(own, job)
        return (await ask(own, shareSent, runner)).length > 0
      },
      wrong: ({ first, second }) => (first || second ? [] : ['neither']),
    }
  },
  met: async (stage) => {
    const { overlaps } = (await stage.ctl('overlaps')) as unknown as { overlaps: readonly Overlap[] }
    return new Set(overlaps.map((one) => one.transactionId))
  },
  end: settleBatch,
}

const refundSent = "select 1 from refund_part where order_id = ? and state in ('sent', 'processing') limit 1"
const shareSent = `select 1 from split_call join split on split.id = split_call.split_id
  where split.order_id = ? and split_call.state in ('sent', 'processing') limit 1`

const ask = <T>(edge: Edge, text: string, { orderId }: Runner): Promise<T[]> =>
  edge.read((tx) => sql<T>(tx.em, text, [orderId]))

interface JobRow {
  readonly id: string
  readonly kind: string
  readonly args: string
  readonly atMs: number
}

/** What the jobs of an order are about, as their keys begin. */
const jobsOf = {
  'refund.part': 'select id from refund_part where order_id = ?',
  share: 'select id from split where order_id = ?',
  'share.return': 'select split_return.id as id from split_return join split on split.id = split_id where order_id = ?',
} as const
type JobsOf = keyof typeof jobsOf

/** The jobs of one order that are to be done. Found by their keys: a race must not read everybody's jobs. */
async function readJobs(edge: Edge, orderId: Id<'order'>, kinds: readonly JobsOf[]): Promise<JobRow[]> {
  return edge.read(async (tx) => {
    const found: JobRow[] = []
    for (const kind of kinds)
      for (const { id } of await sql<{ id: string }>(tx.em, jobsOf[kind], [orderId]))
        found.push(
          ...(await sql<JobRow>(
            tx.em,
            "select id, kind, args, ready_at_ms as atMs from job where job_key >= ? and job_key < ? and state = 'ready'",
            [`${kind}:${id}`, `${kind}:${id}~`],
          )),
        )
    return found.map((job) => ({ ...job, atMs: Number(job.atMs) })).sort((a, b) => a.atMs - b.atMs)
  })
}

async function runJob(edge: Edge, job: JobRow): Promise<void> {
  await handlers[job.kind]!(edge, JSON.parse(job.args) as Record<string, string | number>)
  await edge.tx((tx) => change(tx.em, "update job set state = 'done', done_at_ms = 0 where id = ?", [job.id]))
}

/** Brings splits and refunds of a batch to their end; of each transaction every fen must be somewhere. */
async function settleBatch(stage: RaceStage, runners: readonly Runner[]): Promise<string[]> {
  for (let round = 0; await workDue(stage, runners); round += 1)
    if (round === MOST_ROUNDS) return ['splits and refunds do not come to an end']
  const ids = runners.map((runner) => runner.orderId)
  const rows = await stage.edge().read((tx) =>
    sql<{ id: string; split: string | null; part: string | null; lost: unknown }>(
      tx.em,
      `select orders.id as id, split.state as split, refund_part.state as part,
          split.paid_fen - split.refunded_fen - split.shared_fen - coalesce(split.unfrozen_fen, 0) - coalesce(split.fee_fen, 0) as lost
        from orders left join split on split.order_id = orders.id left join refund_part on refund_part.order_id = orders.id
        where orders.id in (${slots(ids)}) and (split.state <> 'finished' or refund_part.state <> 'done'
          or split.paid_fen <> split.refunded_fen + split.shared_fen + coalesce(split.unfrozen_fen, 0) + coalesce(split.fee_fen, 0)
          or orders.state <> 'refunded')`,
      ids,
    ),
  )
  const { broken } = (await stage.ctl('conserved')) as { broken: readonly string[] }
  return [
    ...rows.map((row) => `${row.id}: split ${row.split}, refund ${row.part}, ${Number(row.lost)} fen lost`),
    ...broken.map((text) => `WeChat Pay: ${text}`),
  ]
}

/** Moves the clock to the next job of these orders and does all that are due then; false when none is left. */
async function workDue(stage: RaceStage, runners: readonly Runner[]): Promise<boolean> {
  const kinds = ['refund.part', 'share', 'share.return'] as const
  const lists = await eachOf(stage, runners, ({ orderId }) => readJobs(stage.edge(), orderId, kinds))
  const nextMs = Math.min(...lists.flat().map((job) => job.atMs))
  if (nextMs === Infinity) return false
  const { clock } = stage.pay
  await clock.advance(Math.max(0, nextMs - clock.now()))
  await eachOf(stage, lists, async (jobs) => {
    for (const job of jobs.filter((one) => one.atMs <= clock.now())) await runJob(stage.edge(), job)
  })
  return true
}

import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fen } from '../../contract/fen.ts'
import { encodeId, type Id } from '../../contract/ids.ts'
import { handlers } from '../../jobs/handlers.ts'
import type { Ports } from '../channels/ports.ts'
import type { Edge } from '../kernel/context.ts'
import { AppError } from '../kernel/errors.ts'
import { change, sql } from '../kernel/sql.ts'
import { createBrand } from '../modules/catalog/create-template.ts'
import { setTerms } from '../modules/catalog/set-terms.ts'
import { acceptNotices } from '../modules/funding/accept-notices.ts'
import { openPayment, payFromWalletInFull } from '../modules/funding/open-payment.ts'
import { issueOrders } from '../modules/issuance/issue-order.ts'
import { placeOrder } from '../modules/order/place-order.ts'
import { placeHold } from '../modules/redemption/place-hold.ts'
import { requestRefund } from '../modules/refund/request-refund.ts'
import { planSettlement } from '../modules/settlement/plan-settlement.ts'
import { aTemplate } from './cards.ts'
import { aCompany, type TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'
import { testHouse } from './house.ts'
import { miniWechat, pause, type MiniWechat } from './mini-wechat.ts'
import { platformMerchant } from './settling.ts'

/** Who races whom for a card or its money; never may both win. */
export const racingPairs = ['refund-split', 'refund-unlock', 'refund-hold'] as const
export type RacingPair = (typeof racingPairs)[number]

export interface RaceReport {
  readonly pair: RacingPair
  readonly rounds: number
  /** How often each of the two came first. */
  readonly refundWon: number
  readonly otherWon: number
  /** What must never be. */
  readonly violations: readonly string[]
}

/** A card of a price of its own order, paid by WeChat Pay. */
interface Runner {
  readonly orderId: Id<'order'>
  readonly cardId: Id<'card'>
  readonly lockedUntilMs: number
}
const PRICE = 10_000
const COOLING_MS = 3 * 3_600_000
const merchant = { mchid: '1900000101', appid: 'wxsandbox0001' }
/** How far one of the two may lag behind. */
const MOST_BEHIND_MS = 300
/** More steps than a split and a refund have together. */
const MOST_STEPS = 200
/** Of so many batches one is followed to the last fen. */
const SETTLED = 10
/** Cards that race at once. */
const BATCH = 50
let stages = 0
/** One WeChat Pay for a database: jobs of an earlier race still speak with it. */
const wechats = new WeakMap<TestDatabase, MiniWechat>()

/**
 * Races refunds against the end of cooling-off, against sharing, and against a shop's hold: many independent cards at
 * once on MariaDB, one after the other in both orders on SQLite. What each card and transaction came to is checked after
 * each batch; the caller proves the books.
 */
export async function race(database: TestDatabase, pair: RacingPair, rounds: number): Promise<RaceReport> {
  const stage = await openStage(database)
  const report = { pair, rounds, refundWon: 0, otherWon: 0, violations: [] as string[] }
  for (let done = 0; done < rounds; done += BATCH) {
    const runners = await makeRunners(stage, pair, Math.min(BATCH, rounds - done))
    const ended = await play(stage, pair, runners)
    report.refundWon += ended.filter((one) => one.refund).length
    report.otherWon += ended.filter((one) => one.other).length
    report.violations.push(...ended.flatMap((one) => one.wrong), ...(await brokenCards(stage, runners)))
    if (pair === 'refund-split' && (done / BATCH) % SETTLED === 0)
      report.violations.push(...(await settleBatch(stage, runners)))
    report.violations.push(...stage.wechat.flaws.splice(0))
  }
  return report
}

interface Stage {
  readonly database: TestDatabase
  readonly company: TestCompany
  readonly wechat: MiniWechat
  readonly brandId: Id<'brand'>
  readonly templates: Readonly<Record<'locked' | 'free', Id<'templateVersion'>>>
  readonly edge: (now?: number) => Edge
  shiftMs: number
}

async function openStage(database: TestDatabase): Promise<Stage> {
  stages += 1
  const settlement = {
    platform: platformMerchant,
    feeBp: () => 60,
    settlementWindowMs: 1_000,
    sharesPerSecond: 1_000_000,
  }
  database.house = testHouse({ ...database.house, wechatPay: settlement })
  const company = await aCompany(database, { walletFen: 1_000_000_000_000 })
  const wechat = wechats.get(database) ?? miniWechat()
  wechats.set(database, wechat)
  const made = await database.tx(async (tx) => {
    const issuerPrefix = String(8_000_000 + stages)
    const brandId = await createBrand(tx, { name: `竞赛 ${stages}`, issuerPrefix, wechatPay: merchant })
    const terms = {
      collector: 'brand',
      platformBp: 500,
      channels: [],
      maxRatioBp: 3000,
      holdMs: 0,
      walletCredit: false,
    } as const
    await setTerms(tx, { brandId, ...terms })
    const locked = await aTemplate(tx, brandId, { coolingOffMs: COOLING_MS })
    return { brandId, templates: { locked, free: await aTemplate(tx, brandId, { name: '无冷静期' }) } }
  })
  const stage: Stage = {
    database,
    company,
    wechat,
    shiftMs: 0,
    ...made,
    edge: (now) =>
      database.edge(
        { wechatPay: wechat.port } as Ports,
        company.as('finance'),
        () => now ?? Date.now() + stage.shiftMs,
      ),
  }
  return stage
}

async function makeRunners(stage: Stage, pair: RacingPair, count: number): Promise<Runner[]> {
  const { database, company, templates } = stage
  const templateVersionId = pair === 'refund-unlock' ? templates.locked : templates.free
  const item = { templateVersionId, faceFen: fen(PRICE), priceFen: fen(PRICE) }
  const orderIds = await database.tx(async (tx) => {
    const ids: Id<'order'>[] = []
    for (let index = 0; index < count; index += 1)
      ids.push(
        await placeOrder(tx, {
          companyId: company.id,
          items: [{ ...item, holderId: encodeId('person', BigInt(index)) }],
        }),
      )
    return ids
  })
  const edge = stage.edge()
  if (pair === 'refund-split') await payByWechat(stage, orderIds)
  else
    await database.tx(async (tx) => {
      for (const orderId of orderIds) await payFromWalletInFull(tx, orderId)
    })
  await issueOrders(edge, orderIds)
  // Nobody is told of these cards: their jobs would only be in the way of those that race.
  await database.tx((tx) => change(tx.em, "update job set state = 'done', done_at_ms = 0 where kind = 'cards.deliver'"))
  if (pair === 'refund-split') {
    stage.shiftMs += 2_000
    await Promise.all(orderIds.map((orderId) => planSettlement(stage.edge(), orderId)))
  }
  return edge.read((tx) =>
    sql<Runner>(
      tx.em,
      `select order_item.order_id as orderId, card.id as cardId, card.locked_until_ms as lockedUntilMs
        from card join order_item on order_item.id = card.order_item_id
        where order_item.order_id in (${orderIds.map(() => '?').join(',')}) order by card.id`,
      orderIds,
    ),
  )
}

async function payByWechat(stage: Stage, orderIds: readonly Id<'order'>[]): Promise<void> {
  const wish = { source: 'wechat_pay', amountFen: fen(PRICE) } as const
  const ids = await Promise.all(orderIds.map((orderId) => openPayment(stage.edge(), { ...wish, orderId }, orderId)))
  const trades = ids.map((id) => ({
    ...merchant,
    outTradeNo: `FLK${id.slice(4)}`,
    transactionId: `4200${id.slice(4)}`,
    state: 'SUCCESS' as const,
    total: fen(PRICE),
    successAtMs: Date.now() - 120_000,
    bankType: 'OTHERS',
    openid: null,
  }))
  for (const trade of trades) stage.wechat.know(trade.transactionId, PRICE)
  await stage.database.tx((tx) => acceptNotices(tx, trades))
}

interface Ended {
  readonly refund: boolean
  readonly other: boolean
  readonly wrong: readonly string[]
}

async function play(stage: Stage, pair: RacingPair, runners: readonly Runner[]): Promise<Ended[]> {
  const one = (runner: Runner, at: number): Promise<Ended> => {
    switch (pair) {
      case 'refund-unlock':
        return raceUnlock(stage, runner, at)
      case 'refund-hold':
        return raceHold(stage, runner, at)
      case 'refund-split':
        return raceSplit(stage, runner, at)
    }
  }
  if (stage.database.dialect === 'mysql') return Promise.all(runners.map(one))
  const ended: Ended[] = []
  for (const [at, runner] of runners.entries()) ended.push(await one(runner, at))
  return ended
}

/** At once where the database lets them; on SQLite now the one first, now the other. */
async function both<A, B>(stage: Stage, at: number, a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> {
  if (stage.database.dialect === 'mysql') {
    // Mostly neck and neck; now and then the one or the other begins some way through its rival's work.
    const late = async <T>(work: () => Promise<T>, behind: boolean): Promise<T> => {
      await (behind ? sleep(randomInt(0, MOST_BEHIND_MS)) : pause(4))
      return work()
    }
    const [aLate, bLate] = [at % 3 === 1, at % 3 === 2]
    if (at % 2 === 0) return Promise.all([late(a, aLate), late(b, bLate)])
    const [second, first] = await Promise.all([late(b, bLate), late(a, aLate)])
    return [first, second]
  }
  if (at % 2 === 0) {
    const first = await a()
    return [first, await b()]
  }
  const first = await b()
  return [await a(), first]
}

async function refunded(edge: Edge, runner: Runner, inRight: boolean): Promise<boolean> {
  try {
    await edge.tx((tx) =>
      requestRefund(tx, { kind: 'cards', orderId: runner.orderId, cardIds: [runner.cardId], inRight }),
    )
    return true
  } catch (error) {
    if (error instanceof AppError && ['refund_right_over', 'card_not_refundable'].includes(error.code)) return false
    throw error
  }
}

const held = async (edge: Edge, { cardId }: Runner): Promise<boolean> =>
  (await edge.tx((tx) => placeHold(tx, { cardId, amount: fen(1), ref: 'race', endsAtMs: Number.MAX_SAFE_INTEGER }))) !==
  null

/** Each stands somewhere around the very millisecond at which the lock ends, by a clock of its own. */
async function raceUnlock(stage: Stage, runner: Runner, at: number): Promise<Ended> {
  const end = Number(runner.lockedUntilMs)
  const [aNow, bNow] = [end + randomInt(-1, 2), end + randomInt(-1, 2)]
  const [refund, other] = await both(
    stage,
    at,
    () => refunded(stage.edge(aNow), runner, true),
    () => held(stage.edge(bNow), runner),
  )
  const wrong: string[] = []
  const say = (text: string) => wrong.push(`${runner.cardId}: ${text} (refund ${aNow - end} ms, use ${bNow - end} ms)`)
  if (refund && other) say('taken back and used')
  if (refund && aNow >= end) say('taken back after cooling-off')
  if (other && bNow < end) say('used before the end of cooling-off')
  if (!refund && !other && (aNow < end || bNow >= end)) say('neither, though one of them was in its right')
  return { refund, other, wrong }
}

async function raceHold(stage: Stage, runner: Runner, at: number): Promise<Ended> {
  const edge = stage.edge()
  const [refund, other] = await both(
    stage,
    at,
    () => refunded(edge, runner, false),
    () => held(edge, runner),
  )
  return { refund, other, wrong: refund === other ? [`${runner.cardId}: ${refund ? 'both' : 'neither'}`] : [] }
}

/** The first calls of sharing against a refund and its call: WeChat Pay notes when they meet. */
async function raceSplit(stage: Stage, runner: Runner, at: number): Promise<Ended> {
  const edge = stage.edge()
  // Read before: whoever first had to look for its work would always come second.
  const shares = await readJobs(edge, runner.orderId, ['share'], edge.clock.now())
  const [refund, other] = await both(
    stage,
    at,
    async () => {
      await refunded(edge, runner, false)
      await runDue(stage, runner.orderId, 'refund.part')
      return isRefundSent(stage, runner)
    },
    async () => {
      for (const job of shares) await runJob(stage.edge(), job)
      return isShareSent(stage, runner)
    },
  )
  return { refund, other, wrong: refund && other ? [`${runner.orderId}: refund and share are both under way`] : [] }
}

/** Whether the refund got through to WeChat Pay before anything was shared. */
const isRefundSent = (stage: Stage, { orderId }: Runner): Promise<boolean> =>
  exists(stage, "select 1 from refund_part where order_id = ? and state in ('sent', 'processing')", orderId)
const isShareSent = (stage: Stage, { orderId }: Runner): Promise<boolean> =>
  exists(
    stage,
    "select 1 from split_call join split on split.id = split_call.split_id where split.order_id = ? and split_call.state in ('sent', 'processing')",
    orderId,
  )

const exists = async (stage: Stage, text: string, id: string): Promise<boolean> =>
  (await stage.edge().read((tx) => sql(tx.em, `${text} limit 1`, [id]))).length > 0

interface JobRow {
  readonly id: string
  readonly kind: string
  readonly args: string
  readonly atMs: unknown
}

/** What the jobs of an order are about, as their keys begin. */
const jobsOf = {
  'refund.part': 'select id from refund_part where order_id = ?',
  share: 'select id from split where order_id = ?',
  'share.return': 'select split_return.id as id from split_return join split on split.id = split_id where order_id = ?',
} as const
type JobsOf = keyof typeof jobsOf

/** The jobs of one order that are ready by an instant. Found by their keys: a race must not read everybody's jobs. */
async function readJobs(
  edge: Edge,
  orderId: Id<'order'>,
  kinds: readonly JobsOf[],
  untilMs: number,
): Promise<JobRow[]> {
  return edge.read(async (tx) => {
    const found: JobRow[] = []
    for (const kind of kinds)
      for (const { id } of await sql<{ id: string }>(tx.em, jobsOf[kind], [orderId]))
        found.push(
          ...(await sql<JobRow>(
            tx.em,
            "select id, kind, args, ready_at_ms as atMs from job where job_key >= ? and job_key < ? and state = 'ready' and ready_at_ms <= ?",
            [`${kind}:${id}`, `${kind}:${id}~`, untilMs],
          )),
        )
    return found.sort((a, b) => Number(a.atMs) - Number(b.atMs))
  })
}

async function runDue(stage: Stage, orderId: Id<'order'>, kind: JobsOf): Promise<void> {
  const edge = stage.edge()
  for (const job of await readJobs(edge, orderId, [kind], edge.clock.now())) await runJob(edge, job)
}

async function runJob(edge: Edge, job: JobRow): Promise<void> {
  await handlers[job.kind]!(edge, JSON.parse(job.args) as Record<string, string | number>)
  await edge.tx((tx) => change(tx.em, "update job set state = 'done', done_at_ms = 0 where id = ?", [job.id]))
}

/** What a card is must be what happened to it: taken back with nothing held, or held and whole. */
async function brokenCards(stage: Stage, runners: readonly Runner[]): Promise<string[]> {
  const ids = runners.map((runner) => runner.cardId)
  const rows = await stage.edge().read((tx) =>
    sql<{ id: string; state: string; heldFen: unknown }>(
      tx.em,
      `select card.id as id, card.state as state, card.held_fen as heldFen from card where card.id in (${ids.map(() => '?').join(',')})
        and ((card.state = 'refunded' and (card.held_fen <> 0 or card.balance_fen <> 0
            or exists (select 1 from hold where hold.card_id = card.id and hold.state = 'held')))
          or (card.state = 'active' and (card.balance_fen <> card.face_fen
            or card.held_fen <> (select coalesce(sum(amount_fen), 0) from hold where hold.card_id = card.id and hold.state = 'held'))))`,
      ids,
    ),
  )
  return rows.map((row) => `${row.id}: ${row.state} with ${Number(row.heldFen)} fen held`)
}

/** Brings splits and refunds of a batch to their end; of each transaction every fen must be somewhere. */
async function settleBatch(stage: Stage, runners: readonly Runner[]): Promise<string[]> {
  if (stage.database.dialect === 'mysql') await Promise.all(runners.map((runner) => settleOne(stage, runner)))
  else for (const runner of runners) await settleOne(stage, runner)
  const ids = runners.map((runner) => runner.orderId)
  const rows = await stage.edge().read((tx) =>
    sql<{ id: string; split: string | null; part: string | null; lost: unknown }>(
      tx.em,
      `select orders.id as id, split.state as split, refund_part.state as part,
          split.paid_fen - split.refunded_fen - split.shared_fen - coalesce(split.unfrozen_fen, 0) - coalesce(split.fee_fen, 0) as lost
        from orders left join split on split.order_id = orders.id left join refund_part on refund_part.order_id = orders.id
        where orders.id in (${ids.map(() => '?').join(',')}) and (split.state <> 'finished' or refund_part.state <> 'done'
          or split.paid_fen <> split.refunded_fen + split.shared_fen + coalesce(split.unfrozen_fen, 0) + coalesce(split.fee_fen, 0)
          or orders.state <> 'refunded')`,
      ids,
    ),
  )
  return rows.map((row) => `${row.id}: split ${row.split}, refund ${row.part}, ${Number(row.lost)} fen lost`)
}

/** An order's jobs one after the other, on a clock that jumps to each. */
async function settleOne(stage: Stage, { orderId }: Runner): Promise<void> {
  let now = stage.edge().clock.now()
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const edge = stage.edge(now)
    const [job] = await readJobs(edge, orderId, ['refund.part', 'share', 'share.return'], Number.MAX_SAFE_INTEGER)
    if (!job) return
    now = Math.max(now, Number(job.atMs))
    await runJob(stage.edge(now), job)
  }
}

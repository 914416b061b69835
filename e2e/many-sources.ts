import { endpoints } from '../server/app.ts'
import { fen } from '../contract/fen.ts'
import { encodeId, type Id } from '../contract/ids.ts'
import { handlers, type Handler } from '../jobs/handlers.ts'
import { workOnce } from '../jobs/worker.ts'
import type { Actor } from '../server/kernel/context.ts'
import { sql } from '../server/kernel/sql.ts'
import { createBrand } from '../server/modules/catalog/create-template.ts'
import { setTerms } from '../server/modules/catalog/set-terms.ts'
import { addOrderItems, beginOrder, completeOrder, type NewItem } from '../server/modules/order/place-order.ts'
import { aTemplate } from '../server/testing/cards.ts'
import { aCompany, type TestCompany } from '../server/testing/companies.ts'
import type { TestDatabase } from '../server/testing/databases.ts'
import { testHouse } from '../server/testing/house.ts'
import {
  platformMerchant,
  servePayHouse,
  startPayWorld,
  type PayHouse,
  type PayWorld,
} from '../server/testing/paying.ts'

export const HOUR_MS = 3_600_000
/** A price whose basis points leave odd fen. */
export const PRICE_FEN = 10_001
/** With the one who gets the largest part, 20 receivers a brand. */
const CHANNELS = 19
const SLICE = 1_000
/** No scenario goes on for longer, in the clock of its world. */
const MOST_MS = 10 * 24 * HOUR_MS
const brandMchids = ['1900000101', '1900000102', '1900000103'] as const

export interface ManySourcesWish {
  /** Of the large order; a third of them for each of three brands. */
  readonly cards: number
  /** Small orders of the same brands whose money is being shared while the large one is paid, and as many beside it. */
  readonly others: number
  readonly sharesPerSecond: number
  /** How long WeChat Pay takes to share. */
  readonly shareLatencyMs: number
  /** The clock runs while the large order's cards are made; else it stands, and pace can be told to the millisecond. */
  readonly timeRuns?: boolean
}

export interface ManySourcesStage {
  readonly database: TestDatabase
  readonly wish: ManySourcesWish
  readonly world: PayWorld
  readonly house: PayHouse
  readonly company: TestCompany
  readonly brands: readonly { readonly id: Id<'brand'>; readonly templateVersionId: Id<'templateVersion'> }[]
  /** The world's clock stands still, and moves by jumps; while this works, it runs where that is wished. */
  readonly running: <T>(work: () => Promise<T>) => Promise<T>
  readonly read: <T>(text: string, values?: readonly unknown[]) => Promise<T[]>
  /** What the sandbox tells of itself. */
  readonly look: <T>(path: string) => Promise<T>
  readonly close: () => Promise<void>
}

export const platformFinance: Actor = { kind: 'operator', operatorId: encodeId('operator', 1n), roles: ['finance'] }

/** Three brands with 20 receivers each, the third one's money collected by us, before the sandbox over real HTTP. */
export async function openManySources(database: TestDatabase, wish: ManySourcesWish): Promise<ManySourcesStage> {
  const clock = { passedMs: Date.now(), sinceMs: null as number | null }
  const ran = () => (clock.sinceMs === null ? 0 : performance.now() - clock.sinceMs)
  const world = await startPayWorld(() => Math.floor(clock.passedMs + ran()))
  database.house = testHouse({
    wechatPay: {
      platform: platformMerchant,
      feeBp: () => 60,
      settlementWindowMs: 600_000,
      sharesPerSecond: wish.sharesPerSecond,
    },
  })
  await world.ctl('money-rules', { mchid: platformMerchant.mchid, maxRatioBp: 10_000 })
  await world.ctl('money-rules', { shareLatencyMs: wish.shareLatencyMs, acceptReturns: true })
  const house = await servePayHouse(database, world, endpoints)
  const company = await aCompany(database, { walletFen: wish.cards * PRICE_FEN })
  const brands = []
  for (const index of brandMchids.keys()) brands.push(await aBrand(database, index))
  return {
    database,
    wish,
    world,
    house,
    company,
    brands,
    running: async (work) => {
      if (!wish.timeRuns) return work()
      clock.sinceMs = performance.now()
      try {
        return await work()
      } finally {
        clock.passedMs += ran()
        clock.sinceMs = null
      }
    },
    read: (text, values = []) => database.tx((tx) => sql(tx.em, text, values)),
    look: async <T>(path: string) => {
      const answer = await fetch(`${world.sandbox.baseUrl}/__ctl/${path}`, { headers: { connection: 'close' } })
      return (await answer.json()) as T
    },
    close: async () => {
      await house.close()
      await world.sandbox.close()
    },
  }
}

const aBrand = (database: TestDatabase, index: number) =>
  database.tx(async (tx) => {
    const wechatPay = { mchid: brandMchids[index]!, appid: platformMerchant.appid }
    const id = await createBrand(tx, { name: `品牌 ${index + 1}`, issuerPrefix: String(6_400_001 + index), wechatPay })
    const channels = Array.from({ length: CHANNELS }, (_, at) => {
      const code = String(at).padStart(2, '0')
      return { code, name: `渠道 ${code}`, mchid: `19001${index}00${code}`, bp: 40 }
    })
    const collects =
      index === 2
        ? ({ collector: 'platform', maxRatioBp: 9_900 } as const)
        : ({ collector: 'brand', maxRatioBp: 3_000 } as const)
    await setTerms(tx, { brandId: id, platformBp: 500, channels, ...collects, holdMs: 0, walletCredit: false })
    return { id, templateVersionId: await aTemplate(tx, id, { coolingOffMs: HOUR_MS }) }
  })

/** Places an order of so many cards, in turn of each brand, for so many people. */
export async function placeCards({ database, company, brands }: ManySourcesStage, cards: number): Promise<Id<'order'>> {
  const orderId = await database.tx((tx) => beginOrder(tx, company.id))
  const item = (index: number): NewItem => ({
    holderId: encodeId('person', BigInt(index)),
    templateVersionId: brands[index % brands.length]!.templateVersionId,
    faceFen: fen(PRICE_FEN),
    priceFen: fen(PRICE_FEN),
  })
  for (let from = 0; from < cards; from += SLICE) {
    const items = Array.from({ length: Math.min(SLICE, cards - from) }, (_, index) => item(from + index))
    await database.tx((tx) => addOrderItems(tx, orderId, from, items))
  }
  await database.tx((tx) => completeOrder(tx, orderId, { itemCount: cards, totalFen: fen(cards * PRICE_FEN) }))
  return orderId
}

let keys = 0
/** A request that must succeed. */
export async function ask<T>(
  { house }: ManySourcesStage,
  actor: Actor,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<T> {
  const answer = await house.call(actor, method, path, body, method === 'POST' ? `key${(keys += 1)}` : undefined)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body as T
}

const open = <T>(stage: ManySourcesStage, orderId: Id<'order'>, source: string, amountFen: number) =>
  ask<T>(stage, stage.company.as('finance'), 'POST', `/hr/orders/${orderId}/payments`, { source, amountFen })

export const payFromWallet = (stage: ManySourcesStage, orderId: Id<'order'>, amountFen: number): Promise<unknown> =>
  open(stage, orderId, 'wallet', amountFen)

/** One scan pays all three brands; WeChat Pay's own notice tells the house of it. */
export async function payByScan(stage: ManySourcesStage, orderId: Id<'order'>, amountFen: number): Promise<void> {
  const { combined } = await open<{ combined: { paymentIds: string[] } }>(stage, orderId, 'wechat_pay', amountFen)
  if (combined.paymentIds.length !== brandMchids.length) throw new Error('not one sub-order a brand')
  const [row] = await stage.read<{ mchid: string; no: string }>(
    'select mchid, out_trade_no as no from payment where id = ?',
    [combined.paymentIds[0]],
  )
  await stage.world.ctl('pay', { mchid: row!.mchid, outTradeNo: row!.no, outcome: 'success' })
  const paid = async () =>
    (
      await stage.read("select id from payment where order_id = ? and source = 'wechat_pay' and state = 'paid'", [
        orderId,
      ])
    ).length === brandMchids.length
  for (let i = 0; i < 500 && !(await paid()); i += 1) await new Promise((resolve) => setTimeout(resolve, 10))
  if (!(await paid())) throw new Error(`order ${orderId}: no notice of its payment`)
}

/** Money moves over our account at the bank, and its statement comes in. */
export async function bankSays(stage: ManySourcesStage, memo: string, inFen: number, outFen: number): Promise<void> {
  const yuan = (amount: number) => (amount === 0 ? '' : (amount / 100).toFixed(2))
  const line = `S${(keys += 1)}${memo},2026-09-01,${yuan(inFen)},${yuan(outFen)},甲,1,${memo}`
  const bytes = Buffer.from(`流水号,日期,收入金额,支出金额,对方户名,对方账号,附言\n${line}`)
  await ask(stage, platformFinance, 'POST', '/operator/bank-statements', new Uint8Array(bytes))
}

export async function payByTransfer(stage: ManySourcesStage, orderId: Id<'order'>, amountFen: number): Promise<void> {
  const { id } = await open<{ id: string }>(stage, orderId, 'bank_transfer', amountFen)
  const [row] = await stage.read<{ reference: string }>('select reference from payment where id = ?', [id])
  await bankSays(stage, row!.reference, amountFen, 0)
}

/** Kinds that move money: each of their jobs runs twice at once. */
const twice = ['settlement.plan', 'share.send', 'share.poll', 'share.return', 'refund.part'] as const
const doubled: Readonly<Record<string, Handler>> = Object.fromEntries(
  twice.map((kind) => [
    kind,
    async (edge, args) => {
      const ends = await Promise.allSettled([handlers[kind]!(edge, args), handlers[kind]!(edge, args)])
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    },
  ]),
)
const lanes = ['fast', 'small', 'small', 'bulk', 'bulk'] as const

/**
 * Works with the hands of a worker, the world's clock jumping to the next job where nothing is due, until no job is left
 * or `until` holds. `meanwhile` is told the round.
 */
export async function workOn(
  stage: ManySourcesStage,
  how: {
    readonly until?: () => Promise<boolean>
    readonly meanwhile?: (round: number) => Promise<void>
    readonly twice?: boolean
    /** Only what is due now. */
    readonly still?: boolean
  } = {},
): Promise<void> {
  const { world } = stage
  const edge = stage.house.edge()
  const kinds = how.twice ? { ...handlers, ...doubled } : handlers
  const endMs = world.now() + MOST_MS
  for (let round = 0; world.now() < endMs; round += 1) {
    if (await how.until?.()) return
    await how.meanwhile?.(round)
    const worked = await Promise.all(lanes.map((lane) => workOnce(edge, kinds, lane)))
    if (worked.includes(true)) continue
    const [next] = await stage.read<{ at: unknown }>(
      "select min(ready_at_ms) as at from job where state in ('ready', 'leased')",
    )
    if (next?.at == null) return
    const waitMs = Math.max(0, Number(next.at) - world.now())
    if (how.still && waitMs > 0) return
    world.shiftMs += waitMs
  }
  throw new Error('it does not end')
}

import { expect } from 'vitest'
import { fen } from '../../contract/fen.ts'
import type { Id } from '../../contract/ids.ts'
import { readBankStatement } from '../../importers/bank-statement.ts'
import type { Actor, Edge } from '../kernel/context.ts'
import { change, sql } from '../kernel/sql.ts'
import { setTerms, type NewTerms } from '../modules/catalog/set-terms.ts'
import { fundingEndpoints } from '../modules/funding/endpoints.ts'
import { importStatement } from '../modules/funding/import-statement.ts'
import { openPayment } from '../modules/funding/open-payment.ts'
import { issueOrder } from '../modules/issuance/issue-order.ts'
import { driveRefundPart } from '../modules/refund/drive-part.ts'
import { refundEndpoints } from '../modules/refund/endpoints.ts'
import { runTakeBack } from '../modules/refund/take-back-campaign.ts'
import { takeRefundNotice } from '../modules/refund/take-notice.ts'
import { anApprovedCampaign, somePeople, type CampaignWish, type TestCampaign } from './campaigns.ts'
import type { TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'
import { merchants, servePayHouse, type PayHouse, type PayWorld } from './paying.ts'
import { payByWechat } from './settling.ts'

/** The house of refund tests: notices of payments and refunds arrive over HTTP. */
export const serveRefundHouse = (database: TestDatabase, world: PayWorld): Promise<PayHouse> =>
  servePayHouse(database, world, [
    ...fundingEndpoints({ readStatement: readBankStatement, takeRefund: takeRefundNotice }),
    ...refundEndpoints,
  ])

export interface Paid {
  readonly wallet?: number
  readonly bank?: number
  readonly wechat?: readonly number[]
}

/** What a stage of refunds stands on: all of it is another before each test. */
interface Ground {
  readonly database: TestDatabase
  readonly pays: () => PayWorld
  readonly house: () => PayHouse
  readonly company: () => TestCompany
}

/** Everything that a refund test does with one house and one company. */
export function refundStage(
  database: TestDatabase,
  pays: () => PayWorld,
  house: () => PayHouse,
  company: () => TestCompany,
) {
  const ground = { database, pays, house, company }
  const hr = (): Edge => house().edge(company().as('hr'))
  const tables = tablesOf(database)
  const look = (path: string) => pays().ctl(path, undefined, 'GET')
  return {
    hr,
    ...tables,
    ...buyingOn(ground),
    ...timeOf(ground),
    look,
    /** The sandbox's own accounts add up. */
    conserved: async () => expect(await look('conserved')).toMatchObject({ ok: true }),
  }
}

interface PartRow {
  readonly id: Id<'refundPart'>
  readonly fen: number
  readonly route: string
  readonly state: string
  readonly reason: string | null
  readonly no: string | null
  readonly calls: number
  readonly payment: Id<'payment'>
}

/** What stands in the books of a test. */
function tablesOf(database: TestDatabase) {
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  return {
    read,
    set: (text: string, values: readonly unknown[] = []) => database.tx((tx) => change(tx.em, text, values)),
    cardsOf: async (orderId: Id<'order'>): Promise<Id<'card'>[]> =>
      (
        await read<{ id: Id<'card'> }>(
          'select card.id as id from card join order_item on order_item.id = card.order_item_id where order_item.order_id = ? order by card.id',
          [orderId],
        )
      ).map((row) => row.id),
    parts: (refundId?: Id<'refund'>) =>
      read<PartRow>(
        `select id, fen, route, state, reason, out_refund_no as no, calls, payment_id as payment from refund_part
          ${refundId ? 'where refund_id = ?' : ''} order by id`,
        refundId ? [refundId] : [],
      ),
    balance: async (account: string): Promise<number> => {
      const [row] = await read<{ total: unknown }>(
        "select sum(amount) as total from posting where unit = 'CNY' and account = ?",
        [account],
      )
      return Number(row?.total ?? 0)
    },
  }
}

/** Counts keys of payments, rows of statements and people: each is another, in all tests of a process. */
let made = 0
const terms = {
  collector: 'brand',
  platformBp: 0,
  channels: [],
  maxRatioBp: 3000,
  holdMs: 0,
  walletCredit: false,
} as const

/** Cards and their money. */
function buyingOn({ database, pays, house, company }: Ground) {
  const { read, set } = tablesOf(database)
  const open = (wish: Parameters<typeof openPayment>[1]) =>
    openPayment(house().edge(company().as('hr')), wish, `k${(made += 1)}`)
  const scan = (orderId: Id<'order'>, amountFen: number) =>
    payByWechat(house(), pays(), company(), { orderId, amountFen })

  async function bank(amount: number, memo: string): Promise<void> {
    const bytes = Buffer.from(
      `流水号,日期,收入金额,对方户名,对方账号,附言\nR${(made += 1)},2026-09-01,${(amount / 100).toFixed(2)},甲,1,${memo}`,
    )
    const operator: Actor = { kind: 'system', name: 'finance' }
    const file = { fileName: 'a.csv', bytes, read: await readBankStatement(bytes, 'a.csv') }
    await importStatement(house().edge(operator), file, 'zh')
  }

  async function pay(orderId: Id<'order'>, paid: Paid): Promise<void> {
    if (paid.wallet) await open({ orderId, source: 'wallet', amountFen: fen(paid.wallet) })
    for (const amount of paid.wechat ?? []) await scan(orderId, amount)
    if (paid.bank) {
      const id = await open({ orderId, source: 'bank_transfer', amountFen: fen(paid.bank) })
      const [row] = await read<{ reference: string }>('select reference from payment where id = ?', [id])
      await bank(paid.bank, row!.reference)
    }
  }

  /** A campaign whose cards are made, paid from these sources. */
  async function issued(
    heads: number,
    paid: Paid,
    wish: CampaignWish & { readonly terms?: Partial<NewTerms> } = {},
  ): Promise<TestCampaign> {
    made += 1
    const people = Array.from({ length: heads }, (_, i) => ({ name: `员工${i}`, userid: `u${made}-${i}` }))
    const personIds = await somePeople(database, company().id, people)
    const campaign = await anApprovedCampaign(database, company(), personIds, { wechatPay: merchants[0], ...wish })
    if (wish.terms) {
      await database.tx((tx) => setTerms(tx, { brandId: campaign.brandId, ...terms, ...wish.terms }))
      // The order was placed a moment before its brand's terms: bring it behind them.
      await set('update orders set created_at_ms = created_at_ms + 60000 where id = ?', [campaign.orderId])
    }
    await pay(campaign.orderId, paid)
    await issueOrder(house().edge(), campaign.orderId)
    return campaign
  }
  return { bank, pay, payByWechat: scan, issued }
}

/** Work, and time that passes. */
function timeOf({ database, pays, house }: Ground) {
  const { read, set } = tablesOf(database)

  /** Works the jobs of refunds that are due, as a worker does; each at most so often. */
  async function work(most = 50): Promise<number> {
    let done = 0
    while (done < most) {
      const jobs = await read<{ id: string; kind: string; args: string }>(
        `select id, kind, args from job where kind in ('refund.part', 'refund.take-back') and state = 'ready'
          and ready_at_ms <= ? order by ready_at_ms, id limit 1`,
        [pays().now()],
      )
      const [job] = jobs
      if (!job) return done
      done += 1
      const args = JSON.parse(job.args) as { partId: Id<'refundPart'>; refundId: Id<'refund'> }
      const edge = house().edge()
      if (job.kind === 'refund.part') await driveRefundPart(edge, args.partId)
      else await runTakeBack(edge, args.refundId)
      await set("update job set state = 'done' where id = ?", [job.id])
    }
    return done
  }

  /** Lets time pass until nothing of refunds is due any more, or so many hours at most. */
  async function settle(hours = 24): Promise<void> {
    const until = pays().shiftMs + hours * 3_600_000
    while (pays().shiftMs < until) {
      await work()
      const [next] = await read<{ at: unknown }>(
        "select min(ready_at_ms) as at from job where kind in ('refund.part', 'refund.take-back') and state = 'ready'",
      )
      if (next?.at == null) return
      pays().shiftMs += Math.max(1, Number(next.at) - pays().now() + 1000)
    }
  }
  return { work, settle }
}

/** An edge whose process "dies" at its nth transaction: that one and all later ones fail. */
export function dyingAt(edge: Edge, nth: number): Edge {
  let count = 0
  return {
    ...edge,
    tx: (work) =>
      edge.tx(async (tx) => {
        const result = await work(tx)
        count += 1
        if (count >= nth) throw new Error('killed before the commit')
        return result
      }),
  }
}

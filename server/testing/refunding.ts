import { expect } from 'vitest'
import { fen } from '../../contract/fen.ts'
import type { Id } from '../../contract/ids.ts'
import { readBankStatement } from '../../importers/bank-statement.ts'
import type { Actor, Edge } from '../kernel/context.ts'
import { change, sql } from '../kernel/sql.ts'
import { setTerms, type NewTerms } from '../modules/catalog/set-terms.ts'
import { askPayment } from '../modules/funding/ask-payment.ts'
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

/** Everything that a refund test does with one house and one company. */
// The steps of a story share one house, one company and two counters: a closure is their smallest frame.
// oxlint-disable-next-line max-lines-per-function
export function refundStage(
  database: TestDatabase,
  pays: () => PayWorld,
  house: () => PayHouse,
  company: () => TestCompany,
) {
  let keys = 0
  let serials = 0
  const hr = (): Edge => house().edge(company().as('hr'))
  const read = <T>(text: string, values: readonly unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const set = (text: string, values: readonly unknown[] = []) => database.tx((tx) => change(tx.em, text, values))

  async function bank(amount: number, memo: string): Promise<void> {
    serials += 1
    const bytes = Buffer.from(
      `流水号,日期,收入金额,对方户名,对方账号,附言\nR${serials}${keys},2026-09-01,${(amount / 100).toFixed(2)},甲,1,${memo}`,
    )
    const operator: Actor = { kind: 'system', name: 'finance' }
    const file = { fileName: 'a.csv', bytes, read: await readBankStatement(bytes, 'a.csv') }
    await importStatement(house().edge(operator), file, 'zh')
  }

  async function payByWechat(orderId: Id<'order'>, amount: number): Promise<Id<'payment'>> {
    const id = await openPayment(hr(), { orderId, source: 'wechat_pay', amountFen: fen(amount) }, `k${(keys += 1)}`)
    const [row] = await read<{ no: string; mchid: string }>(
      'select out_trade_no as no, mchid from payment where id = ?',
      [id],
    )
    await pays().ctl('pay', { mchid: row!.mchid, outTradeNo: row!.no, outcome: 'success' })
    await askPayment(house().edge(), id)
    return id
  }

  async function pay(orderId: Id<'order'>, paid: Paid): Promise<void> {
    if (paid.wallet)
      await openPayment(hr(), { orderId, source: 'wallet', amountFen: fen(paid.wallet) }, `k${(keys += 1)}`)
    for (const amount of paid.wechat ?? []) await payByWechat(orderId, amount)
    if (paid.bank) {
      const wish = { orderId, source: 'bank_transfer', amountFen: fen(paid.bank) } as const
      const id = await openPayment(hr(), wish, `k${(keys += 1)}`)
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
    const people = Array.from({ length: heads }, (_, i) => ({ name: `员工${i}`, userid: `u${keys}-${i}` }))
    const personIds = await somePeople(database, company().id, people)
    const campaign = await anApprovedCampaign(database, company(), personIds, { wechatPay: merchants[0], ...wish })
    if (wish.terms) {
      const terms = {
        collector: 'brand',
        platformBp: 0,
        channels: [],
        maxRatioBp: 3000,
        holdMs: 0,
        walletCredit: false,
      } as const
      await database.tx((tx) => setTerms(tx, { brandId: campaign.brandId, ...terms, ...wish.terms }))
      // The order was placed a moment before its brand's terms: bring it behind them.
      await set('update orders set created_at_ms = created_at_ms + 60000 where id = ?', [campaign.orderId])
    }
    await pay(campaign.orderId, paid)
    await issueOrder(house().edge(), campaign.orderId)
    return campaign
  }

  const cardsOf = async (orderId: Id<'order'>): Promise<Id<'card'>[]> =>
    (
      await read<{ id: Id<'card'> }>(
        'select card.id as id from card join order_item on order_item.id = card.order_item_id where order_item.order_id = ? order by card.id',
        [orderId],
      )
    ).map((row) => row.id)

  /** Works the jobs of refunds that are due, as a worker does; each at most so often. */
  async function work(most = 50): Promise<number> {
    let done = 0
    while (done < most) {
      const jobs = await read<{ id: string; kind: string; args: string }>(
        `select id, kind, args from job where kind in ('refund.part', 'refund.take-back') and state = 'ready'
          and ready_at_ms <= ? order by ready_at_ms, id limit 1`,
        [Date.now() + pays().shiftMs],
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
  const parts = (refundId?: Id<'refund'>) =>
    read<PartRow>(
      `select id, fen, route, state, reason, out_refund_no as no, calls, payment_id as payment from refund_part
        ${refundId ? 'where refund_id = ?' : ''} order by id`,
      refundId ? [refundId] : [],
    )
  const balance = async (account: string): Promise<number> => {
    const [row] = await read<{ total: unknown }>(
      "select sum(amount) as total from posting where unit = 'CNY' and account = ?",
      [account],
    )
    return Number(row?.total ?? 0)
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
      pays().shiftMs = Math.max(pays().shiftMs + 1, Number(next.at) - Date.now() + 1000)
    }
  }
  const look = async (path: string): Promise<unknown> =>
    (await fetch(`${pays().sandbox.baseUrl}/__ctl/${path}`, { headers: { connection: 'close' } })).json()
  /** The sandbox's own accounts add up. */
  const conserved = async () => expect(await look('conserved')).toMatchObject({ ok: true })
  return { hr, read, set, pay, payByWechat, bank, issued, cardsOf, work, settle, parts, balance, look, conserved }
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

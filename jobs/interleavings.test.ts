import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../sandbox/wecom/server.ts'
import type { Edge } from '../server/kernel/context.ts'
import { AppError } from '../server/kernel/errors.ts'
import { sweep } from '../server/kernel/outbox.ts'
import { OutsideError } from '../server/kernel/outside.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { cancelCampaign } from '../server/modules/campaign/cancel-campaign.ts'
import { markOpened } from '../server/modules/delivery/mark-opened.ts'
import { readDeliveryCounts } from '../server/modules/delivery/read-deliveries.ts'
import { resendDeliveries } from '../server/modules/delivery/resend-deliveries.ts'
import { acceptNotices } from '../server/modules/funding/accept-notices.ts'
import { closePayment } from '../server/modules/funding/close-payment.ts'
import { importStatement } from '../server/modules/funding/import-statement.ts'
import { openPayment } from '../server/modules/funding/open-payment.ts'
import { anApprovedCampaign, somePeople, type TestCampaign } from '../server/testing/campaigns.ts'
import { aCompany, type TestCompany } from '../server/testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../server/testing/databases.ts'
import { merchants, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../server/testing/paying.ts'
import { easyReview, noWechat, noInvoices, noSms, noPasses, noWebhooks, wecomOf } from '../server/testing/wecom.ts'
import { handlers } from './handlers.ts'
import { workOnce } from './worker.ts'

/** One thing that somebody does, with numbers that choose among what there is. */
interface Act {
  readonly kind: (typeof kinds)[number]
  readonly pick: number
  readonly size: number
  /** The transactions after which whoever acts is killed. */
  readonly life: number
}
const kinds = [
  ...([
    'wallet',
    'bank',
    'qr',
    'qr',
    'scan',
    'scan',
    'notice',
    'close',
    'cancel',
    'line',
    'top_up',
    'stranger',
  ] as const),
  ...(['work', 'work', 'work', 'resend', 'open', 'fault', 'wait'] as const),
] as const
const act = fc.record<Act>({
  kind: fc.constantFrom(...kinds),
  pick: fc.nat(99),
  size: fc.nat(99),
  life: fc.oneof({ weight: 3, arbitrary: fc.constant(99) }, { weight: 1, arbitrary: fc.nat(4) }),
})
/** What is done at once, and then the next. */
const story = fc.array(fc.array(act, { minLength: 1, maxLength: 3 }), { minLength: 8, maxLength: 18 })

const STEP_MS = 61_000
const refusals = ['state_conflict', 'content_changed', 'payment_over_needed', 'wallet_insufficient', 'busy']
const more = ['delivery_not_retryable', 'provider_unavailable']

let world: PayWorld
let box: WecomSandbox
beforeAll(async () => {
  world = await startPayWorld()
  box = await startWecomSandbox({ now: () => Date.now() + world.shiftMs })
})
afterAll(async () => {
  await world.sandbox.close()
  await box.close()
})

interface PaymentFacts {
  readonly id: Id<'payment'>
  readonly source: string
  readonly state: string
  readonly mchid: string
  readonly number: string
  readonly reference: string | null
  /** The QR; nobody can pay without having seen it. */
  readonly code: string | null
}

/** One order and all that may happen around it. */
class Stage {
  readonly database: TestDatabase
  readonly house: PayHouse
  readonly company: TestCompany
  readonly campaign: TestCampaign
  private count = 0

  constructor(database: TestDatabase, house: PayHouse, company: TestCompany, campaign: TestCampaign) {
    this.database = database
    this.house = house
    this.company = company
    this.campaign = campaign
  }

  edge(actor = this.company.as('hr')): Edge {
    const now = () => Date.now() + world.shiftMs
    return this.database.edge(
      {
        wechatPay: this.house.ports.wechatPay,
        wecom: wecomOf(box, { now }),
        sms: noSms,
        invoice: noInvoices,
        webhook: noWebhooks,
        pass: noPasses,
        review: easyReview,
        wechat: noWechat,
      },
      actor,
      now,
    )
  }

  read<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return this.database.tx((tx) => sql<T>(tx.em, text, values))
  }

  payments(): Promise<PaymentFacts[]> {
    return this.read<PaymentFacts>(
      'select id, source, state, mchid, out_trade_no as number, reference, code_url as code from payment where order_id = ? order by id',
      [this.campaign.orderId],
    )
  }

  async missing(): Promise<number> {
    const [row] = await this.read<{ missing: unknown }>(
      'select total_fen - secured_fen as missing from orders where id = ?',
      [this.campaign.orderId],
    )
    return Number(row!.missing)
  }

  bank(amount: number, memo: string, edge = this.edge()): Promise<unknown> {
    const serial = `${this.campaign.orderId}${(this.count += 1)}`
    const entry = {
      row: 1,
      serial,
      amountFen: fen(amount),
      arrivedAtMs: Date.now(),
      direction: 'in' as const,
      payerName: '甲',
      payerAccount: '1',
    }
    const read = { entries: [{ ...entry, memo }], faults: [], refusal: null }
    const file = { fileName: 'a.csv', bytes: Buffer.from(serial), read }
    // A file that comes twice, at once, is one file.
    return bothOf([importStatement(edge, file, 'zh'), importStatement(edge, file, 'zh')])
  }

  open(source: 'wallet' | 'bank_transfer' | 'wechat_pay', amount: number, edge = this.edge()): Promise<unknown> {
    const wish = { orderId: this.campaign.orderId, source, amountFen: fen(amount) }
    const key = `k${(this.count += 1)}${this.campaign.orderId}`
    return bothOf([openPayment(edge, wish, key), openPayment(edge, wish, key)])
  }

  /** Does one thing. What the house refuses for a good reason, and being killed, is part of the story. */
  async perform(one: Act): Promise<void> {
    try {
      await this.does(one)
    } catch (error) {
      if (error instanceof AppError && [...refusals, ...more].includes(error.code)) return
      if (error instanceof OutsideError || isKill(error)) return
      throw error
    }
  }

  private async does({ kind, pick, size, life }: Act): Promise<void> {
    const edge = killedAfter(this.edge(), life)
    const payments = await this.payments()
    const amount = Math.max(1, Math.ceil(((await this.missing()) * (size + 1)) / 100))
    const of = (source: string) => {
      const own = payments.filter((payment) => payment.source === source)
      return own[pick % Math.max(1, own.length)]
    }
    const qr = of('wechat_pay')
    switch (kind) {
      case 'wallet':
        return void (await this.open('wallet', amount, edge))
      case 'bank':
        return void (await this.open('bank_transfer', amount, edge))
      case 'qr':
        return void (await this.open('wechat_pay', amount, edge))
      case 'scan':
        if (qr?.code) await world.ctl('pay', { mchid: qr.mchid, outTradeNo: qr.number, outcome: 'success' })
        return
      case 'notice': {
        const trade = qr && (await edge.ports.wechatPay.query(merchants[0], qr.number))
        if (!trade) return
        const told = size % 4 === 0 ? { ...trade, total: fen(trade.total + 1) } : trade
        return bothOf([1, 2].map(() => edge.tx((tx) => acceptNotices(tx, [told, trade, told]))))
      }
      case 'close': {
        const payment = payments[pick % Math.max(1, payments.length)]
        return payment && closePayment(edge, payment.id)
      }
      case 'cancel':
        return void (size < 40 && (await edge.tx((tx) => cancelCampaign(tx, this.campaign.id))))
      case 'line':
        return void (await this.bank(amount + (pick % 3), of('bank_transfer')?.reference ?? 'nothing', edge))
      case 'top_up':
        return void (await this.bank(amount, this.company.reference, edge))
      case 'stranger':
        return void (await this.bank(amount, 'FLK22222222', edge))
      default:
        return this.goesOn({ kind, pick, size, life }, edge)
    }
  }

  private async goesOn({ kind, pick, size, life }: Act, edge: Edge): Promise<void> {
    switch (kind) {
      case 'work':
        await bothOf([
          workOnce(edge, handlers, 'small'),
          ...(size % 2 === 0 ? [workOnce(this.edge(), handlers, 'small')] : []),
        ])
        return
      case 'resend':
        return void (await edge.tx((tx) => resendDeliveries(tx, { campaignId: this.campaign.id })))
      case 'open': {
        const personId = this.campaign.personIds[pick % this.campaign.personIds.length]!
        return void (await edge.tx((tx) => markOpened(tx, { campaignId: this.campaign.id, personId })))
      }
      case 'fault': {
        const payFaults = ['status500_before', 'status500_after', 'cut_after'] as const
        if (pick % 2 === 0) await world.ctl('faults', { kind: payFaults[size % 3], path: '', times: 1 })
        else box.control.addFault({ path: 'message/send', kind: size % 2 === 0 ? 'cut_after' : 'cut_before' })
        return
      }
      default:
        world.shiftMs += life < 99 ? 2 * 3_600_000 : STEP_MS
    }
  }

  /** What must hold at every moment. */
  async check(): Promise<void> {
    expect(await this.database.tx(proveBooks)).toEqual([])
    const { orderId, id } = this.campaign
    const [order] = await this.read<Record<'state' | 'total' | 'secured', unknown>>(
      'select state, total_fen as total, secured_fen as secured from orders where id = ?',
      [orderId],
    )
    expect(Number(order!.secured)).toBeLessThanOrEqual(Number(order!.total))
    const funded = await this.read("select id from trail where object_id = ? and to_state = 'funded'", [orderId])
    expect(funded).toHaveLength(['funded', 'issuing', 'issued'].includes(String(order!.state)) ? 1 : 0)
    const cards = await this.read<{ holder: string }>(
      'select card.holder_id as holder from card join order_item on order_item.id = order_item_id where order_id = ?',
      [orderId],
    )
    expect(new Set(cards.map((card) => card.holder)).size).toBe(cards.length)
    const counts = await this.database.tx((tx) => readDeliveryCounts(tx, id))
    expect(counts.pending + counts.sent + counts.failed).toBe(this.campaign.personIds.length)
    expect(counts.pending).toBeGreaterThanOrEqual(0)
    const carried = await this.read<{ attempts: number }>(
      'select attempts from delivery where campaign_id = ? order by person_id',
      [id],
    )
    for (const [index, { attempts }] of carried.slice(0, 2).entries())
      expect(box.control.inbox(this.company.wecom.corpId, `staff${index}`)!.length).toBeLessThanOrEqual(
        Number(attempts),
      )
  }

  /** Without further faults everything comes to its end: the order is cancelled, or all is paid, made and sent. */
  async end(): Promise<void> {
    await world.ctl('faults', {}, 'DELETE')
    await world.ctl('faults', { kind: 'notice_lose', times: 1000 })
    box.control.clearFaults()
    const { orderId, id } = this.campaign
    const ended = async () => {
      const [row] = await this.read<{ state: string }>('select state from campaign where id = ?', [id])
      const open = (await this.payments()).filter((payment) => payment.state === 'opened')
      // Somebody who failed may have been sent to again after the campaign had finished: that comes to its end too.
      const { pending } = await this.database.tx((tx) => readDeliveryCounts(tx, id))
      const over = row!.state === 'cancelled' || (row!.state === 'finished' && pending === 0)
      return open.length === 0 && over ? row!.state : null
    }
    for (let turn = 0; turn < 40 && (await ended()) === null; turn += 1) {
      world.shiftMs += 4 * STEP_MS
      await this.edge().tx(sweep)
      while ((await workOnce(this.edge(), handlers, 'small')) || (await workOnce(this.edge(), handlers, 'bulk')));
      const [order] = await this.read<{ state: string }>('select state from orders where id = ?', [orderId])
      if (order!.state !== 'awaiting_funds' || turn < 3) continue
      await this.open('bank_transfer', await this.missing())
      const bank = (await this.payments()).findLast((payment) => payment.source === 'bank_transfer')
      await this.bank(await this.missing(), bank!.reference!)
    }
    const state = await ended()
    expect(state).not.toBeNull()
    const counts = await this.database.tx((tx) => readDeliveryCounts(tx, id))
    const cards = await this.read(
      'select card.id from card join order_item on order_item.id = order_item_id where order_id = ?',
      [orderId],
    )
    const heads = this.campaign.personIds.length
    expect(cards).toHaveLength(state === 'finished' ? heads : 0)
    expect(counts.sent + counts.failed).toBe(state === 'finished' ? heads : 0)
  }
}

/** Both to their end, also when one is killed: a look in between would see half of what the other does. */
async function bothOf(works: readonly Promise<unknown>[]): Promise<void> {
  const ends = await Promise.allSettled(works)
  const reasons = ends.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  if (reasons.length > 0) throw reasons.find((one) => !isKill(one)) ?? reasons[0]
}

const isKill = (error: unknown): boolean => error instanceof Error && error.message === 'killed'

function killedAfter(edge: Edge, transactions: number): Edge {
  let left = transactions
  const tx: Edge['tx'] = (work) => {
    left -= 1
    return left < 0 ? Promise.reject(new Error('killed')) : edge.tx(work)
  }
  return { ...edge, tx }
}

let staged = 0
async function aStage(database: TestDatabase, house: PayHouse): Promise<Stage> {
  staged += 1
  const staff = [0, 1].map((i) => ({ userid: `staff${i}`, name: '员工' }))
  const company = await aCompany(database, { sandbox: box, staff, walletFen: 20_000 })
  const people = [...staff, { userid: 'ghost', name: '不在' }]
  const personIds = await somePeople(database, company.id, people)
  const faceFen = [100, 333, 30_001][staged % 3]!
  const wish = { faceFen, wechatPay: merchants[0], issuerPrefix: String(6300 + staged) }
  return new Stage(database, house, company, await anApprovedCampaign(database, company, personIds, wish))
}

onBothDatabases('an order, its money, its cards and its messages', (database) => {
  test('whatever happens at once and whoever is killed, the books stand and all of it comes to an end', async () => {
    const house = await servePayHouse(database, world, [])
    const property = fc.asyncProperty(story, async (steps) => {
      await world.ctl('faults', {}, 'DELETE')
      await world.ctl('faults', { kind: 'notice_lose', times: 1000 })
      const stage = await aStage(database, house)
      for (const step of steps) {
        world.shiftMs += STEP_MS
        await stage.edge().tx(sweep)
        await Promise.all(step.map((one) => stage.perform(one)))
        await stage.check()
      }
      await stage.end()
      await stage.check()
    })
    // The seed is printed with whatever fails.
    await fc.assert(property, { numRuns: 12, interruptAfterTimeLimit: 12_000, endOnFailure: true })
    await house.close()
  })
})

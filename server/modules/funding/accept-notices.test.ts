import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { WechatPayTrade } from '../../channels/wechatpay-port.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { insertRows, sql } from '../../kernel/sql.ts'
import { aTemplate } from '../../testing/cards.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { statementsOf } from '../../testing/statements.ts'
import { createBrand } from '../catalog/create-template.ts'
import { lockOrders } from '../order/lock-orders.ts'
import { placeOrder } from '../order/place-order.ts'
import { acceptNotices, type NoticeAnswer } from './accept-notices.ts'

const PRICES = [60_000, 40_000] as const
const APPID = 'wxsandbox0001'

/** A payment of an order as it stands before anything is told. */
interface PaymentPlan {
  readonly source: 'wechat_pay' | 'bank_transfer'
  readonly state: 'opened' | 'closed' | 'failed'
  readonly brand: 0 | 1
  readonly amount: number
}
interface OrderPlan {
  readonly brands: 1 | 2
  readonly cancelled: boolean
  readonly payments: readonly PaymentPlan[]
}
/** What is told, by numbers that choose among the payments there are. */
interface TradePlan {
  readonly order: number
  readonly payment: number
  readonly transaction: number
  readonly state: WechatPayTrade['state']
  readonly wrong: 'amount' | 'merchant' | 'number' | null
}

const often = <T>(value: T, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other })
const orderPlan = fc.record<OrderPlan>({
  brands: fc.constantFrom(1, 2),
  cancelled: often(false, fc.constant(true)),
  payments: fc.array(
    fc.record<PaymentPlan>({
      source: often('wechat_pay', fc.constant('bank_transfer')),
      state: often('opened', fc.constantFrom('closed', 'failed')),
      brand: fc.constantFrom(0, 1),
      amount: fc.constantFrom(60_000, 40_000, 40_000, 30_000, 20_000, 90_000),
    }),
    { minLength: 1, maxLength: 4 },
  ),
})
const tradePlan = fc.record<TradePlan>({
  order: fc.nat(3),
  payment: fc.nat(3),
  transaction: often(-1, fc.nat(3)),
  state: often('SUCCESS', fc.constantFrom('REFUND', 'NOTPAY', 'CLOSED')),
  wrong: often(null, fc.constantFrom('amount', 'merchant', 'number')),
})

const wechat = (amount: number, state: PaymentPlan['state'] = 'opened'): PaymentPlan => {
  return { source: 'wechat_pay', state, brand: 0, amount }
}
const told = (order: number, payment: number, more: Partial<TradePlan> = {}): TradePlan => {
  return { order, payment, transaction: -1, state: 'SUCCESS', wrong: null, ...more }
}
/** Every answer there is, in one batch. */
const everyKind: [OrderPlan[], TradePlan[]] = [
  [
    { brands: 1, cancelled: false, payments: [wechat(60_000), wechat(60_000)] },
    { brands: 1, cancelled: true, payments: [wechat(60_000)] },
    { brands: 1, cancelled: false, payments: [wechat(60_000, 'closed')] },
    { brands: 2, cancelled: false, payments: [wechat(90_000), wechat(40_000), wechat(20_000)] },
  ],
  [
    told(0, 0),
    told(0, 0),
    told(0, 1),
    told(1, 0),
    told(2, 0),
    told(3, 0),
    told(3, 1, { wrong: 'amount' }),
    told(3, 1, { wrong: 'merchant' }),
    told(3, 1, { wrong: 'number' }),
    told(3, 1, { transaction: 0 }),
    told(3, 2, { state: 'NOTPAY' }),
  ],
]

let worlds = 0

onBothDatabases('notices in a batch', (database) => {
  /** The same orders and payments anew, under ids of their own; `names` says which is which. */
  async function build(orders: readonly OrderPlan[], versions: readonly Id<'templateVersion'>[]) {
    worlds += 1
    const world = `w${worlds}w`
    const names = new Map<string, string>()
    const numbers: string[][] = []
    for (const [at, plan] of orders.entries()) {
      const { id, payments } = await database.tx((tx) => buildOrder(tx, plan, versions, `${world}O${at}`))
      names.set(id, `order ${at}`)
      payments.forEach((payment, index) => names.set(payment.id, `payment ${at}.${index}`))
      numbers.push(payments.map((payment) => payment.out_trade_no))
    }
    const tell = (plan: TradePlan): WechatPayTrade => tradeOf(plan, orders, numbers, world)
    return { names, tell, world }
  }

  /** All that was written of a world, with ids by name: equal for two worlds to which the same happened. */
  async function standing(names: ReadonlyMap<string, string>, world: string) {
    const named = (text: unknown) => {
      let plain = String(text).replaceAll(world, 'w')
      for (const [id, name] of names) plain = plain.replaceAll(id, name)
      return plain
    }
    const ids = [...names.keys()]
    const slots = ids.map(() => '?').join(',')
    const queries = [
      `select id, state, secured_fen, total_fen from orders where id in (${slots})`,
      `select id, state, paid_fen, outcome, paid_at_ms, transaction_id, bank_type, payer_sealed is null as anonymous from payment where id in (${slots})`,
      `select payment_id, brand_id, amount_fen from payment_part where payment_id in (${slots})`,
      `select entry.ref, entry.kind, posting.line, posting.unit, posting.account, posting.amount from entry join posting on posting.entry_id = entry.id where entry.ref in (${slots})`,
      `select object_id, act, from_state, to_state, note, actor from trail where object_id in (${slots}) and act <> 'orders.placed'`,
    ]
    const found: string[] = []
    for (const query of queries)
      for (const row of await database.tx((tx) => sql<object>(tx.em, query, ids))) found.push(named(Object.values(row)))
    const jobs = await database.tx((tx) =>
      sql<{ kind: string; job_key: string; lane: string; args: string }>(
        tx.em,
        'select kind, job_key, lane, args from job',
      ),
    )
    for (const job of jobs) {
      const text = named(Object.values(job))
      if (/order \d|payment \d/.test(text)) found.push(text)
    }
    return found.sort()
  }

  const versionsOf = () =>
    database.tx(async (tx) => {
      const versions: Id<'templateVersion'>[] = []
      for (const at of [0, 1]) {
        const wechatPay = { mchid: `190000010${at}`, appid: APPID }
        const issuerPrefix = String(630_000 + (worlds += 1))
        versions.push(await aTemplate(tx, await createBrand(tx, { name: `品牌 ${at}`, issuerPrefix, wechatPay })))
      }
      return versions
    })

  test('any trades of any orders give what they give one by one', async () => {
    const versions = await versionsOf()
    const stories = fc.tuple(
      fc.array(orderPlan, { minLength: 1, maxLength: 4 }),
      fc.array(tradePlan, { minLength: 1, maxLength: 12 }),
    )
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(stories, async ([orders, trades]) => {
        const [one, many] = [await build(orders, versions), await build(orders, versions)]
        const singly: NoticeAnswer[] = []
        for (const plan of trades) singly.push(...(await database.tx((tx) => acceptNotices(tx, [one.tell(plan)]))))
        const together = await database.tx((tx) => acceptNotices(tx, trades.map(many.tell)))
        expect(together).toEqual(singly)
        expect(await standing(many.names, many.world)).toEqual(await standing(one.names, one.world))
        for (const answer of together) seen.add(answer.kind === 'accepted' ? answer.outcome : answer.kind)
      }),
      { numRuns: 60, examples: [[everyKind]], interruptAfterTimeLimit: 25_000, markInterruptAsFailure: false },
    )
    for (const kind of ['exact', 'late', 'over', 'duplicate', 'order_closed', 'repeated', 'unpaid', 'wrong_amount'])
      expect(seen).toContain(kind)
    for (const kind of ['wrong_merchant', 'wrong_transaction', 'unknown_order']) expect(seen).toContain(kind)
  })

  test('two batches of the same trades in opposite order, at once, take each once', async () => {
    const versions = await versionsOf()
    const payment = { source: 'wechat_pay', state: 'opened', brand: 0, amount: 60_000 } as const
    const plan: OrderPlan = { brands: 1, cancelled: false, payments: [payment] }
    const { tell, names, world } = await build(
      Array.from({ length: 30 }, () => plan),
      versions,
    )
    const trades = Array.from({ length: 30 }, (_, order) => {
      return tell({ order, payment: 0, transaction: -1, state: 'SUCCESS', wrong: null })
    })
    const batches = [trades, [...trades].reverse(), trades.slice(10), [...trades].reverse().slice(5)]
    const answers = await Promise.all(batches.map((batch) => database.tx((tx) => acceptNotices(tx, batch))))
    const kinds = answers.flat().map((answer) => answer.kind)
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(30)
    expect(kinds.filter((kind) => kind === 'repeated')).toHaveLength(kinds.length - 30)
    const paid = (await standing(names, world)).filter((line) => line.includes('orders.funded'))
    expect(paid).toHaveLength(30)
  })

  test('orders are held by one statement in the order of their ids, and writing takes one a table', async () => {
    const versions = await versionsOf()
    const payment = { source: 'wechat_pay', state: 'opened', brand: 0, amount: 60_000 } as const
    const orders = Array.from({ length: 20 }, (): OrderPlan => ({ brands: 1, cancelled: false, payments: [payment] }))
    const { tell } = await build(orders, versions)
    const trades = orders.map((_, order) => tell({ order, payment: 0, transaction: -1, state: 'SUCCESS', wrong: null }))
    const { texts } = await statementsOf(database, () => database.tx((tx) => acceptNotices(tx, trades.reverse())))
    const writes = texts.filter((text) => /^(with given.*)?(insert|update|delete|begin not atomic)/i.test(text))
    const written = writes.map((text) =>
      [...text.matchAll(/(?:insert(?: ignore)? into|straight_join|\) update|insert or ignore into) (\w+)/gi)].map(
        ([, table]) => table,
      ),
    )
    const inserts = ['trail', 'entry', 'posting', 'trail', 'job']
    if (database.dialect === 'mysql') expect(written).toEqual([['payment'], ['orders'], inserts])
    else expect(written.flat()).toEqual(['payment', 'trail', 'entry', 'posting', 'orders', 'trail', 'job'])
    const holds = texts.filter((text) => /from orders .*where id in/.test(text))
    expect(holds).toHaveLength(1)
    expect(holds[0]).toMatch(/order by id/)
    if (database.dialect === 'mysql') expect(holds[0]).toMatch(/order by id for update$/)
  })

  test('a held order is waited for', async () => {
    const versions = await versionsOf()
    const payment = { source: 'wechat_pay', state: 'opened', brand: 0, amount: 60_000 } as const
    const { tell, names } = await build([{ brands: 1, cancelled: false, payments: [payment] }], versions)
    const [orderId] = [...names.keys()] as Id<'order'>[]
    const order: string[] = []
    let letGo = (): void => undefined
    const gate = new Promise<void>((resolve) => (letGo = resolve))
    let isHeld = (): void => undefined
    const held = new Promise<void>((resolve) => (isHeld = resolve))
    const holder = database.tx(async (tx) => {
      await lockOrders(tx, [orderId!])
      isHeld()
      await gate
      order.push('holder')
    })
    const trade = tell({ order: 0, payment: 0, transaction: -1, state: 'SUCCESS', wrong: null })
    await held
    const taker = database.tx((tx) => acceptNotices(tx, [trade])).then(() => order.push('taker'))
    // Time to overtake; who is slower than that proves nothing, and is not wrong.
    await new Promise((resolve) => setTimeout(resolve, 100))
    letGo()
    await Promise.all([holder, taker])
    expect(order).toEqual(['holder', 'taker'])
  })
})

async function buildOrder(
  tx: Parameters<Parameters<TestDatabase['tx']>[0]>[0],
  plan: OrderPlan,
  versions: readonly Id<'templateVersion'>[],
  world: string,
) {
  const items = PRICES.slice(0, plan.brands).map((price, at) => {
    const [faceFen, priceFen] = [fen(price), fen(price)]
    return { holderId: encodeId('person', BigInt(at)), templateVersionId: versions[at]!, faceFen, priceFen }
  })
  const id = await placeOrder(tx, { companyId: null, items })
  const brands = await sql<{ id: string; brand_id: string }>(tx.em, 'select id, brand_id from template_version')
  const brandOf = new Map(brands.map((row) => [row.id, row.brand_id]))
  const payments = plan.payments.map(({ source, state, amount }, index) => ({
    id: tx.newId('payment'),
    company_id: null,
    order_id: id,
    source,
    state,
    version: 1,
    amount_fen: amount,
    mchid: source === 'wechat_pay' ? `190000010${brandAt(plan, index)}` : null,
    appid: source === 'wechat_pay' ? APPID : null,
    out_trade_no: `${world}P${index}`,
    opened_by: 'test',
    opened_at_ms: 1,
  }))
  const parts = payments.map((payment, index) => ({
    id: tx.newId('paymentPart'),
    payment_id: payment.id,
    brand_id: brandOf.get(versions[brandAt(plan, index)]!)!,
    amount_fen: payment.amount_fen,
  }))
  await insertRows(tx.em, 'payment', payments)
  await insertRows(tx.em, 'payment_part', parts)
  const watches = payments.map((payment) => {
    return {
      kind: 'payment.watch',
      key: `payment.watch:${payment.id}`,
      args: { paymentId: payment.id },
      readyAtMs: 1e15,
    }
  })
  await enqueue(tx, watches)
  if (plan.cancelled) await sql(tx.em, "update orders set state = 'cancelled' where id = ?", [id])
  return { id, payments }
}

const brandAt = (plan: OrderPlan, payment: number): 0 | 1 => (plan.brands === 1 ? 0 : plan.payments[payment]!.brand)

function tradeOf(
  plan: TradePlan,
  orders: readonly OrderPlan[],
  numbers: readonly (readonly string[])[],
  world: string,
): WechatPayTrade {
  const at = plan.order % orders.length
  const order = orders[at]!
  const index = plan.payment % order.payments.length
  const paid = plan.state === 'SUCCESS' || plan.state === 'REFUND'
  const transaction = plan.transaction < 0 ? `${at}.${index}` : `${plan.transaction}.0`
  return {
    mchid: plan.wrong === 'merchant' ? '1' : `190000010${brandAt(order, index)}`,
    appid: APPID,
    outTradeNo: plan.wrong === 'number' ? `${world}nobody` : numbers[at]![index]!,
    transactionId: paid ? `${world}T${transaction}` : null,
    state: plan.state,
    total: fen(order.payments[index]!.amount + (plan.wrong === 'amount' ? 1 : 0)),
    successAtMs: paid ? 1_800_000_000_000 : null,
    bankType: paid ? 'OTHERS' : null,
    openid: paid && index % 2 === 0 ? 'oOpenid' : null,
  }
}

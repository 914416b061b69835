import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import type { StatementEntry } from '../contract/statement-entry.ts'
import { faultKinds } from '../sandbox/wechatpay/state.ts'
import { failReasons, returnFailures } from '../sandbox/wechatpay/money-state.ts'
import { askPayment } from '../server/modules/funding/ask-payment.ts'
import { closePayment } from '../server/modules/funding/close-payment.ts'
import { importStatement } from '../server/modules/funding/import-statement.ts'
import { openPayment } from '../server/modules/funding/open-payment.ts'
import { placeOrder } from '../server/modules/order/place-order.ts'
import { readBills } from '../server/modules/reconciliation/read-bills.ts'
import { buyerOf, type Cast } from './cast.ts'
import { NOTHING, rows, type Act } from './play.ts'
import type { Stage } from './stage.ts'

interface OrderFacts {
  readonly id: Id<'order'>
  readonly company_id: Id<'company'>
  readonly missing: number
}
interface PaymentFacts {
  readonly id: Id<'payment'>
  readonly company_id: Id<'company'>
  readonly amount_fen: number
  readonly mchid: string
  readonly out_trade_no: string
  readonly reference: string
}

/** The newest are more often at stake than the old. */
const LATEST = 12

async function anOrder(stage: Stage): Promise<OrderFacts | null> {
  const found = await rows<OrderFacts>(
    stage,
    `select id, company_id, total_fen - secured_fen as missing from orders where state = 'awaiting_funds' order by id desc limit ${LATEST}`,
  )
  return found.length === 0 ? null : stage.chance.pick(found)
}

async function aPayment(stage: Stage, condition: string): Promise<PaymentFacts | null> {
  const found = await rows<PaymentFacts>(
    stage,
    `select id, company_id, amount_fen, mchid, out_trade_no, reference from payment where ${condition} order by id desc limit ${LATEST}`,
  )
  return found.length === 0 ? null : stage.chance.pick(found)
}

/** A company buys one to eight cards of one to three brands. */
export const order: Act = async (stage, cast) => {
  const { chance } = stage
  const company = chance.pick(cast.companies)
  const edge = stage.edge(company.finance)
  const brands = chance.between(1, cast.templates.length)
  const from = chance.between(0, cast.templates.length - 1)
  const items = Array.from({ length: chance.between(1, 8) }, (_, index) => {
    const face = chance.between(1, 50) * 1000 + chance.between(0, 1) * 33
    const { versionId } = cast.templates[(from + (index % brands)) % cast.templates.length]!
    const holderId = edge.newId('person')
    return { holderId, templateVersionId: versionId, faceFen: fen(face), priceFen: fen(Math.floor(face * 0.95)) }
  })
  const orderId = await edge.tx((tx) => placeOrder(tx, { companyId: company.id, items }))
  return `${company.name} orders ${items.length} cards ${orderId}`
}

/** Somebody opens a payment for an order: all that is missing, or a part. */
export const open: Act = async (stage, cast) => {
  const { chance } = stage
  const found = await anOrder(stage)
  if (!found) return NOTHING
  const source = chance.pick(['wallet', 'wechat_pay', 'wechat_pay', 'wechat_pay', 'bank_transfer'] as const)
  const missing = Number(found.missing)
  const amountFen = fen(chance.oneIn(3) ? Math.max(1, Math.floor(missing / chance.between(2, 4))) : missing)
  const wish = { orderId: found.id, source, amountFen, clientIp: '203.0.113.9' }
  const paymentId = await openPayment(
    stage.edge(buyerOf(cast, found.company_id).finance),
    wish,
    chance.bytes(8).toString('hex'),
  )
  return `opens ${source} ${amountFen} for ${found.id}: ${paymentId}`
}

const openWechat = "source = 'wechat_pay' and state in ('opened', 'closed')"

/** A payer scans a code: pays, or meets a limit of the bank. */
export const scan: Act = async (stage) => {
  const payment = await aPayment(stage, openWechat)
  if (!payment) return NOTHING
  const outcome = stage.chance.oneIn(5) ? stage.chance.pick(['bank_limit', 'no_money', 'cancel', 'risk']) : 'success'
  const body = JSON.stringify({ mchid: payment.mchid, outTradeNo: payment.out_trade_no, outcome })
  const answer = await stage.pay.fetch('http://pay.sandbox/__ctl/pay', { method: 'POST', body })
  const { state } = (await answer.json()) as { state: string | null }
  return `payer of ${payment.id}: ${outcome}, then ${state}`
}

async function statement(
  stage: Stage,
  cast: Cast,
  lines: readonly Omit<StatementEntry, 'row' | 'serial'>[],
): Promise<void> {
  const entries = lines.map((line, row) => ({ row, serial: stage.chance.bytes(8).toString('hex'), ...line }))
  const file = { fileName: 'bank.csv', bytes: stage.chance.bytes(16), read: { entries, faults: [], refusal: null } }
  await importStatement(stage.edge(cast.operator), file, 'en')
}

/** Transfers arrive: what was asked for, less, more, for an order that has its money, or for nobody. */
export const transfer: Act = async (stage, cast) => {
  const { chance } = stage
  const payment = await aPayment(stage, "source = 'bank_transfer' and state in ('opened', 'closed', 'paid')")
  if (!payment) return NOTHING
  const asked = Number(payment.amount_fen)
  const amount = chance.oneIn(4) ? Math.max(1, asked + chance.between(-500, 500)) : asked
  const company = buyerOf(cast, payment.company_id)
  const memo = chance.oneIn(6) ? '货款' : `福利 ${payment.reference}`
  const line = {
    direction: 'in' as const,
    amountFen: fen(amount),
    arrivedAtMs: stage.now(),
    payerName: company.name,
    payerAccount: '6222000011112222',
    memo,
  }
  await statement(stage, cast, chance.oneIn(8) ? [line, line] : [line])
  return `transfer of ${amount} for ${payment.id}`
}

/** A company puts money into its wallet. */
export const topUp: Act = async (stage, cast) => {
  const company = stage.chance.pick(cast.companies)
  const amountFen = fen(stage.chance.between(1, 40) * 10_000)
  const payer = { payerName: company.name, payerAccount: '6222000011112222', memo: company.reference }
  await statement(stage, cast, [{ direction: 'in', amountFen, arrivedAtMs: stage.now(), ...payer }])
  return `${company.name} tops up ${amountFen}`
}

/** Somebody asks how a payment stands, or closes it. */
export const ask: Act = async (stage, cast) => {
  const payment = await aPayment(stage, openWechat)
  if (!payment) return NOTHING
  if (stage.chance.oneIn(3)) {
    await closePayment(stage.edge(buyerOf(cast, payment.company_id).finance), payment.id)
    return `closes ${payment.id}`
  }
  return `asks about ${payment.id}: ${await askPayment(stage.edge(), payment.id)}`
}

/** The worker does some of what is ready. */
export const work: Act = async (stage) => {
  const most = stage.chance.between(1, 12)
  let done = 0
  while (done < most && (await stage.work())) done += 1
  return `works ${done}`
}

/** A notice that was late comes, perhaps twice, and not in its order. */
export const mail: Act = async (stage) => {
  const index = stage.mail.length === 0 ? -1 : stage.chance.between(0, stage.mail.length - 1)
  const [notice] = index < 0 ? [] : stage.mail.splice(index, 1)
  if (!notice) return NOTHING
  const statuses = []
  for (let times = stage.chance.oneIn(3) ? 2 : 1; times > 0; times -= 1) statuses.push(await stage.deliver(notice))
  return `late notice: ${statuses.join(' ')}`
}

const waits = [1_000, 5_000, 20_000, 61_000, 5 * 60_000, 15 * 60_000, 3_600_000, 3 * 3_600_000, 86_400_000]
/** Time goes by; seldom more than a month, after which WeChat Pay unfreezes by itself. */
export const wait: Act = async (stage) => {
  const ms = stage.chance.oneIn(60) ? 32 * 86_400_000 : stage.chance.pick(waits)
  await stage.pay.clock.advance(ms)
  return `${ms / 1000} s go by`
}

/** Something outside breaks, for some calls. */
export const fault: Act = async (stage) => {
  const { chance } = stage
  const kind = chance.pick(faultKinds)
  const path = chance.oneIn(2)
    ? null
    : chance.pick(['/profitsharing/orders', '/return-orders', '/refund/', '/transactions/', 'unfreeze'])
  await stage.ctl('faults', { kind, times: chance.between(1, 3), delayMs: 1000, ...(path === null ? {} : { path }) })
  return `fault ${kind} ${path ?? ''}`
}

const latencies = [0, 0, 2_000, 40_000, 30 * 60_000, 5 * 3_600_000]
/** WeChat Pay becomes slow or quick, or refuses a receiver, a return, a refund. */
export const temper: Act = async (stage) => {
  const { chance } = stage
  const accounts = [...stage.pay.world.merchants.keys()]
  const [account, times] = [chance.pick(accounts), chance.between(1, 2)]
  switch (chance.between(1, 4)) {
    case 1: {
      const shareLatencyMs = chance.pick(latencies)
      await stage.ctl('money-rules', {
        shareLatencyMs,
        returnLatencyMs: chance.pick(latencies),
        refundLatencyMs: chance.pick(latencies),
      })
      return `latency ${shareLatencyMs}`
    }
    case 2: {
      const failReason = chance.pick(failReasons)
      await stage.ctl('money-outcomes', { of: 'receiver', account, failReason, times })
      return `receiver ${account}: ${failReason}`
    }
    case 3: {
      const failReason = chance.pick(returnFailures)
      await stage.ctl('money-outcomes', { of: 'return', account, failReason, times })
      return `return of ${account}: ${failReason}`
    }
    default: {
      const outcome = chance.pick(['success', 'closed', 'abnormal', 'success'])
      await stage.ctl('money-outcomes', { of: 'refund', outcome, times })
      return `refunds: ${outcome}`
    }
  }
}

/** The process is going to be stopped at one of its next boundaries. */
export const stop: Act = (stage) => {
  stage.life().left = stage.chance.between(0, 9)
  return Promise.resolve(`stop after ${stage.life().left} boundaries`)
}

/** The platform's finance has the bills of the last days compared; the worker gets to them. */
export const bills: Act = async (stage) => {
  await readBills(stage.edge())
  return 'bills of the last days are asked for'
}

import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import { faultKinds } from '../sandbox/wechatpay/state.ts'
import { failReasons, returnFailures } from '../sandbox/wechatpay/money-state.ts'
import { askPayment } from '../server/modules/funding/ask-payment.ts'
import { closePayment } from '../server/modules/funding/close-payment.ts'
import { openPayment, type NewPayment } from '../server/modules/funding/open-payment.ts'
import { preparePayment } from '../server/modules/funding/prepare-payment.ts'
import { splitPayment } from '../server/modules/funding/split-payment.ts'
import { placeOrder } from '../server/modules/order/place-order.ts'
import { readBills } from '../server/modules/reconciliation/read-bills.ts'
import { buyerOf } from './cast.ts'
import { bringStatement, NOTHING, rows, type Act } from './play.ts'
import type { Stage } from './stage.ts'
import { boundary, together } from './together.ts'

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

/** Somebody opens a payment for an order: all that is missing, or a part; and presses the button twice, or again later. */
export const open: Act = async (stage, cast) => {
  const { chance } = stage
  const found = await anOrder(stage)
  if (!found) return NOTHING
  const source = chance.pick([
    'wallet',
    'wallet',
    'wechat_pay',
    'wechat_pay',
    'wechat_pay',
    'wechat_pay',
    'bank_transfer',
    'credit_line',
  ] as const)
  const missing = Number(found.missing)
  const amountFen = fen(chance.oneIn(3) ? Math.max(1, Math.floor(missing / chance.between(2, 4))) : missing)
  const wish: NewPayment = { orderId: found.id, source, amountFen, clientIp: '203.0.113.9' }
  const key = chance.bytes(8).toString('hex')
  const press = () => openPayment(stage.edge(buyerOf(cast, found.company_id).finance), wish, key)
  return `opens ${source} ${amountFen} for ${found.id}: ${await pressed(stage, press)}`
}

/** A payer's bank has a limit: what is missing is paid in pieces, perhaps in place of a payment that cannot be paid. */
export const pieces: Act = async (stage, cast) => {
  const { chance } = stage
  const found = await anOrder(stage)
  if (!found) return NOTHING
  const stuck = await aPayment(stage, `order_id = '${found.id}' and state = 'opened' and source <> 'wallet'`)
  const [missing, source] = [fen(Number(found.missing)), chance.pick(['wechat_pay', 'bank_transfer'] as const)]
  const mostFen = fen(Math.max(1, Math.floor(missing / chance.between(2, 4))))
  const paymentId = stuck !== null && chance.oneIn(2) ? stuck.id : undefined
  const wish = { orderId: found.id, source, paymentId, amountFen: missing, mostFen, clientIp: '203.0.113.9' }
  const key = chance.bytes(8).toString('hex')
  const press = () => splitPayment(stage.edge(buyerOf(cast, found.company_id).finance), wish, key)
  return `pays ${missing} of ${found.id} by ${source} in pieces of ${mostFen}: ${await pressed(stage, press)}`
}

/** A button with a key is pressed once, twice at once, or again some day: its answer is always the same. */
async function pressed(stage: Stage, press: () => Promise<unknown>): Promise<string> {
  const runs = await together(stage.chance, stage.chance.oneIn(4) ? [press, press] : [press])
  const answers = runs.flatMap((run) => (run.status === 'fulfilled' ? [JSON.stringify(run.value)] : []))
  const [first] = answers
  if (first === undefined) throw (runs[0] as PromiseRejectedResult).reason
  const same = (answer: string) => {
    if (answer !== first) throw new Error(`one key was answered ${first} and ${answer}`)
    return `one key again: ${answer}`
  }
  answers.forEach(same)
  stage.done.push({ again: async () => same(JSON.stringify(await press())) })
  return first
}

/** Something that was done is done again, with the same key or the same file. */
export const again: Act = async (stage) => {
  const latest = stage.done.slice(-LATEST)
  return latest.length === 0 ? NOTHING : stage.chance.pick(latest).again()
}

const openWechat = "source = 'wechat_pay' and state in ('opened', 'closed')"

/** A payer opens the page of a payment once more, perhaps when it is paid already: what their device needs is asked for again. */
export const show: Act = async (stage) => {
  const over = `${openWechat} and (code_url is null or code_until_ms <= ${stage.now()})`
  const payment = (await aPayment(stage, over)) ?? (await aPayment(stage, openWechat))
  if (!payment) return NOTHING
  const paid = stage.chance.oneIn(2) ? `${await pay(stage, payment, 'success')} ` : ''
  await preparePayment(stage.edge(), payment.id)
  return `${paid}shows ${payment.id}`
}

/** A payer scans a code: pays, or meets a limit of the bank. */
export const scan: Act = async (stage) => {
  const payment = await aPayment(stage, openWechat)
  if (!payment) return NOTHING
  const outcome = stage.chance.oneIn(5) ? stage.chance.pick(['bank_limit', 'no_money', 'cancel', 'risk']) : 'success'
  return `payer of ${payment.id}: ${outcome}, then ${await pay(stage, payment, outcome)}`
}

/** What a payer's payment came to at WeChat Pay. */
async function pay(stage: Stage, payment: PaymentFacts, outcome: string): Promise<string> {
  const body = JSON.stringify({ mchid: payment.mchid, outTradeNo: payment.out_trade_no, outcome })
  const answer = await stage.pay.fetch('http://pay.sandbox/__ctl/pay', { method: 'POST', body })
  const { state } = (await answer.json()) as { state: string | null }
  return String(state)
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
  await bringStatement(stage, cast, chance.oneIn(8) ? [line, line] : [line])
  return `transfer of ${amount} for ${payment.id}`
}

/** A company puts money into its wallet. */
export const topUp: Act = async (stage, cast) => {
  const company = stage.chance.pick(cast.companies)
  const amountFen = fen(stage.chance.between(1, 40) * 10_000)
  const payer = { payerName: company.name, payerAccount: '6222000011112222', memo: company.reference }
  await bringStatement(stage, cast, [{ direction: 'in', amountFen, arrivedAtMs: stage.now(), ...payer }])
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

/** Workers do some of what is ready: one, or several at once, of which some are so slow that others take over. */
export const work: Act = async (stage) => {
  const { chance } = stage
  const hand = (most: number) => async () => {
    let done = 0
    while (done < most && (await stage.work())) done += 1
    return done
  }
  if (!chance.oneIn(3)) return `works ${await hand(chance.between(1, 12))()}`
  const hands = Array.from({ length: chance.between(2, 3) }, () => hand(chance.between(1, 6)))
  const slow = async () => {
    await boundary()
    await stage.pay.clock.advance(chance.pick([1_000, 20_000, 61_000]))
    return 0
  }
  const runs = await together(chance, chance.oneIn(2) ? [...hands, slow] : hands)
  for (const run of runs) if (run.status === 'rejected') throw run.reason
  return `works ${runs.map((run) => (run as PromiseFulfilledResult<number>).value).join(' + ')}`
}

/** A notice that was late comes, perhaps several times at once, while a worker works, and not in its order. */
export const mail: Act = async (stage) => {
  const { chance } = stage
  const index = stage.mail.length === 0 ? -1 : chance.between(0, stage.mail.length - 1)
  const [notice] = index < 0 ? [] : stage.mail.splice(index, 1)
  if (!notice) return NOTHING
  const come = () => stage.deliver(notice)
  const times = chance.oneIn(3) ? chance.between(2, 3) : 1
  const beside = chance.oneIn(2) ? [async () => Number(await stage.work())] : []
  const runs = await together(chance, [...Array.from({ length: times }, () => come), ...beside])
  for (const run of runs) if (run.status === 'rejected') throw run.reason
  return `late notice: ${runs.map((run) => (run as PromiseFulfilledResult<number>).value).join(' ')}`
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
  if (chance.oneIn(8)) {
    const kind = chance.pick(['fail_after', 'fail_before', 'refuse_title', 'refuse_reversal', 'processing', 'busy'])
    await stage.ctl('invoices/faults', { kind, times: chance.between(1, 2) })
    return `fault of invoices: ${kind}`
  }
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

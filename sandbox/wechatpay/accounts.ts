import { DAY_MS } from './money-state.ts'
import type { Business, Holding, JournalRow, MoneyRules, Overlap } from './money-state.ts'
import { chinaTime } from './state.ts'
import type { Trade, World } from './state.ts'

/**
 * Where money stands. Whatever is not a merchant's is `outside`: payers and banks (which give more than they have),
 * WeChat Pay's fees, refunds on their way, and persons that receive shares.
 */
export type Purse =
  | { readonly kind: 'available'; readonly mchid: string }
  | { readonly kind: 'frozen'; readonly holding: Holding }
  | { readonly kind: 'outside'; readonly name: string }

/** Why money moves, as its rows in the journal say. */
export interface Cause {
  readonly atMs: number
  readonly out: Business
  readonly in: Business
  readonly transactionId: string | null
  readonly outNo: string | null
  readonly voucher: string | null
}

export const outside = (name: string): Purse => ({ kind: 'outside', name })
export const available = (mchid: string): Purse => ({ kind: 'available', mchid })
export const frozen = (holding: Holding): Purse => ({ kind: 'frozen', holding })
const bottomless = new Set(['payers', 'banks'])

/** The rules that hold for a merchant. */
export function rulesOf(world: World, mchid: string): MoneyRules {
  return { ...world.money.rules, ...world.money.merchantRules.get(mchid) }
}

/** What a merchant can spend, in fen. */
export function availableOf(world: World, mchid: string): number {
  return world.money.balances.get(`available ${mchid}`) ?? 0
}

/** What of a merchant's money is frozen over all its orders, in fen. */
export function frozenOf(world: World, mchid: string): number {
  return world.money.frozenOf.get(mchid) ?? 0
}

/** Moves money from one purse to another, with a row for each merchant's side. Throws where a purse would go below 0. */
export function move(world: World, from: Purse, to: Purse, amount: number, cause: Cause): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError(`not an amount: ${amount}`)
  if (amount === 0) return
  add(world, from, -amount, cause, cause.out)
  add(world, to, amount, cause, cause.in)
}

function add(world: World, purse: Purse, amount: number, cause: Cause, business: Business): void {
  const { balances, frozenOf: frozenByMerchant } = world.money
  if (purse.kind === 'frozen') {
    const { holding } = purse
    if (holding.frozen + amount < 0) throw new RangeError(`frozen money of ${holding.transactionId} would go below 0`)
    holding.frozen += amount
    frozenByMerchant.set(holding.mchid, frozenOf(world, holding.mchid) + amount)
  } else {
    const name = purse.kind === 'available' ? `available ${purse.mchid}` : purse.name
    const next = (balances.get(name) ?? 0) + amount
    if (next < 0 && !bottomless.has(name)) throw new RangeError(`${name} would go below 0`)
    balances.set(name, next)
  }
  if (purse.kind === 'outside') return
  const mchid = purse.kind === 'available' ? purse.mchid : purse.holding.mchid
  const row: JournalRow = {
    serial: world.money.journal.length + 1,
    atMs: cause.atMs,
    mchid,
    account: purse.kind,
    business,
    transactionId: cause.transactionId,
    outNo: cause.outNo,
    voucher: cause.voucher,
    amount,
    balance: availableOf(world, mchid) + frozenOf(world, mchid),
  }
  world.money.journal.push(row)
}

/** WeChat Pay's fee on an amount, rounded half up. */
export function feeOn(amount: number, feeBp: number): number {
  return Math.floor((2 * amount * feeBp + 10_000) / 20_000)
}

/**
 * Takes in what a payer paid. Flagged money is frozen, and by itself freed after 30 days. Call it once for every
 * (sub-)order that becomes paid.
 */
export function receivePayment(world: World, trade: Trade): Holding {
  const { holdings } = world.money
  const transactionId = trade.transactionId
  if (transactionId === null) throw new Error('not paid')
  const known = holdings.get(transactionId)
  if (known) return known
  settleDue(world)
  const atMs = trade.successAtMs ?? world.now()
  const rules = rulesOf(world, trade.mchid)
  const holding: Holding = {
    transactionId,
    mchid: trade.mchid,
    outTradeNo: trade.outTradeNo,
    paid: trade.total,
    flagged: trade.profitSharing,
    paidAtMs: atMs,
    feeBp: rules.feeBp,
    frozen: 0,
    fee: 0,
    frozenFee: 0,
    reserved: 0,
    shared: 0,
    unfrozen: 0,
    refunded: 0,
    refundTaken: 0,
    ended: false,
    shareRequests: 0,
    refundRequests: 0,
    refundsUnderWay: 0,
    lastShareCallMs: null,
    lastRefundMs: null,
  }
  holdings.set(transactionId, holding)
  const purse = holding.flagged ? frozen(holding) : available(holding.mchid)
  const cause = { atMs, transactionId, outNo: trade.outTradeNo, voucher: transactionId }
  move(world, outside('payers'), purse, trade.total, { ...cause, out: 'payment', in: 'payment' })
  adjustFee(world, holding, purse, cause)
  if (holding.flagged) {
    insertDue(world, atMs + rules.freezeMs, (at) => {
      holding.ended = true
      freeRest(world, holding, { atMs: at, outNo: null, voucher: null })
    })
  }
  return holding
}

/** Brings the fee to what it is on paid − refunded: the difference goes to, or comes from, the purse. Answers what came back. */
export function adjustFee(
  world: World,
  holding: Holding,
  purse: Purse,
  cause: Pick<Cause, 'atMs' | 'outNo' | 'voucher'>,
): number {
  const wanted = feeOn(holding.paid - holding.refundTaken, holding.feeBp)
  const more = wanted - holding.fee
  const why = { ...cause, transactionId: holding.transactionId }
  if (more > 0) move(world, purse, outside('fees'), more, { ...why, out: 'fee', in: 'fee' })
  else move(world, outside('fees'), purse, -more, { ...why, out: 'fee_back', in: 'fee_back' })
  holding.fee = wanted
  if (purse.kind === 'frozen') holding.frozenFee += more
  return -more
}

/** Gives what is frozen and not promised back to who collected; answers how much that was. */
export function freeRest(
  world: World,
  holding: Holding,
  cause: Pick<Cause, 'atMs' | 'outNo' | 'voucher'>,
  amount = holding.frozen - holding.reserved,
): number {
  const why = { ...cause, transactionId: holding.transactionId, out: 'unfreeze', in: 'unfreeze' } as const
  move(world, frozen(holding), available(holding.mchid), amount, why)
  holding.unfrozen += amount
  return amount
}

/** The money of a paid order of a merchant, or undefined. */
export function findHolding(world: World, mchid: string, transactionId: string): Holding | undefined {
  const holding = world.money.holdings.get(transactionId)
  return holding?.mchid === mchid ? holding : undefined
}

/** Keeps a first call that comes while the other kind has not ended. */
export function noteOverlap(world: World, holding: Holding, call: Overlap['call'], outNo: string): void {
  const { transactionId } = holding
  const beside = call === 'refund' ? holding.reserved > 0 : holding.refundsUnderWay > 0
  if (beside) world.money.overlaps.push({ transactionId, atMs: world.now(), call, outNo })
}

/**
 * Lets everything happen that is due by now, in its order, until nothing is left that could: what waited for money may bring
 * money to what waited before it. Every call that sees money begins with it.
 */
export function settleDue(world: World): void {
  const { due, waiting } = world.money
  for (let moved = true; moved;) {
    for (let next = due[0]; next && next.atMs <= world.now(); next = due[0]) {
      due.shift()
      next.run(next.atMs)
    }
    moved = false
    for (const one of waiting) if (one(world.now())) moved = waiting.delete(one)
  }
}

/** Has something happen after some time; `null` is never. */
export function happenAfter(world: World, ms: number | null, run: (atMs: number) => void): void {
  if (ms === null) return
  insertDue(world, world.now() + ms, run)
  world.clock.later(ms, () => {
    settleDue(world)
    return Promise.resolve()
  })
}

function insertDue(world: World, atMs: number, run: (atMs: number) => void): void {
  const { due } = world.money
  let [low, high] = [0, due.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((due[middle]?.atMs ?? 0) <= atMs) low = middle + 1
    else high = middle
  }
  due.splice(low, 0, { atMs, run })
}

/** One of WeChat Pay's own numbers: a head, the day, and a number that counts up. */
export function newNumber(world: World, head: string): string {
  world.money.numbers += 1
  const day = chinaTime(world.now()).slice(0, 10).replaceAll('-', '')
  return `${head}${day}${String(world.money.numbers).padStart(10, '0')}`
}

/** From a moment, `days` days further. */
export const daysAfter = (atMs: number, days: number): number => atMs + days * DAY_MS

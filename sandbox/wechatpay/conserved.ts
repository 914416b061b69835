import { availableOf, feeOn, frozenOf } from './accounts.ts'
import type { Holding, Refund, Share } from './money-state.ts'
import type { World } from './state.ts'

/**
 * What of the sandbox's money does not add up; empty when all does. Beside the accounts it goes by what shares, returns and
 * refunds say of themselves.
 */
export function conserved(world: World): string[] {
  const { money } = world
  const broken: string[] = []
  const equal = (what: string, is: number, wanted: number): void => {
    if (is !== wanted) broken.push(`${what}: ${is}, not ${wanted}`)
  }
  const holdings = [...money.holdings.values()]
  const sharesOf = grouped(money.shares.values(), (one) => one.transactionId)
  const refundsOf = grouped(money.refunds.values(), (one) => one.transactionId)
  for (const one of holdings) {
    checkHolding(one, sharesOf.get(one.transactionId) ?? [], refundsOf.get(one.transactionId) ?? [], equal)
  }
  checkReturns(world, equal)
  const balances = [...money.balances]
  const frozenSum = total(holdings, (one) => one.frozen)
  equal('all money', total(balances, ([, amount]) => amount) + frozenSum, 0)
  for (const [name, amount] of balances) {
    if (amount < 0 && name !== 'payers' && name !== 'banks') broken.push(`${name} is ${amount}`)
  }
  equal(
    'fees',
    money.balances.get('fees') ?? 0,
    total(holdings, (one) => one.fee),
  )
  const refunds = [...money.refunds.values()]
  const under = refunds.filter((one) => one.status === 'PROCESSING' || one.status === 'ABNORMAL')
  equal('refunds on their way', money.balances.get('transit') ?? 0, total(under, taken))
  const toPayers = refunds.filter((one) => one.status === 'SUCCESS' && one.received !== 'merchant_card')
  equal('payers', money.balances.get('payers') ?? 0, total(toPayers, taken) - total(holdings, (one) => one.paid))
  checkJournal(world, equal)
  return broken
}

const taken = (one: { takenFrozen: number; takenAvailable: number }): number => one.takenFrozen + one.takenAvailable

function total<T>(list: readonly T[], amount: (one: T) => number): number {
  return list.reduce((sum, one) => sum + amount(one), 0)
}

type Equal = (what: string, is: number, wanted: number) => void

function grouped<T>(list: Iterable<T>, key: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of list) {
    const group = groups.get(key(one))
    if (group) group.push(one)
    else groups.set(key(one), [one])
  }
  return groups
}

function checkHolding(holding: Holding, shares: readonly Share[], refunds: readonly Refund[], equal: Equal): void {
  const id = holding.transactionId
  const rows = shares.flatMap((one) => one.rows)
  const given = rows.filter((row) => row.result === 'SUCCESS' && !row.unfreezes)
  const live = refunds.filter((one) => one.status !== 'CLOSED')
  const open = refunds.filter((one) => one.status === 'PROCESSING')
  equal(
    `${id} refunded`,
    holding.refunded,
    total(live, (one) => one.amount),
  )
  equal(`${id} under way`, holding.refundsUnderWay, open.length)
  equal(`${id} taken`, holding.refundTaken, total(live, taken))
  equal(`${id} fee`, holding.fee, feeOn(holding.paid - holding.refundTaken, holding.feeBp))
  equal(
    `${id} shared`,
    holding.shared,
    total(given, (row) => row.amount),
  )
  const pending = rows.filter((row) => row.result === 'PENDING')
  equal(
    `${id} reserved`,
    holding.reserved,
    total(pending, (row) => row.amount),
  )
  if (holding.reserved > holding.frozen) equal(`${id} frozen below reserved`, holding.frozen, holding.reserved)
  const fromFrozen = total(live, (one) => one.takenFrozen)
  const rest = holding.paid - holding.frozenFee - holding.shared - holding.unfrozen - fromFrozen
  equal(`${id} frozen`, holding.frozen, holding.flagged ? rest : 0)
}

/** What each receiver gave back, and what is on its way, by the returns themselves. */
function checkReturns(world: World, equal: Equal): void {
  const { shares, returns } = world.money
  const returnsOf = grouped(returns.values(), (one) => `${one.orderId} ${one.returnMchid}`)
  for (const share of shares.values()) {
    for (const row of share.rows.filter((one) => !one.unfreezes)) {
      const all = returnsOf.get(`${share.orderId} ${row.account}`) ?? []
      const done = all.filter((one) => one.result === 'SUCCESS')
      const open = all.filter((one) => one.result === 'PROCESSING')
      const name = `${share.outOrderNo} ${row.account}`
      equal(
        `${name} returned`,
        row.returned,
        total(done, (one) => one.amount),
      )
      equal(
        `${name} returning`,
        row.returning,
        total(open, (one) => one.amount),
      )
      if (row.returned + row.returning > row.amount) equal(`${name} returned too much`, row.returned, 0)
    }
  }
}

/** Each merchant's rows add up to what it has, and each row's balance follows from the one before. */
function checkJournal(world: World, equal: Equal): void {
  const run = new Map<string, number>()
  for (const row of world.money.journal) {
    const next = (run.get(row.mchid) ?? 0) + row.amount
    run.set(row.mchid, next)
    equal(`row ${row.serial} of ${row.mchid}`, row.balance, next)
  }
  for (const [mchid, sum] of run) equal(`journal of ${mchid}`, sum, availableOf(world, mchid) + frozenOf(world, mchid))
}

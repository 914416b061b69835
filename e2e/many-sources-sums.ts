import type { Id } from '../contract/ids.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { platformMerchant } from '../server/testing/paying.ts'
import type { ManySourcesStage } from './many-sources.ts'

/** A WeChat transaction as the house has it. All in fen. */
interface Settled {
  readonly id: Id<'split'>
  readonly transactionId: string
  readonly mchid: string
  readonly collector: 'brand' | 'platform'
  readonly state: string
  readonly paid: number
  /** Given back before the end of sharing, and in all. */
  readonly early: number
  readonly refunded: number
  readonly shared: number
  readonly returned: number
  readonly unfrozen: number
  readonly fee: number
}

interface Holding {
  readonly paid: number
  readonly frozen: number
  readonly fee: number
  readonly frozenFee: number
  readonly shared: number
  readonly unfrozen: number
  readonly refunded: number
}

const numeric = <T extends object>(rows: readonly T[], texts: readonly string[]): T[] =>
  rows.map((row) => {
    const cells = Object.entries(row).map(([name, value]) => [name, texts.includes(name) ? value : Number(value)])
    return Object.fromEntries(cells) as T
  })

/** Every split of the house. */
export const readSettled = async ({ read }: ManySourcesStage): Promise<Settled[]> =>
  numeric(
    await read<Settled>(
      `select split.id as id, split.transaction_id as transactionId, split.mchid as mchid, split.collector as collector,
        split.state as state, split.paid_fen as paid, split.refunded_fen as early, payment.refunded_fen as refunded,
        split.shared_fen as shared, split.returned_fen as returned, split.unfrozen_fen as unfrozen, split.fee_fen as fee
      from split join payment on payment.id = split.payment_id order by split.id`,
    ),
    ['id', 'transactionId', 'mchid', 'collector', 'state'],
  )

const feeOf = (amount: number): number => Math.floor((2 * amount * 60 + 10_000) / 20_000)
const sum = (amounts: readonly number[]): number => amounts.reduce((total, one) => total + one, 0)

/**
 * What does not add up, once everything is settled and given back: of each transaction, of each merchant, of each source,
 * and in all, the house's figures against the sandbox's own accounts and against the ledger. Empty when all of it does.
 */
export async function brokenSums(stage: ManySourcesStage): Promise<string[]> {
  const broken: string[] = []
  const equal = (what: string, is: number, wanted: number): void => {
    if (is !== wanted) broken.push(`${what}: ${is}, not ${wanted}`)
  }
  const settled = await readSettled(stage)
  for (const one of settled) await checkTransaction(stage, one, equal)
  await checkMerchants(stage, settled, equal)
  await checkSources(stage, settled, equal)
  const { broken: sandbox } = await stage.look<{ broken: string[] }>('conserved')
  const findings = await stage.database.tx(proveBooks)
  return [...broken, ...sandbox, ...findings.map((finding) => JSON.stringify(finding))]
}

type Equal = (what: string, is: number, wanted: number) => void

async function checkTransaction(stage: ManySourcesStage, one: Settled, equal: Equal): Promise<void> {
  const holding = await stage.look<Holding>(`holding?transactionId=${one.transactionId}`)
  const of = (what: string): string => `${what} of ${one.transactionId}`
  equal(of('what came in'), one.shared + one.fee + one.unfrozen + one.early, one.paid)
  equal(of('paid'), holding.paid, one.paid)
  equal(of('still frozen'), holding.frozen, 0)
  equal(of('shared'), holding.shared, one.shared)
  equal(of('unfrozen'), holding.unfrozen, one.unfrozen)
  equal(of('kept'), holding.frozenFee, one.fee)
  equal(of('refunded'), holding.refunded, one.refunded)
  equal(of('fee in the end'), holding.fee, feeOf(one.paid - one.refunded))
}

/** What each merchant has at WeChat Pay: receivers what they got, who collects the rest. */
async function checkMerchants(stage: ManySourcesStage, settled: readonly Settled[], equal: Equal): Promise<void> {
  const available = async (mchid: string): Promise<number> =>
    (await stage.look<{ available: number }>(`balances?mchid=${mchid}`)).available
  const received = numeric(
    await stage.read<{ account: string; got: number }>(
      `select account, sum(amount_fen - returned_fen) as got from split_receiver
        where state in ('success', 'returning', 'returned') group by account order by account`,
    ),
    ['account'],
  )
  const expected = new Map(received.map((row) => [row.account, row.got]))
  for (const one of settled) {
    const kept = one.paid - one.shared + one.returned - one.refunded - feeOf(one.paid - one.refunded)
    expected.set(one.mchid, (expected.get(one.mchid) ?? 0) + kept)
  }
  for (const [mchid, amount] of expected) equal(`what ${mchid} has`, await available(mchid), amount)
  const fees = sum(settled.map((one) => feeOf(one.paid - one.refunded)))
  const net = sum(settled.map((one) => one.paid - one.refunded))
  equal('what all merchants have, and fees', sum([...expected.values()]) + fees, net)
  for (const mchid of new Set([platformMerchant.mchid, ...settled.map((one) => one.mchid)]))
    equal(
      `what the ledger says of ${mchid}`,
      await balanceOf(stage, `collected:${mchid}`),
      mchid === platformMerchant.mchid ? await available(mchid) : 0,
    )
}

const balanceOf = async ({ read }: ManySourcesStage, account: string): Promise<number> =>
  Number(
    (await read<{ total: unknown }>('select sum(amount) as total from posting where account = ?', [account]))[0]?.total,
  )

/** All money that came in is with somebody: shared, kept, unfrozen, on payouts, or back with who paid. */
async function checkSources(stage: ManySourcesStage, settled: readonly Settled[], equal: Equal): Promise<void> {
  const one = async (text: string): Promise<number> => Number((await stage.read<{ total: unknown }>(text))[0]?.total)
  const paid = await one('select sum(paid_fen) as total from payment')
  const wechat = sum(settled.map((split) => split.paid))
  equal(
    'paid by WeChat Pay',
    await one("select sum(paid_fen) as total from payment where source = 'wechat_pay'"),
    wechat,
  )
  equal('paid in all', paid, await one('select sum(total_fen) as total from orders'))
  const refunded = await one("select sum(fen) as total from refund_part where state = 'done'")
  equal('accepted to be given back', await one('select sum(amount_fen) as total from refund'), refunded)
  equal('given back of payments', await one('select sum(refunded_fen) as total from payment'), refunded)
  const payouts = await one("select sum(amount_fen) as total from payout_item where kind = 'settlement'")
  const shared = sum(settled.map((split) => split.shared - split.returned))
  const kept = sum(settled.map((split) => split.paid - split.shared + split.returned - split.refunded))
  equal('shares, fees, rest, payouts and refunds', shared + kept + payouts + refunded, paid)
  equal(
    'owed to payers',
    await one("select sum(amount) as total from posting where account like 'refund-payable:%'"),
    0,
  )
  equal(
    'what waits for cards',
    await one("select sum(amount) as total from posting where account like 'order-funds:%'"),
    0,
  )
}

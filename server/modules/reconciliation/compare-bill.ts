import { createHash } from 'node:crypto'
import type { Id } from '../../../contract/ids.ts'
import type { Bill as FetchedBill } from '../../channels/wechatpay-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change } from '../../kernel/sql.ts'
import { keepDifferences } from './keep-differences.ts'
import { merchantsOf } from './merchants-of.ts'
import { readOurs, readTheirs, type BillReaders } from './read-sides.ts'
import { compareBill, instantsOf, type Difference } from './rules.ts'
import { Bill, type BillRow } from './tables.ts'

/** A bill that is being made is asked for again after half an hour (protocols wechat-pay 7). */
const AGAIN_MS = 30 * 60_000

/**
 * Job `bill.compare`: fetches one bill and compares it with the books. Each difference is a row that somebody must close; a
 * comparison that is repeated takes the place of the earlier one (keep-differences.ts). A bill that cannot be
 * read is compared in nothing: it is `unreadable` with its reason. Throws OutsideError when no answer came.
 */
export async function compareBillOf(edge: Edge, billId: Id<'bill'>, readers: BillReaders): Promise<void> {
  const bill = await edge.read((tx) => tx.em.findOneOrFail(Bill, { id: billId }, { disableIdentityMap: true }))
  const merchant = (await edge.read(merchantsOf)).find((one) => one.mchid === bill.mchid)
  if (!merchant) return setAside(edge, bill, 'MERCHANT_UNKNOWN')
  let fetched: FetchedBill
  try {
    fetched = await edge.ports.wechatPay.fetchBill(merchant, bill.kind, bill.day)
  } catch (error) {
    if (!(error instanceof OutsideError) || error.outcome === 'unknown' || error.outcome === 'busy') throw error
    return setAside(edge, bill, error.code)
  }
  switch (fetched.kind) {
    case 'creating':
      return edge.tx((tx) => askAgain(tx, bill))
    case 'none':
      return settle(edge, bill, null, readers)
    case 'there':
      return settle(edge, bill, fetched.text, readers)
  }
}

async function settle(edge: Edge, bill: BillRow, text: string | null, readers: BillReaders): Promise<void> {
  let theirs: ReturnType<typeof readTheirs>
  try {
    theirs = text === null ? [] : readTheirs(readers, bill.kind, text)
  } catch (error) {
    // What a reader says names rows and columns, never what stands in them.
    const problem = error instanceof Error && error.name === 'BillUnreadable' ? error.message : 'UNREADABLE'
    return setAside(edge, bill, problem)
  }
  const day = instantsOf(bill.day)
  const ours = await edge.read((tx) => readOurs(tx, { mchid: bill.mchid, kind: bill.kind, ...day }, theirs))
  const found = compareBill(theirs, ours, day)
  const textHash = text === null ? null : createHash('sha256').update(text).digest('hex')
  await edge.tx(async (tx) => {
    await keepDifferences(tx, bill, found, new Set([...theirs, ...ours].map((one) => one.subject)))
    await askForLost(tx, bill, found)
    await change(
      tx.em,
      'update bill set state = ?, line_count = ?, text_hash = ?, problem = null, compared_at_ms = ?, version = version + 1 where id = ?',
      [text === null ? 'none' : 'compared', theirs.length, textHash, tx.clock.now(), bill.id],
    )
  })
}

/** Money that WeChat Pay has and we do not know of is asked about at once. */
async function askForLost(tx: Tx, bill: BillRow, found: readonly Difference[]): Promise<void> {
  const lost = found.filter((one) => one.guess === 'notice_lost' && one.ref !== null)
  await enqueue(
    tx,
    lost.map(({ ref }) => ({
      kind: 'payment.ask',
      key: `payment.ask:${ref!}:${bill.id}`,
      args: { paymentId: ref! },
    })),
  )
}

async function setAside(edge: Edge, bill: BillRow, problem: string): Promise<void> {
  edge.log.error(
    { billId: bill.id, mchid: bill.mchid, kind: bill.kind, day: bill.day, problem },
    'a bill was not compared',
  )
  await edge.tx((tx) =>
    change(tx.em, "update bill set state = 'unreadable', problem = ?, version = version + 1 where id = ?", [
      problem.slice(0, 80),
      bill.id,
    ]),
  )
}

/** Asks for the bill later; each instant is asked for once. */
async function askAgain(tx: Tx, bill: BillRow): Promise<void> {
  const readyAtMs = tx.clock.now() + AGAIN_MS
  await enqueue(tx, [
    { kind: 'bill.compare', key: `bill.compare:${bill.id}:${readyAtMs}`, args: { billId: bill.id }, readyAtMs },
  ])
}

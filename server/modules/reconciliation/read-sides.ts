import type { Fen } from '../../../contract/fen.ts'
import type { BillKind } from '../../channels/wechatpay-port.ts'
import type { Tx } from '../../kernel/context.ts'
import { readCollectedByNumbers, readCollectedOf, type Collected } from '../funding/read-collected.ts'
import { readRefundsByNumbers, readSentRefunds, type SentRefund } from '../refund/read-sent.ts'
import { readMovedByNumbers, readMovedOf, type Moved } from '../settlement/read-moved.ts'
import { feeOf } from '../settlement/rules.ts'
import type { Ours, Theirs } from './rules.ts'

/** The lines of a bill in the words of our books; readers live outside of the modules and are given to them. */
export interface BillReaders {
  readonly trade: (text: string) => readonly {
    readonly row: number
    readonly kind: 'paid' | 'refund'
    readonly outTradeNo: string
    readonly outRefundNo: string | null
    readonly amountFen: Fen
    readonly failed: boolean
  }[]
  readonly fundFlow: (text: string) => readonly {
    readonly row: number
    readonly type: string
    readonly direction: 'in' | 'out'
    readonly amountFen: Fen
    readonly voucher: string
  }[]
  readonly sharing: (text: string) => readonly {
    readonly row: number
    readonly kind: 'share' | 'return' | 'unfreeze'
    readonly outNo: string
    readonly account: string
    readonly amountFen: Fen
  }[]
}

/** A bill's lines by subject. What only changes from frozen to available, and shares in a fund flow, have other bills. */
export function readTheirs(readers: BillReaders, kind: BillKind, text: string): Theirs[] {
  switch (kind) {
    case 'trade':
      return readers.trade(text).map(({ row, amountFen, ...line }) => {
        const subject = line.kind === 'paid' ? `paid ${line.outTradeNo}` : `refund ${line.outRefundNo ?? ''}`
        return { subject, amountFen, row, ended: line.failed }
      })
    case 'fund_flow':
      return readers.fundFlow(text).flatMap(({ row, amountFen, ...line }) => {
        const named = flowSubjects[`${line.type} ${line.direction}`]
        return named === undefined ? [] : [{ subject: `${named} ${line.voucher}`, amountFen, row }]
      })
    case 'sharing':
      return readers
        .sharing(text)
        .filter((line) => line.kind !== 'unfreeze')
        .map(({ row, amountFen, ...line }) => ({
          subject: `${line.kind} ${line.outNo} ${line.account}`,
          amountFen,
          row,
        }))
  }
}

const flowSubjects: Readonly<Record<string, 'paid' | 'fee' | 'refund'>> = {
  '交易 in': 'paid',
  '扣除交易手续费 out': 'fee',
  '退款 out': 'refund',
}

export interface Compared {
  readonly mchid: string
  readonly kind: BillKind
  readonly fromMs: number
  readonly toMs: number
}

/** What the books have of a bill's day, and of every number that the bill names. */
export async function readOurs(tx: Tx, bill: Compared, theirs: readonly Theirs[]): Promise<Ours[]> {
  const { mchid, fromMs, toMs } = bill
  const numbers = (kind: string) =>
    theirs.flatMap(({ subject }) => (subject.startsWith(`${kind} `) ? [subject.split(' ')[1]!] : []))
  switch (bill.kind) {
    case 'trade': {
      const paid = await both(readCollectedOf(tx, mchid, fromMs, toMs), numbers('paid'), (some) =>
        readCollectedByNumbers(tx, mchid, some),
      )
      const back = await both(readSentRefunds(tx, mchid, fromMs, toMs), numbers('refund'), (some) =>
        readRefundsByNumbers(tx, mchid, some),
      )
      return [...paid.map(paidOf), ...back.map(refundOf)]
    }
    case 'fund_flow': {
      const paid = await both(
        readCollectedOf(tx, mchid, fromMs, toMs),
        [...numbers('paid'), ...numbers('fee')],
        (some) => readCollectedByNumbers(tx, mchid, some),
      )
      // Money of a refund moves when WeChat Pay gets to it: only what the bill names is compared.
      const back = await both(Promise.resolve([]), numbers('refund'), (some) => readRefundsByNumbers(tx, mchid, some))
      const feeBp = tx.house.wechatPay.feeBp(mchid)
      // A refund that was given up has its fee taken again, under the refund's number.
      const again = await both(Promise.resolve([]), numbers('fee'), (some) => readRefundsByNumbers(tx, mchid, some))
      const taken = again.flatMap((one) => feeOfRefund(one, theirs))
      const fees = paid.flatMap((one) => (one.paidFen === null ? [] : [{ ...paidOf(one), ...feeFacts(one, feeBp) }]))
      return [...paid.map(paidOf), ...fees.filter((fee) => fee.amountFen > 0), ...taken, ...back.map(refundOf)]
    }
    case 'sharing': {
      const named = [...numbers('share'), ...numbers('return')]
      const moved = await both(readMovedOf(tx, mchid, fromMs, toMs), named, (some) =>
        readMovedByNumbers(tx, mchid, some),
      )
      return moved.map(movedOf)
    }
  }
}

const AT_ONCE = 500
/** What is of the day, and what is named besides, a statement of at most 500 numbers at a time. */
async function both<T>(
  ofDay: Promise<readonly T[]>,
  named: readonly string[],
  read: (numbers: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const found = [...(await ofDay)]
  const numbers = [...new Set(named)]
  for (let from = 0; from < numbers.length; from += AT_ONCE)
    found.push(...(await read(numbers.slice(from, from + AT_ONCE))))
  return found
}

const paidOf = (one: Collected): Ours => ({
  subject: `paid ${one.outTradeNo}`,
  amountFen: one.paidFen ?? (0 as Fen),
  atMs: one.paidAtMs ?? 0,
  ref: one.id,
  withoutMoney: one.paidFen === null,
})
const feeFacts = (one: Collected, feeBp: number) => ({
  subject: `fee ${one.outTradeNo}`,
  amountFen: feeOf(one.paidFen ?? (0 as Fen), feeBp),
})
/** What it comes to is WeChat Pay's reckoning: it is taken as it stands in the bill. */
function feeOfRefund(one: SentRefund, theirs: readonly Theirs[]): Ours[] {
  const line = theirs.find(({ subject }) => subject === `fee ${one.outRefundNo}`)
  return line ? [{ ...refundOf(one), subject: line.subject, amountFen: line.amountFen }] : []
}
const refundOf = (one: SentRefund): Ours => ({
  subject: `refund ${one.outRefundNo}`,
  amountFen: one.amountFen,
  atMs: one.takenAtMs,
  ref: one.id,
})
const movedOf = (one: Moved): Ours => ({
  subject: `${one.kind} ${one.outNo} ${one.account}`,
  amountFen: one.amountFen,
  atMs: one.atMs,
  ref: one.ref,
})

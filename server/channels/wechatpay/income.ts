import { z } from 'zod'
import { fen } from '../../../contract/fen.ts'
import { OutsideError } from '../../kernel/outside.ts'
import type { IncomeRecord, WechatPayMerchant } from '../wechatpay-port.ts'
import { ask, part, type Caller } from './call.ts'
import { time } from './trade.ts'

const PATH = '/v3/merchantfund/merchant/income-records'
const PAGE = 100
/** More than this in one day is not read: somebody must look. */
const MOST_PAGES = 1000
/** Some banks leave fields out (they are then empty). */
const text = z.string().max(256).nullish()
const page = z.object({
  total_count: z.int().nonnegative(),
  data: z
    .array(
      z
        .object({
          income_record_id: z.string().min(1).max(64),
          amount: z.int().positive(),
          success_time: time,
          bank_name: text,
          bank_account_name: text,
          bank_account_number: text,
          recharge_remark: text,
        })
        .transform((told): IncomeRecord => ({
          recordId: told.income_record_id,
          amount: fen(told.amount),
          arrivedAtMs: Date.parse(told.success_time),
          payerBank: told.bank_name ?? '',
          payerName: told.bank_account_name ?? '',
          payerAccount: told.bank_account_number ?? '',
          remark: told.recharge_remark ?? '',
        })),
    )
    .default([]),
})

/**
 * All transfers that reached the merchant's basic account on a day in China (protocols wechat-pay 2.7). A record that
 * pages show twice, because others came in meanwhile, is given once.
 */
export async function readIncome(
  caller: Caller,
  merchant: WechatPayMerchant,
  day: string,
): Promise<readonly IncomeRecord[]> {
  const found = new Map<string, IncomeRecord>()
  for (let number = 0; number < MOST_PAGES; number += 1) {
    const path = `${PATH}?account_type=BASIC&date=${part(day)}&offset=${number * PAGE}&limit=${PAGE}`
    const { data, total_count: total } = await ask(caller, { merchant, path }, page)
    for (const record of data) found.set(record.recordId, record)
    if (data.length === 0 || (number + 1) * PAGE >= total) return [...found.values()]
  }
  throw new OutsideError('unknown', 'TOO_LARGE', 'more transfers in a day than are read')
}

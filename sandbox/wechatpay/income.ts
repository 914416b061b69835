import { z } from 'zod'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import { moveByHand } from './money-control.ts'
import type { Income } from './papers-state.ts'
import { chinaTime, newPlatformId } from './state.ts'
import type { Merchant, World } from './state.ts'

export const incomeInput = z.strictObject({
  mchid: z.string(),
  amount: z.coerce.number().int().min(1),
  type: z.enum(['OFFLINERECHARGE', 'ENTERPRISEDIRECTREVENUE']).default('ENTERPRISEDIRECTREVENUE'),
  bankName: z.string().max(64).default('招商银行'),
  accountName: z.string().max(256).default('青禾制造有限公司'),
  accountNumber: z.string().max(64).default('6222020200012345678'),
  remark: z.string().max(128).default(''),
})

/** A bank transfer arrives now; null where there is no such merchant. */
export function addIncome(world: World, input: z.output<typeof incomeInput>): Income | null {
  if (!world.merchants.has(input.mchid)) return null
  const income = { ...input, recordId: newPlatformId(world, '4400'), atMs: world.now() }
  world.income.push(income)
  moveByHand(world, input.mchid, input.amount)
  return income
}

const MOST = 100
const askedFor = z.strictObject({
  account_type: z.enum(['BASIC', 'OPERATION', 'FEES']),
  date: z.iso.date(),
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(MOST).default(20),
})

/** GET /v3/merchantfund/merchant/income-records: one day of one account, page by page. */
export function listIncome(world: World, merchant: Merchant, query: Record<string, unknown>): Answer {
  const parsed = askedFor.safeParse(query)
  if (!parsed.success) {
    const field = `/${(parsed.error.issues[0]?.path ?? []).join('/')}`
    return reject(400, 'PARAM_ERROR', '参数错误', { location: 'query', field })
  }
  const { account_type: accountType, date, offset, limit } = parsed.data
  const found = world.income.filter(
    (one) => accountType === 'BASIC' && one.mchid === merchant.mchid && chinaTime(one.atMs).startsWith(date),
  )
  const data = found.slice(offset, offset + limit).map((one) => ({
    mchid: one.mchid,
    account_type: accountType,
    income_record_type: one.type,
    income_record_id: one.recordId,
    amount: one.amount,
    success_time: chinaTime(one.atMs),
    bank_name: one.bankName,
    bank_account_name: one.accountName,
    bank_account_number: one.accountNumber,
    recharge_remark: one.remark,
  }))
  return { status: 200, body: { data, total_count: found.length, offset, limit } }
}

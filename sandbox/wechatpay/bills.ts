import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { fundFlowBill, sharingBill, tradeBill, tradeBillTypes } from './bill-rows.ts'
import type { Bill, BillDay, BillRow, TradeBillType } from './bill-rows.ts'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'
import type { BillChange, BillKind } from './papers-state.ts'
import type { Merchant, World } from './state.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const CHINA_MS = 8 * HOUR_MS
/** Three months at the most. */
const OLDEST_DAYS = 92
/** How long the address of a file holds (protocol sheet 7). */
const TOKEN_MS = 5 * 60_000

/** Which bill is asked for; `get` reads the query. */
export function requestBill(
  world: World,
  merchant: Merchant,
  kind: BillKind,
  get: (name: string) => string,
  origin: string,
): Answer {
  const [date, gzip] = [get('bill_date'), get('tar_type')]
  const variant =
    kind === 'trade' ? get('bill_type') || 'ALL' : kind === 'fund_flow' ? get('account_type') || 'BASIC' : ''
  const wrong = wrongQuery(kind, variant, date, gzip)
  if (wrong) return wrong
  const startMs = Date.parse(`${date}T00:00:00+08:00`)
  const today = Math.floor((world.now() + CHINA_MS) / DAY_MS) * DAY_MS - CHINA_MS
  if (startMs >= today || startMs < today - OLDEST_DAYS * DAY_MS)
    return reject(400, 'INVALID_REQUEST', '账单日期不在可下载的范围内')
  const late = world.bills.changes.find((one) => one.change === 'late' && isFor(one, merchant, kind, date))
  const readyAtMs = startMs + DAY_MS + (10 + (late?.hours ?? 0)) * HOUR_MS
  if (world.now() < readyAtMs)
    return kind === 'sharing'
      ? reject(400, 'INVALID_REQUEST', '账单生成中，请稍后再试')
      : reject(400, 'STATEMENT_CREATING', '账单生成中，请稍后再试')
  const plain = made(world, merchant, kind, variant, date)
  if (plain === null) return reject(400, 'NO_STATEMENT_EXIST', '请求的账单文件不存在')
  const token = world.random(24).toString('base64url')
  const expireAtMs = world.now() + TOKEN_MS
  world.bills.files.set(token, { mchid: merchant.mchid, plain, expireAtMs, gzip: gzip === 'GZIP' })
  const hash = createHash('sha1').update(plain).digest('hex')
  const address = `${origin}/v3/billdownload/file?token=${token}`
  return { status: 200, body: { hash_type: 'SHA1', hash_value: hash, download_url: address } }
}

function wrongQuery(kind: BillKind, variant: string, date: string, gzip: string): Answer | null {
  const wrong = (field: string) => reject(400, 'PARAM_ERROR', '参数错误', { location: 'query', field })
  const real = /^\d{4}-\d{2}-\d{2}$/.test(date) && Number.isFinite(Date.parse(`${date}T00:00:00Z`))
  if (!real || new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10) !== date) return wrong('/bill_date')
  if (gzip !== '' && gzip !== 'GZIP') return wrong('/tar_type')
  if (kind === 'trade' && !(tradeBillTypes as readonly string[]).includes(variant)) return wrong('/bill_type')
  if (kind === 'fund_flow' && !['BASIC', 'OPERATION', 'FEES'].includes(variant)) return wrong('/account_type')
  return null
}

const isFor = (one: BillChange, merchant: Merchant, kind: BillKind, day: string): boolean =>
  one.kind === kind && one.mchid === merchant.mchid && one.day === day

/** The file of a day: made once, as it stood at 09:00 of the next; null for a day without a row. */
function made(world: World, merchant: Merchant, kind: BillKind, variant: string, date: string): Buffer | null {
  const key = [merchant.mchid, kind, variant, date].join(' ')
  const known = world.bills.made.get(key)
  if (known !== undefined) return known
  const fromMs = Date.parse(`${date}T00:00:00+08:00`)
  const day: BillDay = { fromMs, toMs: fromMs + DAY_MS, madeAtMs: fromMs + DAY_MS + 9 * HOUR_MS }
  const bill = billOf(world, merchant.mchid, kind, variant, day)
  let rows = bill.rows
  for (const change of world.bills.changes) if (isFor(change, merchant, kind, date)) rows = changed(rows, bill, change)
  const file = rows.length === 0 ? null : written(world, bill, rows)
  world.bills.made.set(key, file)
  return file
}

function billOf(world: World, mchid: string, kind: BillKind, variant: string, day: BillDay): Bill {
  if (kind === 'trade') return tradeBill(world, mchid, day, variant as TradeBillType)
  if (kind === 'sharing') return sharingBill(world, mchid, day)
  const bill = fundFlowBill(world, mchid, day)
  // All money of a merchant is on the basic account here.
  return variant === 'BASIC' ? bill : { ...bill, rows: [] }
}

/** Switches a change on; the file of that day is made again. */
export function changeBill(world: World, change: BillChange): void {
  world.bills.changes.push(change)
  forgetBills(world)
}

/** Has all files made again. */
export function forgetBills(world: World): void {
  world.bills.made.clear()
}

function changed(rows: readonly BillRow[], bill: Bill, { change, holding }: BillChange): readonly BillRow[] {
  const at = rows.findIndex((row) => holding === null || Object.values(row).some((value) => value.includes(holding)))
  const row = rows[at]
  switch (change) {
    case 'late':
      return rows
    case 'empty':
      return []
    case 'missing':
      return rows.filter((_row, index) => index !== at)
    case 'extra':
      return [...rows, strangerRow(bill, row)]
    case 'amount':
      return rows.map((one, index) => (index === at ? dearer(one, bill.amountColumn) : one))
  }
}

/** A row that nothing stands behind: like another, under numbers that nobody gave out. */
function strangerRow(bill: Bill, like: BillRow | undefined): BillRow {
  const numbers = /单号|凭证号/
  const fields = bill.columns.map((name): [string, string] => {
    const value = like?.[name] ?? (name === bill.amountColumn ? '1.00' : '')
    return [name, numbers.test(name) && value !== '0' ? `9${value.slice(1).replaceAll(/[0-9]/g, '8')}` : value]
  })
  return Object.fromEntries(fields)
}

function dearer(row: BillRow, column: string): BillRow {
  return { ...row, [column]: (Number(row[column] ?? 0) + 0.01).toFixed(2) }
}

/** The file in WeChat Pay's form: a backtick before every field of data, headers without. */
function written(world: World, bill: Bill, rows: readonly BillRow[]): Buffer {
  const { bom, crlf } = world.bills.form
  const ticked = (values: readonly string[]): string => values.map((value) => `\`${value}`).join(',')
  const summary = bill.summary(rows)
  const lines = [
    bill.columns.join(','),
    ...rows.map((row) => ticked(bill.columns.map((name) => row[name] ?? ''))),
    summary.map(([name]) => name).join(','),
    ticked(summary.map(([, value]) => value)),
  ]
  const end = crlf ? '\r\n' : '\n'
  return Buffer.from(`${bom ? '\uFEFF' : ''}${lines.join(end)}${end}`)
}

/** GET of the address of a file: once, by whom it was given to, within five minutes. */
export function downloadBill(world: World, merchant: Merchant, token: string): Answer {
  const file = world.bills.files.get(token)
  if (!file || world.now() >= file.expireAtMs) return reject(400, 'INVALID_REQUEST', '下载地址已失效，请重新获取')
  if (file.mchid !== merchant.mchid) return reject(403, 'NO_AUTH', '无权下载该账单')
  world.bills.files.delete(token)
  return { status: 200, body: null, file: file.gzip ? gzipSync(file.plain) : file.plain }
}

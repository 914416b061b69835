import type { RowFaultCode } from '../contract/roster-row.ts'

export const headers = ['工号', '姓名', '手机号', '部门', '企业微信账号', '福利金额', '入职日期', '备注']

/** One person of the made-up list, by column A to H, with the one fault that was planted in the row, if any. */
export interface ListRow {
  readonly cells: readonly (string | number)[]
  readonly fault: { readonly column: string; readonly code: RowFaultCode; readonly firstRow?: number } | null
}

const families = '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许'
const given = ['伟', '芳', '娜', '敏', '静', '丽娟', '建国', '晓明', '志强', '秀英', '海燕', '文博']
const departments = ['总装车间/一班', '总装车间/二班', '冲压车间', '质检部', '物流部/仓储', '行政部']

/** What a fault puts into a row: column -> value, and what must be said of it. `before` is a sound row further up. */
type Plant = (before: readonly (string | number)[], row: number) => { set: Record<string, string | number> } & Fault
type Fault = NonNullable<ListRow['fault']>

const plants: readonly Plant[] = [
  () => ({ set: { B: '' }, column: 'B', code: 'name-missing' }),
  () => ({ set: { C: '1380013800' }, column: 'C', code: 'phone-invalid' }),
  () => ({ set: { C: '1.38E+10' }, column: 'C', code: 'phone-precision-lost' }),
  () => ({ set: { C: '', E: '' }, column: 'C', code: 'contact-missing' }),
  (before, row) => ({ set: { C: before[2]! }, column: 'C', code: 'phone-duplicate', firstRow: row - 1 }),
  (before, row) => ({ set: { A: before[0]! }, column: 'A', code: 'staffno-duplicate', firstRow: row - 1 }),
  (before, row) => ({
    set: { E: String(before[4]).toUpperCase() },
    column: 'E',
    code: 'userid-duplicate',
    firstRow: row - 1,
  }),
  () => ({ set: { E: '张 三' }, column: 'E', code: 'userid-invalid' }),
  () => ({ set: { F: '' }, column: 'F', code: 'amount-missing' }),
  () => ({ set: { F: '五百' }, column: 'F', code: 'amount-invalid' }),
  () => ({ set: { F: -500 }, column: 'F', code: 'amount-not-positive' }),
  () => ({ set: { F: 500.005 }, column: 'F', code: 'amount-too-precise' }),
  () => ({ set: { F: 5000.01 }, column: 'F', code: 'amount-over-limit' }),
  () => ({ set: { G: '2024-02-30' }, column: 'G', code: 'date-invalid' }),
]
/** Kinds of fault that are planted, one after the other. */
export const faultKinds = plants.length
const SPACING = 33

/** The person in sheet row `row` (2 is the first below the header). Every 33rd row carries a fault: 3 of 100. */
export function listRow(row: number): ListRow {
  const cells = soundCells(row)
  if (row % SPACING !== 0) return { cells, fault: null }
  const { set, ...fault } = plants[(row / SPACING) % plants.length]!(soundCells(row - 1), row)
  return { cells: cells.map((cell, index) => set['ABCDEFGH'[index]!] ?? cell), fault }
}

function soundCells(row: number): (string | number)[] {
  const day = new Date(Date.UTC(2005, 0, 1 + (row % 6000))).toISOString().slice(0, 10)
  return [
    `E${String(row).padStart(7, '0')}`,
    families[row % families.length]! + given[row % given.length]!,
    String(13_000_000_000 + row * 7),
    departments[row % departments.length]!,
    `user${row}`,
    500 + (row % 8) * 100,
    day,
    row % 10 === 0 ? '夜班' : '',
  ]
}

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { sumFen } from '../contract/fen.ts'
import type { Fen } from '../contract/fen.ts'
import { readStaffList } from './staff-list.ts'

interface Expected {
  sheet?: string
  header_row: number
  columns: Record<string, { header: string; field: string }>
  rows: number
  valid: number
  sum_valid_fen?: number
  normalised: Record<string, Record<string, unknown>>
  faults: {
    row: number
    column: string
    value: string
    kind: string
    also_accepted_kinds?: string[]
    first_row?: number
  }[]
}

const folder = new URL('../samples/rosters/', import.meta.url)
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<string, Expected>
const theirNames: Record<string, string> = {
  staff_no: 'staffNo',
  wecom_userid: 'wecomUserId',
  amount_fen: 'amountFen',
  hire_date: 'hireDate',
  name: 'name',
  phone: 'phone',
  department: 'department',
  note: 'note',
  amount: 'amount',
}

describe.each(Object.entries(expected))('%s', (fileName, want) => {
  test('gives rows, columns, faults, sums and values as expected', async () => {
    const list = await readStaffList(readFileSync(new URL(fileName, folder)), { fileName })
    expect([list.rows, list.valid, list.headerRow]).toEqual([want.rows, want.valid, want.header_row])
    if (want.sheet !== undefined) expect(list.sheet).toBe(want.sheet)
    const columns = Object.entries(want.columns).map(([letter, column]) => [
      letter,
      { header: column.header, field: theirNames[column.field] },
    ])
    expect(list.columns).toEqual(Object.fromEntries(columns))
    const place = (row: number, column: string): string => `${column}${row}`
    const faults = new Map(list.faults.map((fault) => [place(fault.row, fault.column), fault]))
    expect([...faults.keys()].sort()).toEqual(want.faults.map((fault) => place(fault.row, fault.column)).sort())
    expect(list.faults.length).toBe(want.faults.length)
    for (const fault of want.faults) {
      const got = faults.get(place(fault.row, fault.column))
      expect([fault.kind, ...(fault.also_accepted_kinds ?? [])]).toContain(got?.code)
      expect(got?.value).toBe(fault.value)
      expect(got?.firstRow).toBe(fault.first_row)
    }
    if (want.sum_valid_fen !== undefined) {
      const amounts = list.people.map((person) => person.amountFen).filter((amount): amount is Fen => amount !== null)
      expect(sumFen(amounts)).toBe(want.sum_valid_fen)
    }
    const people = new Map(
      list.people.map((person) => [String(person.row), person as unknown as Record<string, unknown>]),
    )
    for (const [row, values] of Object.entries(want.normalised)) {
      for (const [key, value] of Object.entries(values)) {
        const name = theirNames[key]
        if (name === undefined) continue
        const plain = typeof value === 'string' ? value.replaceAll('\r\n', '\n') : value
        expect([row, name, people.get(row)?.[name]]).toEqual([row, name, plain])
      }
    }
  })
})

test('says what of the file was not taken, by code and place', async () => {
  const fileName = 'real-life-1000.xlsx'
  const list = await readStaffList(readFileSync(new URL(fileName, folder)), { fileName })
  expect(list.skipped).toEqual([
    { code: 'sheet_no_header', sheet: '说明' },
    { code: 'row_above_header', row: 1 },
    { code: 'row_total', row: 1004 },
  ])
  const twice = await readStaffList(
    Buffer.from('姓名,手机号,禁用状态\n张一,13800001001,禁用\n姓名,手机号,禁用状态\n'),
    {
      fileName: 'a.csv',
    },
  )
  expect(twice.skipped).toEqual([{ code: 'row_header_again', row: 3 }])
  expect(twice.warnings).toEqual([{ code: 'disabled_accounts', count: 1 }])
})

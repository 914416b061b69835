import { basename } from 'node:path'
import { readStaffList } from '../importers/staff-list.ts'
import type { StaffList } from '../importers/staff-list.ts'
import { SheetRefusal } from '../importers/sheet-refusal.ts'

const args = process.argv.slice(2)
const json = args.includes('--json')
const path = args.find((arg) => !arg.startsWith('--'))

function summarise(list: StaffList): string {
  const lines = [
    `工作表 ${list.sheet}，表头在第 ${list.headerRow} 行`,
    `人员 ${list.rows} 行，有效 ${list.valid} 行，问题 ${list.faults.length} 处`,
    ...Object.entries(list.columns).map(([letter, column]) => `  ${letter} 列 ${column.header} -> ${column.field}`),
    ...Object.entries(list.ignoredColumns).map(([letter, header]) => `  ${letter} 列 ${header}：未使用，不保存`),
    ...list.skipped.map((one) => `跳过 ${one.place}：${one.reason}`),
    ...list.warnings.map((warning) => `注意 ${warning}`),
    ...list.faults.map((one) => `第 ${one.row} 行 ${one.column} 列“${one.value}”：${one.message}。${one.suggestion}`),
  ]
  return lines.join('\n')
}

async function main(file: string): Promise<void> {
  try {
    const list = await readStaffList(file, { fileName: basename(file) })
    console.log(json ? JSON.stringify(list) : summarise(list))
  } catch (cause) {
    const missing = (cause as { code?: string }).code
    if (!(cause instanceof SheetRefusal) && typeof missing !== 'string') throw cause
    const error =
      cause instanceof SheetRefusal
        ? { code: cause.code, message: cause.message }
        : { code: 'unreadable_file', message: `打不开文件 ${file}（${missing}）` }
    console.log(json ? JSON.stringify({ error }) : `${error.code}：${error.message}`)
    process.exitCode = 1
  }
}

if (path === undefined) {
  console.error('usage: node scripts/roster.ts FILE [--json]')
  process.exitCode = 2
} else await main(path)

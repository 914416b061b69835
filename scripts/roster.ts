import { basename } from 'node:path'
import { describeRosterSkipped, describeRosterWarning } from '../contract/roster-remarks.ts'
import { streamStaffList } from '../importers/staff-list.ts'
import type { StaffFault, StaffListSummary } from '../importers/staff-list.ts'
import { SheetRefusal } from '../importers/sheet-refusal.ts'

const args = process.argv.slice(2)
const json = args.includes('--json')
const path = args.find((arg) => !arg.startsWith('--'))

/** Keeps what will be printed as bytes outside the heap, so that a large list stays small in memory. */
class Pieces {
  #text: string[] = []
  #done: Buffer[] = []
  #count = 0
  add(text: string): void {
    this.#text.push(this.#count === 0 ? text : (json ? ',' : '\n') + text)
    this.#count += 1
    if (this.#text.length >= 1_000) this.#pack()
  }
  print(): void {
    this.#pack()
    for (const piece of this.#done) process.stdout.write(piece)
  }
  #pack(): void {
    this.#done.push(Buffer.from(this.#text.join('')))
    this.#text = []
  }
}

function summarise(list: StaffListSummary, faults: number): string {
  const lines = [
    `工作表 ${list.sheet}，表头在第 ${list.headerRow} 行`,
    `人员 ${list.rows} 行，有效 ${list.valid} 行，问题 ${faults} 处`,
    ...Object.entries(list.columns).map(([letter, column]) => `  ${letter} 列 ${column.header} -> ${column.field}`),
    ...Object.entries(list.ignoredColumns).map(([letter, header]) => `  ${letter} 列 ${header}：未使用，不保存`),
    ...list.skipped.map((one) => {
      const { place, reason } = describeRosterSkipped(one)
      return `跳过 ${place}：${reason}`
    }),
    ...list.warnings.map((warning) => `注意 ${describeRosterWarning(warning)}`),
  ]
  return lines.join('\n')
}

function faultLine(one: StaffFault): string {
  return json
    ? JSON.stringify(one)
    : `第 ${one.row} 行 ${one.column} 列“${one.value}”：${one.message}。${one.suggestion}`
}

async function readAndPrint(file: string): Promise<void> {
  const faults = new Pieces()
  const people = new Pieces()
  let faultCount = 0
  const summary = await streamStaffList(file, { fileName: basename(file) }, (row) => {
    faultCount += row.faults.length
    for (const fault of row.faults) faults.add(faultLine(fault))
    if (json && row.faults.length === 0) people.add(JSON.stringify({ row: row.row, ...row.person }))
  })
  const { samples: _, ...shown } = summary
  process.stdout.write(
    json ? `${JSON.stringify(shown).slice(0, -1)},"faults":[` : `${summarise(summary, faultCount)}\n`,
  )
  faults.print()
  if (json) process.stdout.write('],"people":[')
  people.print()
  process.stdout.write(json ? ']}\n' : '\n')
}

async function main(file: string): Promise<void> {
  try {
    await readAndPrint(file)
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

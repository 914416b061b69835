/**
 * The phases of `bench -- import`, each a process of its own:
 *   write FILE ROWS    the list as a spreadsheet, with its planted faults
 *   read FILE ROWS     the importer over it; every row compared with what was planted
 */
import { basename } from 'node:path'
import { performance } from 'node:perf_hooks'
import exceljs from 'exceljs'
import { streamStaffList, type StaffRow } from '../importers/staff-list.ts'
import { answer, peakRssMiB } from './phases.ts'
import { headers, listRow } from './staff-list.ts'

async function write(file: string, rows: number): Promise<object> {
  const book = new exceljs.stream.xlsx.WorkbookWriter({ filename: file, useSharedStrings: false })
  const sheet = book.addWorksheet('花名册')
  sheet.addRow(headers).commit()
  let planted = 0
  for (let row = 2; row < rows + 2; row += 1) {
    const { cells, fault } = listRow(row)
    if (fault !== null) planted += 1
    sheet.addRow(cells.map((cell) => (cell === '' ? null : cell))).commit()
    // The writer never waits by itself: let what it holds reach the disk now and then.
    if (row % 5000 === 0) await new Promise(setImmediate)
  }
  sheet.commit()
  await book.commit()
  return { planted }
}

async function read(file: string, rows: number): Promise<object> {
  let found = 0
  let wrong = 0
  let seen = 0
  const began = performance.now()
  const summary = await streamStaffList(file, { fileName: basename(file) }, (row) => {
    seen += 1
    const verdict = judge(row)
    if (verdict === 'found') found += 1
    if (verdict === 'wrong') wrong += 1
  })
  const seconds = (performance.now() - began) / 1000
  if (seen !== rows || summary.rows !== rows)
    throw new Error(`${seen} rows were read, ${summary.rows} counted, of ${rows}`)
  if (wrong > 0) throw new Error(`${wrong} rows were told something else than what was planted in them`)
  return { seconds, found, peakRssMiB: peakRssMiB() }
}

/** Whether a row's faults are the planted one, by column, code and first row, and no other. */
function judge(row: StaffRow): 'sound' | 'found' | 'wrong' {
  const { fault } = listRow(row.row)
  const [told, ...more] = row.faults
  if (fault === null) return told === undefined ? 'sound' : 'wrong'
  const same = told?.column === fault.column && told.code === fault.code && told.firstRow === fault.firstRow
  return same && more.length === 0 ? 'found' : 'wrong'
}

const [phase, file = '', rows = '0'] = process.argv.slice(2)
if (phase === 'write') answer(await write(file, Number(rows)))
else if (phase === 'read') answer(await read(file, Number(rows)))
else throw new Error(`no such phase: ${phase}`)

import { parse } from 'csv-parse'
import { Readable } from 'node:stream'
import { rosterLimits } from '../contract/roster-limits.ts'
import { SheetRefusal } from './sheet-refusal.ts'
import { guessColumns } from './staff-columns.ts'
import type { SheetRow } from './sheet-xlsx.ts'

const pieceBytes = 65_536

function* decodePieces(bytes: Uint8Array, encoding: string): Generator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    yield decoder.decode(bytes.subarray(at, at + pieceBytes), { stream: true })
  }
  yield decoder.decode()
}

function decodes(bytes: Uint8Array, encoding: string): boolean {
  try {
    for (const piece of decodePieces(bytes, encoding)) void piece
    return true
  } catch {
    return false
  }
}

/** Finds out the encoding from the bytes alone; undefined when they are no text. */
export function textEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const head = bytes.subarray(0, 4_096)
  const zeros = [0, 0]
  head.forEach((byte, at) => {
    if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1
  })
  const [even = 0, odd = 0] = zeros
  if (odd > 2 && even === 0 && decodes(bytes, 'utf-16le')) return 'utf-16le'
  if (even > 2 && odd === 0 && decodes(bytes, 'utf-16be')) return 'utf-16be'
  const control = head.reduce((sum, byte) => sum + (byte < 9 || (byte > 13 && byte < 32 && byte !== 27) ? 1 : 0), 0)
  if (control > 0) return undefined
  return ['utf-8', 'gb18030'].find((encoding) => decodes(bytes, encoding))
}

/** Finds the delimiter by which the first lines make most sense as a header, then by count. */
export function findDelimiter(head: string): string {
  const lines = head.split(/\r\n|\n|\r/).slice(0, rosterLimits.headerSearchRows)
  let best = { delimiter: ',', score: 0 }
  for (const delimiter of [',', '\t', ';', '|', '，']) {
    let score = 0
    for (const line of lines) {
      const cells = line.split(delimiter).map((cell) => cell.replace(/^\s*"|"\s*$/g, ''))
      score = Math.max(score, guessColumns(cells).columns.size * 1_000 + Math.min(cells.length, 500))
    }
    if (score > best.score) best = { delimiter, score }
  }
  return best.delimiter
}

/** Streams the rows of a csv or tsv; `row` is the record's number, as Excel shows it. */
export async function* readCsvRows(bytes: Uint8Array, encoding: string, sheet: string): AsyncGenerator<SheetRow> {
  const head = new TextDecoder(encoding).decode(bytes.subarray(0, pieceBytes))
  const parser = parse({
    delimiter: findDelimiter(head),
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: false,
    max_record_size: rosterLimits.cellChars * 16,
    record_delimiter: ['\r\n', '\n', '\r'],
  })
  const source = Readable.from(decodePieces(bytes, encoding))
  source.on('error', (cause) => parser.destroy(cause))
  source.pipe(parser)
  let row = 0
  try {
    for await (const record of parser) {
      row += 1
      if (row > rosterLimits.sheetRows) throw new SheetRefusal('too_many_rows')
      const fields = (record as string[]).length
      const cells = textCells(record as string[], row)
      if (cells.length > 0) yield { sheet, row, cells, fields }
    }
  } catch (cause) {
    if (cause instanceof SheetRefusal) throw cause
    const code = (cause as { code?: string }).code
    throw new SheetRefusal(code === 'CSV_MAX_RECORD_SIZE' ? 'too_large' : 'truncated', `第 ${row + 1} 行之后`, {
      cause,
    })
  } finally {
    source.destroy()
    parser.destroy()
  }
}

function textCells(record: string[], row: number): (string | undefined)[] {
  const cells: (string | undefined)[] = []
  record.forEach((raw, column) => {
    const text = /^="(.*)"$/.exec(raw)?.[1] ?? raw
    if (text.trim() === '') return
    if (column >= rosterLimits.columns) throw new SheetRefusal('too_large', '列数过多')
    if (text.length > rosterLimits.cellChars) throw new SheetRefusal('too_large', `第 ${row} 行单元格过长`)
    cells[column] = text
  })
  return cells
}

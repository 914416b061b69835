import { rosterLimits } from '../contract/roster-limits.ts'
import { readWholePart } from './sheet-zip.ts'
import type { Package } from './sheet-zip.ts'
import { SheetRefusal } from './sheet-refusal.ts'

/** How a number of a style is shown: as a day, or padded with zeros to a width. */
export interface NumberStyle {
  day: boolean
  zeros: number
}

/** What the small parts of a workbook say. */
export interface Workbook {
  sheets: { name: string; part: string; hidden: boolean }[]
  epoch1904: boolean
  styles: NumberStyle[]
  strings: string[]
}

/** Reads workbook, relations, styles and shared strings, whatever their order and place in the package. */
export async function readWorkbook(parts: Package): Promise<Workbook> {
  const root = await readRelations(parts, '_rels/.rels', '')
  const bookPart = root.find((one) => one.type.endsWith('/officeDocument'))?.target ?? 'xl/workbook.xml'
  if (!parts.entries.has(bookPart.toLowerCase())) throw new SheetRefusal('not_a_spreadsheet')
  const folder = bookPart.slice(0, bookPart.lastIndexOf('/') + 1)
  const relations = await readRelations(parts, `${folder}_rels/${bookPart.slice(folder.length)}.rels`, folder)
  const byId = new Map(relations.map((one) => [one.id, one]))
  const book: Workbook = { sheets: [], epoch1904: false, styles: [], strings: [] }
  await readWholePart(parts, bookPart, {
    open(name, at) {
      if (name === 'workbookPr') book.epoch1904 = at['date1904'] === '1' || at['date1904'] === 'true'
      if (name !== 'sheet') return
      const relation = byId.get(at['id'] ?? '')
      if (!relation?.type.endsWith('/worksheet')) return
      const hidden = at['state'] === 'hidden' || at['state'] === 'veryHidden'
      book.sheets.push({ name: at['name'] ?? '', part: relation.target, hidden })
    },
  })
  const partOf = (type: string, usual: string): string =>
    relations.find((one) => one.type.endsWith(type))?.target ?? folder + usual
  book.styles = await readStyles(parts, partOf('/styles', 'styles.xml'))
  book.strings = await readStrings(parts, partOf('/sharedStrings', 'sharedStrings.xml'))
  return book
}

async function readRelations(
  parts: Package,
  name: string,
  folder: string,
): Promise<{ id: string; type: string; target: string }[]> {
  const found: { id: string; type: string; target: string }[] = []
  await readWholePart(parts, name, {
    open(tag, at) {
      if (tag !== 'Relationship' || at['TargetMode'] === 'External') return
      found.push({ id: at['Id'] ?? '', type: at['Type'] ?? '', target: resolvePart(folder, at['Target'] ?? '') })
    },
  })
  return found
}

function resolvePart(folder: string, target: string): string {
  return new URL(target, `http://package/${folder}`).pathname.slice(1)
}

const builtInDays = new Set([14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 34, 35, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58])

async function readStyles(parts: Package, name: string): Promise<NumberStyle[]> {
  const formats = new Map<number, string>()
  const styles: number[] = []
  let inside = false
  await readWholePart(parts, name, {
    open(tag, at) {
      if (tag === 'numFmt') formats.set(Number(at['numFmtId']), at['formatCode'] ?? '')
      if (tag === 'cellXfs') inside = true
      if (tag === 'xf' && inside) styles.push(Number(at['numFmtId'] ?? 0))
    },
    close(tag) {
      if (tag === 'cellXfs') inside = false
    },
  })
  return styles.map((id) => {
    const format = formats.get(id)
    return format === undefined ? { day: builtInDays.has(id), zeros: 0 } : styleOf(format)
  })
}

/** Tells from a number format's code whether it shows a day, or a fixed count of digits. */
function styleOf(format: string): NumberStyle {
  const bare = (format.split(';')[0] ?? '').replace(/"[^"]*"|\\.|\[[^\]]*\]|[_*]./g, '')
  const day = !/general/i.test(bare) && /[yde]/i.test(bare) && !/[0#?]/.test(bare)
  const month = /m/i.test(bare) && !/[hs0#?]/i.test(bare)
  return { day: day || month, zeros: /^0{2,}$/.test(bare) ? bare.length : 0 }
}

/** Copies a longer text out of the piece of file it was cut from, so that keeping it does not keep the piece. */
function ownText(text: string): string {
  return text.length > 12 ? Buffer.from(text, 'utf16le').toString('utf16le') : text
}

/** Undoes the `_x000D_` escapes of the format. */
export function unescapeCell(text: string): string {
  return text.includes('_x')
    ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : ownText(text)
}

async function readStrings(parts: Package, name: string): Promise<string[]> {
  const size = parts.entries.get(name.toLowerCase())?.uncompressedSize ?? 0
  if (size > rosterLimits.sharedStringsBytes) throw new SheetRefusal('too_large')
  const strings: string[] = []
  let text = ''
  let reading = false
  let phonetic = false
  await readWholePart(parts, name, {
    open(tag) {
      if (tag === 'si') text = ''
      if (tag === 'rPh') phonetic = true
      reading = tag === 't' && !phonetic
    },
    text(piece) {
      if (reading) text += piece
    },
    close(tag) {
      reading = false
      if (tag === 'rPh') phonetic = false
      if (tag !== 'si') return
      strings.push(unescapeCell(text))
      if (strings.length > rosterLimits.sharedStrings) throw new SheetRefusal('too_large')
    },
  })
  return strings
}

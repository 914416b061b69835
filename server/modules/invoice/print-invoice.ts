import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import PDFDocument from 'pdfkit'
import { formatYuan } from '../../../contract/fen.ts'
import type { InvoiceDetail } from '../../../contract/hr/invoice.ts'
import { invoiceGoods, invoiceSentence } from '../../../contract/invoice-words.ts'
import type { z } from 'zod'
import { readWoff } from './read-woff.ts'

type Facts = z.input<typeof InvoiceDetail>

const require = createRequire(import.meta.url)
const fontPath = (weight: 400 | 700): string =>
  require.resolve(`@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-${weight}-normal.woff`)
const fonts = new Map<400 | 700, Buffer>()
/** Read once a process, with the first page that is printed. */
function fontOf(weight: 400 | 700): Buffer {
  const known = fonts.get(weight) ?? readWoff(readFileSync(fontPath(weight)))
  fonts.set(weight, known)
  return known
}

const [LEFT, RIGHT, TOP, BOTTOM] = [56, 539, 56, 770]
const GREY = '#5b6470'
const ROW = 22

/**
 * The facts of an invoice on paper, A4, with the Chinese font in it: a copy for filing and checking. It never claims to be the
 * tax invoice; one of the sandbox says that it is none at all.
 */
export function printInvoice(facts: Facts, sandbox: boolean, printedOn: string): Promise<Buffer> {
  const page = new PDFDocument({
    size: 'A4',
    margin: LEFT,
    info: { Title: `发票信息 ${facts.id}`, Producer: 'Fulika' },
  })
  const chunks: Buffer[] = []
  const whole = new Promise<Buffer>((resolve, reject) => {
    page.on('data', (chunk: Buffer) => chunks.push(chunk))
    page.on('end', () => resolve(Buffer.concat(chunks)))
    page.on('error', reject)
  })
  page.registerFont('plain', fontOf(400)).registerFont('bold', fontOf(700))
  printHead(page, sandbox)
  printFacts(page, facts)
  printLines(page, facts)
  page.font('plain').fontSize(9).fillColor(GREY)
  page.text(`打印日期 ${printedOn} · 福利卡 Fulika · ${facts.id}`, LEFT, page.y + 28)
  page.end()
  return whole
}

function printHead(page: PDFKit.PDFDocument, sandbox: boolean): void {
  page.font('bold').fontSize(20).fillColor('#111').text('发票信息核对单', LEFT, TOP)
  const told = sandbox ? '仅供核对，非税务发票（沙箱）' : '仅供核对，以税务机关的电子发票为准'
  page
    .fontSize(11)
    .fillColor(sandbox ? '#c0262d' : GREY)
    .text(told, LEFT, page.y + 6)
  page
    .moveTo(LEFT, page.y + 10)
    .lineTo(RIGHT, page.y + 10)
    .strokeColor('#c9ced6')
    .stroke()
  page.y += 24
}

function printFacts(page: PDFKit.PDFDocument, facts: Facts): void {
  const rows: [string, string][] = [
    ['购买方', facts.title],
    ['税号', facts.taxNumber ?? '个人'],
    ...(facts.email === null ? [] : [['邮箱', facts.email] as [string, string]]),
    ['发票类型', '增值税普通发票'],
    ['发票号码', facts.providerNumber ?? '—'],
    ['开票日期', facts.issuedOn ?? '—'],
    ...(facts.redNumber === null
      ? []
      : [['红字发票', `${facts.redNumber}（${facts.redOn ?? ''}）`] as [string, string]]),
    ['状态', invoiceSentence(facts.state, null, 'zh')],
    ['订单', facts.campaignTitle === null ? facts.orderId : `${facts.campaignTitle}（${facts.orderId}）`],
  ]
  for (const [name, value] of rows) {
    const { y } = page
    page.font('plain').fontSize(10.5).fillColor(GREY).text(name, LEFT, y, { width: 80 })
    page.fillColor('#111').text(value, LEFT + 90, y, { width: RIGHT - LEFT - 90 })
    page.y += 6
  }
  page.y += 12
}

function printLines(page: PDFKit.PDFDocument, facts: Facts): void {
  const row = (cells: readonly [string, string, string, string], font: 'plain' | 'bold'): void => {
    if (page.y > BOTTOM - ROW) page.addPage()
    const { y } = page
    page.font(font).fontSize(10).fillColor('#111')
    const department = { width: 160, height: 14, ellipsis: true }
    page.text(cells[0], LEFT, y, { width: 200, height: 14, ellipsis: true }).text(cells[1], LEFT + 205, y, department)
    page.text(cells[2], LEFT + 370, y, { width: 40 })
    page.text(cells[3], LEFT + 405, y, { width: RIGHT - LEFT - 405, align: 'right' })
    page
      .moveTo(LEFT, y + 16)
      .lineTo(RIGHT, y + 16)
      .strokeColor('#e3e6ea')
      .stroke()
    page.y = y + ROW
  }
  row(['项目', '部门', '税率', '金额'], 'bold')
  const goods = `${invoiceGoods.name}（${invoiceGoods.code}）`
  for (const line of facts.lines) row([goods, line.department, invoiceGoods.rate, formatYuan(line.fen)], 'plain')
  row(['合计', '', '', formatYuan(facts.fen)], 'bold')
}

import exceljs from 'exceljs'
import type { Lang } from '../../../contract/error-codes.ts'
import { invoiceGoods, invoiceSentence } from '../../../contract/invoice-words.ts'
import type { Tx } from '../../kernel/context.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { safeCell } from '../settlement/rules.ts'
import { readLines } from './read-invoices.ts'
import { openBuyer } from './seal-buyer.ts'
import { Invoice } from './tables.ts'

/** Invoices of one file. */
const MOST = 5000
const headers = [
  '申请编号',
  '订单编号',
  '发票类型',
  '购买方名称',
  '购买方税号',
  '购买方邮箱',
  '项目名称',
  '税收分类编码（简）',
  '税率',
  '部门',
  '金额（元）',
  '状态',
  '发票号码',
  '开票日期',
] as const

/**
 * The fields that an invoice service needs, a row a line, as xlsx: of the actor's company's requests that wait, or of all,
 * 5,000 invoices at the most, oldest first. Every cell but the amount is text, and none is taken for a formula.
 */
export async function exportInvoices(tx: Tx, only: 'requested' | 'all', lang: Lang): Promise<Buffer> {
  const companyId = companyOf(tx.actor)
  const where = { companyId, ...(only === 'all' ? {} : { state: 'requested' as const }) }
  const options = { orderBy: { id: 'asc' }, limit: MOST, disableIdentityMap: true } as const
  const invoices = await tx.em.find(Invoice, where, options)
  const lines = Map.groupBy(
    await readLines(
      tx,
      invoices.map((one) => one.id),
    ),
    (line) => line.invoiceId,
  )
  const book = new exceljs.Workbook()
  const sheet = book.addWorksheet('发票', { views: [{ state: 'frozen', ySplit: 1 }] })
  sheet.columns = headers.map((header) => ({
    header,
    width: 20,
    style: { numFmt: header === '金额（元）' ? '0.00' : '@' },
  }))
  sheet.getRow(1).font = { bold: true }
  for (const one of invoices) {
    const { title, taxNumber, email } = openBuyer(tx, one)
    for (const line of lines.get(one.id) ?? []) {
      const before = [one.id, one.orderId, '增值税普通发票', title, taxNumber ?? '', email ?? '']
      const goods = [invoiceGoods.name, invoiceGoods.code, invoiceGoods.rate, line.department]
      const state = invoiceSentence(one.state, one.reason ?? null, lang)
      const after = [state, one.providerNumber ?? '', one.issuedOn ?? '']
      sheet.addRow([...[...before, ...goods].map(safeCell), line.amountFen / 100, ...after.map(safeCell)])
    }
  }
  await trail(tx, { objectId: companyId, act: 'invoices.exported', note: `${only} ${invoices.length}` })
  return Buffer.from(await book.xlsx.writeBuffer())
}

import exceljs from 'exceljs'
import type { Lang } from '../../../contract/error-codes.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { safeText } from './rules.ts'

const words = {
  zh: {
    sheet: '花名册',
    departments: '部门选项',
    headers: ['工号', '姓名', '手机号', '部门', '企业微信账号', '福利金额', '入职日期', '生日', '备注'],
    example: ['A0001', '示例', '13800000000', '行政部', 'shili', '500.00', '2024-03-05', '03-05', '示例行，请删除'],
  },
  en: {
    sheet: 'Staff',
    departments: 'Departments',
    headers: ['Staff no', 'Name', 'Mobile', 'Department', 'WeCom account', 'Amount', 'Hire date', 'Birthday', 'Note'],
    example: [
      'A0001',
      'Example',
      '13800000000',
      'Office',
      'example',
      '500.00',
      '2024-03-05',
      '03-05',
      'Delete this row',
    ],
  },
} as const

const DEPARTMENT_COLUMN = 4
/** Rows that offer the departments to choose from. */
const ROWS_WITH_CHOICE = 1000
const DEPARTMENTS_AT_MOST = 5000

/**
 * An empty staff list as xlsx: headers that the import knows, one example row, and the company's own departments to
 * choose from. Every cell is text, so that a spreadsheet keeps phones and numbers as they are typed.
 */
export async function writeTemplate(tx: Tx, lang: Lang): Promise<Buffer> {
  const departments = await readDepartments(tx)
  const { sheet: name, departments: listName, headers, example } = words[lang]
  const book = new exceljs.Workbook()
  const sheet = book.addWorksheet(name, { views: [{ state: 'frozen', ySplit: 1 }] })
  sheet.columns = headers.map((header) => ({ header, width: 18, style: { numFmt: '@' } }))
  sheet.getRow(1).font = { bold: true }
  const [own] = departments
  sheet.addRow(example.map((text, index) => (index === DEPARTMENT_COLUMN - 1 && own !== undefined ? own : text)))
  if (departments.length > 0) {
    const list = book.addWorksheet(listName, { state: 'veryHidden' })
    for (const department of departments) list.addRow([department])
    const formula = `'${listName}'!$A$1:$A$${departments.length}`
    for (let row = 2; row < 2 + ROWS_WITH_CHOICE; row += 1)
      sheet.getCell(row, DEPARTMENT_COLUMN).dataValidation = {
        type: 'list',
        allowBlank: true,
        formulae: [formula],
        showErrorMessage: false,
      }
  }
  return Buffer.from(await book.xlsx.writeBuffer())
}

async function readDepartments(tx: Tx): Promise<string[]> {
  const rows = await sql<{ department: string }>(
    tx.em,
    `select distinct department from person where company_id = ? and state = 'active' and department is not null
     order by department limit ?`,
    [companyOf(tx.actor), DEPARTMENTS_AT_MOST],
  )
  return rows.map((row) => safeText(row.department))
}

import { rosterFields, type RosterField } from '../../contract/roster-row.ts'

const headersZh: Readonly<Record<RosterField, string>> = {
  staffNo: '工号',
  name: '姓名',
  phone: '手机号',
  department: '部门',
  wecomUserId: '企业微信账号',
  amount: '金额',
  hireDate: '入职日期',
  birthday: '生日',
  note: '备注',
}

/**
 * One cell of a CSV file. A text that a spreadsheet would take for a formula gets an apostrophe in front, which the
 * import takes away again.
 */
export function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function csv(rows: readonly (readonly string[])[]): string {
  // The mark in front tells a spreadsheet that the file is UTF-8.
  return `\ufeff${rows.map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`
}

/** A filled file to try the upload with: 20 invented people, one of them with a number too short. */
export function sampleCsv(): string {
  const names = ['陈晓雨', '李浩然', '王思涵', '赵子墨', '孙佳怡', '周明轩', '吴欣怡', '郑宇航', '冯雅静', '何俊杰']
  const departments = ['行政部', '研发中心/平台组', '销售部', '生产部/一车间']
  const people = Array.from({ length: 20 }, (_, index) => {
    const short = index === 6
    const phone = `1380000${String(1001 + index).padStart(4, '0')}`
    return [
      `F${String(index + 1).padStart(4, '0')}`,
      `${names[index % names.length]}${index < names.length ? '' : '二'}`,
      short ? phone.slice(0, 10) : phone,
      departments[index % departments.length]!,
      '',
      index % 4 === 0 ? '500' : '300',
      `2023-0${(index % 9) + 1}-15`,
      `${String((index % 12) + 1).padStart(2, '0')}-20`,
      '',
    ]
  })
  return csv([rosterFields.map((field) => headersZh[field]), ...people])
}

/** Hands a text to the person as a file. */
export function saveFile(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

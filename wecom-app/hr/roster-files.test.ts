import { expect, test } from 'vitest'
import { readPhone } from '../../contract/roster-row.ts'
import { csvCell, faultsCsv, sampleCsv, templateCsv } from './roster-files.ts'

test('a cell that a spreadsheet would run is made harmless and is still read as the same phone', () => {
  expect(csvCell('=1+1')).toBe("'=1+1")
  expect(csvCell('@cmd')).toBe("'@cmd")
  expect(readPhone(csvCell('+8613800001234')).value).toBe('13800001234')
})

test('commas, quotes and line ends are quoted', () => {
  expect(csvCell('a,"b"\nc')).toBe('"a,""b""\nc"')
  expect(csvCell('研发部')).toBe('研发部')
})

test('the faulty rows name row, fault and advice in front of the cells', () => {
  const text = faultsCsv(
    [
      {
        id: 'rrw_0000000000001' as never,
        row: 8,
        cells: { name: '张三', phone: '1380000' },
        faults: [{ field: 'phone', code: 'phone-invalid', message: '少一位', suggestion: '补上', firstRow: null }],
      },
    ],
    { row: '行', fault: '问题', advice: '怎么改' },
  )
  const lines = text.split('\r\n')
  expect(lines[0]).toBe('\ufeff行,问题,怎么改,工号,姓名,手机号,部门,企业微信账号,金额,入职日期,备注')
  expect(lines[1]).toBe('8,手机号：少一位,补上,,张三,1380000,,,,,')
})

test('the sample has twenty people of whom one phone is short', () => {
  const [head, ...people] = sampleCsv().trimEnd().split('\r\n')
  expect(`${head}\r\n`).toBe(templateCsv())
  expect(people).toHaveLength(20)
  expect(people.filter((line) => readPhone(line.split(',')[2]!).code !== undefined)).toHaveLength(1)
})

import { expect, test } from 'vitest'
import { readPhone } from '../../contract/roster-row.ts'
import { csvCell, sampleCsv } from './roster-files.ts'

test('a cell that a spreadsheet would run is made harmless and is still read as the same phone', () => {
  expect(csvCell('=1+1')).toBe("'=1+1")
  expect(csvCell('@cmd')).toBe("'@cmd")
  expect(readPhone(csvCell('+8613800001234')).value).toBe('13800001234')
})

test('commas, quotes and line ends are quoted', () => {
  expect(csvCell('a,"b"\nc')).toBe('"a,""b""\nc"')
  expect(csvCell('研发部')).toBe('研发部')
})

test('the sample has twenty people of whom one phone is short', () => {
  const [head, ...people] = sampleCsv().trimEnd().split('\r\n')
  expect(head).toBe('\ufeff工号,姓名,手机号,部门,企业微信账号,金额,入职日期,生日,备注')
  expect(people).toHaveLength(20)
  expect(people.filter((line) => readPhone(line.split(',')[2]!).code !== undefined)).toHaveLength(1)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { daySerial, describeRowFault, makeDuplicateJudge, normaliseRow } from './roster-row.ts'
import { readAmount, readBirthday, readDay, readPhone, rosterFields, rowFaultCodes } from './roster-row.ts'

const wide = (text: string): string =>
  text.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0))
const phone = fc
  .tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 0, max: 999_999_999 }))
  .map(([second, rest]) => `1${second}${String(rest).padStart(9, '0')}`)
const blank = fc.constantFrom('', ' ', '\u00a0', '\u3000', '\t')

describe('phone', () => {
  test('is found in every usual writing', () => {
    const prefix = fc.constantFrom('', '+86', '86', '0086', '+86 ', '86-', '(+86)', '（+86）')
    const dash = fc.constantFrom('', '-', ' ', '－', '\u3000')
    fc.assert(
      fc.property(phone, prefix, dash, blank, fc.boolean(), (digits, before, between, end, full) => {
        const written = `${before}${digits.slice(0, 3)}${between}${digits.slice(3, 7)}${between}${digits.slice(7)}`
        expect(readPhone(end + (full ? wide(written) : written) + end)).toEqual({ value: digits })
      }),
    )
  })
  test('never becomes another number', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { value } = readPhone(text)
        if (value !== null) expect(text.normalize('NFKC').replace(/\D/g, '')).toContain(value)
      }),
    )
  })
  test.each([
    ['1.38E+10', 'phone-precision-lost'],
    ['12800123456', 'phone-invalid'],
    ['010-88880000', 'phone-invalid'],
    ['13800946264/13900946264', 'phone-invalid'],
  ])('%s is %s', (text, code) => expect(readPhone(text).code).toBe(code))
  test.each(['13800138000.0', '1.3800138000E+10', "'13800138000", '\u202d13800138000\u202c'])('%s is kept', (text) =>
    expect(readPhone(text)).toEqual({ value: '13800138000' }),
  )
})

describe('amount', () => {
  test('goes to fen digit by digit in every usual writing', () => {
    const before = fc.constantFrom('', '¥', '￥', 'RMB ', '+')
    const after = fc.constantFrom('', '元', ' 元', '元整')
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500_000 }), before, after, fc.boolean(), (cents, left, right, commas) => {
        const whole = Math.floor(cents / 100)
        const fraction = String(cents % 100).padStart(2, '0')
        const text = `${left}${commas ? whole.toLocaleString('en-US') : whole}.${fraction}${right}`
        expect(readAmount(text)).toEqual({ value: cents })
        expect(readAmount(wide(text))).toEqual({ value: cents })
      }),
    )
  })
  test.each([
    ['', 'amount-missing'],
    ['待定', 'amount-invalid'],
    ['1,00', 'amount-invalid'],
    ['500-800', 'amount-invalid'],
    ['0.00', 'amount-not-positive'],
    ['-1', 'amount-not-positive'],
    ['166.666', 'amount-too-precise'],
    ['5000.001', 'amount-over-limit'],
    ['99999999999999999999', 'amount-over-limit'],
  ])('%s is %s', (text, code) => expect(readAmount(text).code).toBe(code))
})

describe('day', () => {
  test.each([
    ['2024-3-5', '2024-03-05'],
    ['2024/03/05 00:00:00', '2024-03-05'],
    ['2024年3月5日', '2024-03-05'],
    ['20240305', '2024-03-05'],
    ['２０２４．３．５', '2024-03-05'],
    ['45356', '2024-03-05'],
  ])('%s is %s', (text, day) => expect(readDay(text)).toEqual({ value: day }))
  test.each(['2021-02-29', '20211345', '2023-13-01', '不详', '3/5/2024'])('%s is no day', (text) =>
    expect(readDay(text).code).toBe('date-invalid'),
  )
  test('serials follow both epochs and know no 1900-02-29', () => {
    expect(daySerial(1, false).value).toBe('1900-01-01')
    expect(daySerial(60, false).code).toBe('date-invalid')
    expect(daySerial(61, false).value).toBe('1900-03-01')
    expect(daySerial(43894, true).value).toBe('2024-03-05')
  })
})

test('a later row names the first one, without regard to case of an account', () => {
  const judge = makeDuplicateJudge()
  const read = (wecomUserId: string) => normaliseRow({ name: '李雷', wecomUserId }, new Set(rosterFields)).person
  expect(judge(2, read('LiLei'), {})).toEqual([])
  expect(judge(3, read('lilei'), { wecomUserId: 'lilei' })).toEqual([
    { field: 'wecomUserId', code: 'userid-duplicate', value: 'lilei', firstRow: 2 },
  ])
})

test('every code has words in both languages', () => {
  for (const code of rowFaultCodes) {
    expect(describeRowFault({ code }).message).toMatch(/\p{Script=Han}/u)
    expect(describeRowFault({ code }, 'en').message).toMatch(/^[\x20-\x7e]+$/)
  }
})

describe('readBirthday', () => {
  test.each([
    ['1990-03-05', '03-05'],
    ['1990/3/5 00:00:00', '03-05'],
    ['1996年2月29日', '02-29'],
    ['19900305', '03-05'],
    ['32937', '03-05'],
    ['３月５日', '03-05'],
    ['3月5号', '03-05'],
    ['03-05', '03-05'],
    ['12.31', '12-31'],
    ['2/29', '02-29'],
    ['0305', '03-05'],
    ['  ', null],
  ])('%s is %s', (text, day) => expect(readBirthday(text)).toEqual({ value: day }))
  test.each(['2-30', '13月1日', '1990-02-29', '生日', '305', '03-05-1990'])('%s is none', (text) =>
    expect(readBirthday(text)).toEqual({ value: null, code: 'date-invalid' }),
  )

  test('is said of lists that have the column, and of those only', () => {
    const cells = { name: '陈晓', phone: '13800000000', birthday: '2-30' }
    const read = normaliseRow(cells, new Set(['name', 'phone', 'birthday']))
    expect(read.person.birthday).toBeNull()
    expect(read.faults).toEqual([{ field: 'birthday', code: 'date-invalid', value: '2-30' }])
    expect(normaliseRow({ name: '陈晓', phone: '13800000000' }, new Set(['name', 'phone'])).person).not.toHaveProperty(
      'birthday',
    )
  })
})

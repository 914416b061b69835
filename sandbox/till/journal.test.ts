import { expect, test } from 'vitest'
import { differencesOf, readDayFile } from './journal.ts'

test('a file that is cut short or does not sum is no file; a line too much on either side is told', () => {
  const file = (...lines: string[]) => ['movement,at,kind,authorisation,ref,till,amount_fen', ...lines, ''].join('\r\n')
  const line = 'rmv_1,2026-11-23T12:00:00.000+08:00,capture,rdm_1,"a,""b""",trm_1,100'
  const back = 'rmv_2,2026-11-23T12:00:01.000+08:00,refund,rdm_1,,trm_2,-40'
  const total = 'total,2026-11-23,closed,2,100,40,60'
  expect(readDayFile(file(line, back, total), 'trm_1')).toEqual([
    { authorisation: 'rdm_1', kind: 'capture', amountFen: 100 },
  ])
  for (const broken of [file(line, back), file(line, total), file(line, line, back, total), '', total])
    expect(() => readDayFile(broken, 'trm_1')).toThrow(/the file/)
  const one = { authorisation: 'rdm_1', kind: 'capture' as const, amountFen: 100 }
  expect(differencesOf([one, one], [one])).toEqual([{ ...one, on: 'journal' }])
  expect(differencesOf([one], [one, { ...one, amountFen: 99 }])).toEqual([{ ...one, amountFen: 99, on: 'file' }])
})

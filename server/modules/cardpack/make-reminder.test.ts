import { expect, test } from 'vitest'
import { writeCalendar } from './make-reminder.ts'

const day = {
  uid: 'crd_0000000000001@cards.example',
  day: '2026-12-31',
  madeAtMs: Date.UTC(2026, 10, 23, 8, 5, 9, 123),
  summary: '青禾福利卡（尾号 1234）今天到期',
  text: 'a; b, c \\ d\nnext',
  url: 'https://cards.example/pack/cards/crd_0000000000001',
}
/** What a calendar reads: folded lines joined again. */
const unfold = (text: string): string[] => text.replaceAll('\r\n ', '').split('\r\n')

test('a calendar has one whole day, with its alarms at nine in the morning', () => {
  const lines = unfold(writeCalendar(day))
  expect(lines).toEqual(
    expect.arrayContaining([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'UID:crd_0000000000001@cards.example',
      'DTSTAMP:20261123T080509Z',
      'DTSTART;VALUE=DATE:20261231',
      'DTEND;VALUE=DATE:20270101',
      'SUMMARY:青禾福利卡（尾号 1234）今天到期',
      'TRIGGER:-P6DT15H',
      'TRIGGER:-PT15H',
    ]),
  )
  expect(lines.filter((line) => line.startsWith('BEGIN:')).length).toBe(
    lines.filter((line) => line.startsWith('END:')).length,
  )
  expect(lines.at(-1)).toBe('')
})

test('what means something to a calendar is escaped, and control signs are left out', () => {
  expect(unfold(writeCalendar(day))).toContain('DESCRIPTION:a\\; b\\, c \\\\ d\\nnext')
  const bad = writeCalendar({ ...day, text: 'x\r\nEND:VEVENT\u0007\r y' })
  expect(unfold(bad)).toContain('DESCRIPTION:x\\nEND:VEVENT\\n y')
})

test('no line has more than 75 octets, and no sign is torn apart', () => {
  for (const length of [20, 21, 22, 23, 24, 25, 74, 75, 76, 300]) {
    const summary = `${'禾'.repeat(length)}😀${'a'.repeat(length)}`
    const text = writeCalendar({ ...day, summary })
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
    expect(unfold(text)).toContain(`SUMMARY:${summary}`)
    expect(text).not.toMatch(/(?<!\r)\n/)
  }
})

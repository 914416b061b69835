import { expect, test } from 'vitest'
import { deliveryReasonCodes, deliveryReasons } from '../../../contract/delivery-reasons.ts'
import { errorOfCode } from '../../channels/wecom/errors.ts'
import { meaningOfCode } from './reasons-of-codes.ts'

/**
 * Section 9 of the protocol sheet as it concerns sending: class B waits, T stops the connection, P is for good. Codes that
 * only other calls answer stand with what they would mean for people, which is a plain refusal.
 */
const sheet: Readonly<Record<string, readonly number[]>> = {
  B: [-1, 6000, 40085, 45009, 45033, 45035, 45036],
  R: [40014, 42001, 40082, 42009],
  T: [
    40001, 40013, 40091, 40056, 301002, 40084, 48004, 48001, 48002, 48006, 48011, 48009, 60020, 50001, 80001, 50003,
    60031, 301007,
  ],
  P: [
    40003, 40007, 40145, 40031, 40032, 40058, 40063, 40035, 42014, 42016, 60140, 43004, 46004, 60111, 60003, 60123,
    60011, 60021, 50002, 92000, 81013, 82001, 81012, 82002, 82003, 82004, 90206, 90207, 90208, 91040, 92002, 92003,
    701008, 701099,
  ],
  /** Answers of other calls: identity, suites, customer contact. */
  elsewhere: [
    40029, 42003, 42022, 40078, 40077, 42007, 40089, 40093, 42012, 40096, 40128, 40129, 40100, 41045, 41048, 41050,
    41051, 41054, 41063, 41096, 42052, 45024, 45026, 45029, 84014, 84015, 84061, 84084,
  ],
}

test('every code of the sheet is a wait, a reason, or the end of the connection, as its class says', () => {
  for (const code of [...(sheet['B'] ?? []), ...(sheet['R'] ?? [])])
    expect(meaningOfCode(String(code)), String(code)).toHaveProperty('wait')
  for (const code of sheet['T'] ?? []) expect(meaningOfCode(String(code)), String(code)).toMatchObject({ breaks: true })
  for (const code of sheet['P'] ?? []) {
    const meaning = meaningOfCode(String(code))
    expect(meaning, String(code)).toHaveProperty('reason')
    expect(meaning, String(code)).not.toHaveProperty('breaks')
  }
  for (const code of sheet['elsewhere'] ?? []) expect(meaningOfCode(String(code)), String(code)).toBeNull()
  expect(meaningOfCode('99999')).toBeNull()
})

test('what waits is busy for the adapter, what breaks is broken, and the rest is refused', () => {
  const outcomeOf = (code: number): string => errorOfCode('message/send', code).outcome
  for (const code of [-1, 6000, 45009, 45033, 45035, 45036]) expect(outcomeOf(code), String(code)).toBe('busy')
  for (const code of sheet['T'] ?? []) expect(outcomeOf(code), String(code)).toBe('broken')
  for (const code of [82004, 40058, 81012, 60021]) expect(outcomeOf(code), String(code)).toBe('refused')
})

test('every reason that a code gives says what to do, in both languages', () => {
  for (const code of Object.values(sheet).flat()) {
    const meaning = meaningOfCode(String(code))
    if (meaning === null || !('reason' in meaning)) continue
    expect(deliveryReasonCodes).toContain(meaning.reason)
    const { zh, en } = deliveryReasons[meaning.reason]
    expect(zh.length).toBeGreaterThan(8)
    expect(en.length).toBeGreaterThan(20)
  }
})

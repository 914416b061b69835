import { expect, test } from 'vitest'
import { messageWords } from './message-words.ts'

const BEGIN_MS = Date.UTC(2026, 10, 23, 4)

test('words fit a template’s places, whatever the brand is called', () => {
  const facts = {
    brandName: '青禾',
    amountFen: 123_456_789,
    expiresAtMs: Date.UTC(2027, 0, 1, 4),
    createdAtMs: BEGIN_MS,
  }
  expect(messageWords({ ...facts, kind: 'card_expiring' })).toEqual({
    card: '青禾福利卡',
    amount: '¥1234567.89',
    time: '2027年1月1日 12:00',
    note: '请在到期前用完卡里的余额',
  })
})

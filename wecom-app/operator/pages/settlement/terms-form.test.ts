import { expect, test } from 'vitest'
import { readTermsForm, type TermsFields } from './terms-form.ts'

const fields = (changes: Partial<TermsFields> = {}): TermsFields => ({
  collector: 'brand',
  platform: '4',
  cap: '30',
  hold: '24',
  holdUnit: 'hours',
  walletCredit: false,
  channels: [{ code: 'c1', name: '远山渠道', mchid: '1900000001', percent: '2.5' }],
  ...changes,
})

test('what can be kept is what the server is told', () => {
  expect(readTermsForm(fields({ hold: '15', holdUnit: 'minutes' }))).toEqual({
    entry: {
      collector: 'brand',
      platformBp: 400,
      channels: [{ code: 'c1', name: '远山渠道', mchid: '1900000001', bp: 250 }],
      maxRatioBp: 3000,
      holdMs: 900_000,
      walletCredit: false,
    },
    shares: expect.objectContaining({ platformBp: 400 }) as object,
    faults: [],
  })
})

test('each field that is wrong is named, and nothing is sent', () => {
  const [channel] = fields().channels
  const cases: readonly (readonly [Partial<TermsFields>, string])[] = [
    [{ platform: 'x' }, 'platform'],
    [{ cap: '' }, 'cap'],
    [{ hold: '-1' }, 'hold'],
    [{ hold: '601' }, 'hold'],
    [{ hold: '36001', holdUnit: 'minutes' }, 'hold'],
    [{ channels: [{ ...channel!, name: ' ' }] }, 'name 0'],
    [{ channels: [{ ...channel!, code: 'C 1' }] }, 'code 0'],
    [{ channels: [{ ...channel!, mchid: '12345' }] }, 'mchid 0'],
    [{ channels: [{ ...channel!, percent: '0' }] }, 'percent 0'],
    [{ channels: [channel!, channel!] }, 'twice'],
    [{ cap: '100', platform: '99' }, 'sum'],
    [{ platform: '28' }, 'over'],
    // Where the platform collects, the brand is a receiver like the others.
    [{ collector: 'platform', cap: '95' }, 'over'],
  ]
  for (const [changes, fault] of cases) {
    const read = readTermsForm(fields(changes))
    expect(read.faults, JSON.stringify(changes)).toContain(fault)
    expect(read.entry).toBeNull()
  }
})

test('just at the cap is still kept', () => {
  expect(readTermsForm(fields({ platform: '27.5' })).faults).toEqual([])
  expect(readTermsForm(fields({ platform: '27.51' })).faults).toEqual(['over'])
})

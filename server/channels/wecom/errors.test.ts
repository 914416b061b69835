import { afterEach, beforeEach, expect, test } from 'vitest'
import { boxApp as app, cardBody, failureOf, openBox, type Box } from '../../testing/wecom-box.ts'
import { DEAD_CREDENTIAL, errorOfCode, isKnownCode } from './errors.ts'

/** Section 9 of the protocol sheet, line by line: codes and class as they stand there. */
const section9: readonly (readonly [codes: string, classes: string])[] = [
  ['-1', 'B'],
  ['6000', 'B'],
  ['40001', 'T'],
  ['40003', 'P'],
  ['40007 40145', 'P'],
  ['40013 40091', 'T'],
  ['40014 42001', 'R'],
  ['40029 42003 42022', 'P'],
  ['40031 40032', 'P'],
  ['40056 301002', 'T'],
  ['40058 40063 40035', 'P'],
  ['40078', 'S/P'],
  ['40077 42007', 'P'],
  ['40082 42009', 'R'],
  ['40084 48004', 'T'],
  ['40085', 'B'],
  ['40089', 'P'],
  ['40093 42012', 'R'],
  ['40096', 'P'],
  ['40128', 'P'],
  ['40129 40100', 'B'],
  ['41045', 'T'],
  ['41048', 'P'],
  ['41050', 'P'],
  ['41051', 'S'],
  ['41054', 'P'],
  ['41063', 'B'],
  ['41096', 'B'],
  ['42014 42016 60140', 'P'],
  ['42052', 'P'],
  ['43004', 'P'],
  ['45009', 'B'],
  ['45024 45026', 'T'],
  ['45029', 'P'],
  ['45033', 'B'],
  ['45035', 'B'],
  ['45036', 'B'],
  ['46004 60111', 'P'],
  ['48002 48001 60011', 'T/P'],
  ['48006 48011', 'T'],
  ['48009 60020', 'T'],
  ['50001 80001', 'T'],
  ['50003 60031 301007', 'T'],
  ['60003 60123', 'P'],
  ['60021 50002 92000', 'P'],
  ['701008 701099', 'L/T'],
  ['81013', 'P'],
  ['82001 81012', 'P'],
  ['82002 82003', 'P'],
  ['84014 84015', 'P'],
  ['84061 84084', 'P'],
  ['90206 90207 90208', 'T'],
  ['91040', 'P'],
  ['92002 92003', 'P'],
]
/** What each class is here. A code that is success for somebody is still no success of the call: the port says which. */
const outcomes: Readonly<Record<string, string>> = {
  R: 'busy',
  B: 'busy',
  P: 'refused',
  S: 'refused',
  'S/P': 'refused',
  T: 'broken',
  'T/P': 'broken',
  'L/T': 'broken',
}
const rows = section9.flatMap(([codes, classes]) => codes.split(' ').map((code) => [Number(code), classes] as const))

test('every code of section 9 falls into its class', () => {
  for (const [code, classes] of rows) {
    const error = errorOfCode('message/send', code)
    expect([code, error.outcome]).toEqual([code, outcomes[classes]])
    expect([error.code, isKnownCode(code)]).toEqual([String(code), true])
    expect(error.message).toBe(`wecom message/send answered ${code}`)
  }
  expect(rows).toHaveLength(90)
})

test('those that stop a credential are all of the class that a person must mend', () => {
  for (const code of DEAD_CREDENTIAL) expect(errorOfCode('gettoken', code).outcome).toBe('broken')
})

let it: Box
beforeEach(async () => {
  it = await openBox()
})
afterEach(() => it.close())

test('a call ends in the error of its code; one that nobody knows is refused and told for an alert', async () => {
  const unknown: unknown[] = []
  const port = it.adapter({ unknownCode: (api, errcode) => unknown.push([api, errcode]) })
  const cases = [
    [45009, 'busy'],
    [-1, 'busy'],
    [45033, 'busy'],
    [60020, 'broken'],
    [40032, 'refused'],
    [42037, 'refused'],
    [99999, 'refused'],
  ] as const
  for (const [errcode, outcome] of cases) {
    it.box.control.addFault({ path: 'message/send', kind: 'errcode', errcode })
    expect(await failureOf(port.send(app, cardBody('m1')))).toMatchObject({ outcome, code: String(errcode) })
  }
  expect(unknown).toEqual([['message/send', 99999]])
})

/**
 * node server/testing/racing/unguarded.ts PAIR FILE ROUNDS
 * Races a pair on SQLite without the guard that keeps it, in this process alone; prints the report as one line of JSON. It shows that
 * the race would notice.
 */
import { readWithoutGuards } from '../without-guard.ts'

const [pair = '', file = '', rounds = ''] = process.argv.slice(2)
const flight = {
  name: 'flight',
  patches: [
    {
      file: 'modules/funding/take-flight.ts',
      is: 'if (taken === 1) return true',
      becomes: 'if (taken < 2) return true',
    },
  ],
}
const card = {
  name: 'card',
  patches: [{ file: 'modules/card/hold-value.ts', is: 'return held === 1', becomes: 'return held < 2' }],
}
/** Who is second goes on as if it were first: with the state, and with what was held. */
const gift = {
  name: 'gift',
  patches: [
    { file: 'kernel/move.ts', is: 'if (changed !== 1) return false', becomes: 'if (changed > 1) return false' },
    { file: 'modules/card/release-value.ts', is: 'if (released !== 1) throw', becomes: 'if (released > 1) throw' },
  ],
}
readWithoutGuards([flight, card, gift])
const guards: Readonly<Record<string, { readonly name: string }>> = {
  'refund-split': flight,
  'friend-friend': gift,
  'claim-withdraw': gift,
}
const without = (guards[pair] ?? card).name
const { race } = (await import(`./race.ts?without=${without}`)) as typeof import('./race.ts')
const { openTestDatabase } = (await import(`../databases.ts?without=${without}`)) as typeof import('../databases.ts')
const open = await openTestDatabase('sqlite', file)
console.log(JSON.stringify(await race(open, pair as Parameters<typeof race>[1], Number(rounds))))
await open.store.close()

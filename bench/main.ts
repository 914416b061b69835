/**
 * npm run bench -- issue --cards N [--db mysql|sqlite] [--json]
 * npm run bench -- import --rows N [--json]
 * npm run bench -- roster --rows N [--db mysql|sqlite] [--json]
 * npm run bench -- login [--count N] [--json]
 * npm run bench -- heads [--heads N] [--db mysql|sqlite] [--json]
 * npm run bench -- notice [--notices N] [--connections C] [--rate R] [--db mysql|sqlite] [--json]
 * npm run bench -- settle [--cards N] [--db mysql|sqlite] [--json]
 * npm run bench -- buy [--orders N] [--rate R] [--db mysql|sqlite] [--json]
 * npm run bench -- shelf [--listings N] [--rate R] [--db mysql|sqlite] [--json]
 * npm run bench -- redeem [--cards N] [--acts N] [--db mysql|sqlite] [--json]
 * Prints what it does as it goes and the figures as one JSON object in the last line.
 */
import { parseArgs } from 'node:util'
import { benchBuy } from './buy.ts'
import { benchHeads } from './heads.ts'
import { benchImport } from './import.ts'
import { benchIssue } from './issue.ts'
import { benchLogin } from './login.ts'
import { benchNotice } from './notice.ts'
import { benchRedeem } from './redeem.ts'
import { benchRoster } from './roster.ts'
import { benchSettle } from './settle.ts'
import { benchShelf } from './shelf.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cards: { type: 'string' },
    rows: { type: 'string', default: '200000' },
    count: { type: 'string', default: '100000' },
    heads: { type: 'string', default: '10000' },
    notices: { type: 'string', default: '60000' },
    connections: { type: 'string', default: '256' },
    rate: { type: 'string' },
    listings: { type: 'string', default: '10000' },
    orders: { type: 'string', default: '6000' },
    acts: { type: 'string', default: '140000' },
    db: { type: 'string', default: 'mysql' },
    json: { type: 'boolean', default: false },
  },
})
const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function main(): Promise<void> {
  const figures = await run(positionals[0])
  console.log(JSON.stringify(figures, null, values.json ? undefined : 2))
}

function run(name: string | undefined): Promise<object> {
  switch (name) {
    case 'issue':
      return benchIssue(count(values.cards ?? '1000000'), database(values.db), say)
    case 'import':
      return benchImport(count(values.rows), say)
    case 'roster':
      return benchRoster(count(values.rows), database(values.db), say)
    case 'login':
      return benchLogin(count(values.count), say)
    case 'heads':
      return benchHeads(count(values.heads), database(values.db), say)
    case 'notice':
      return benchNotice(
        {
          notices: count(values.notices),
          connections: count(values.connections),
          perSecond: count(values.rate ?? '3000'),
        },
        database(values.db),
        say,
      )
    case 'buy':
      return benchBuy(
        { orders: count(values.orders), perSecond: count(values.rate ?? '200') },
        database(values.db),
        say,
      )
    case 'shelf':
      return benchShelf(
        { listings: count(values.listings), perSecond: count(values.rate ?? '50') },
        database(values.db),
        say,
      )
    case 'settle':
      return benchSettle(count(values.cards ?? '10000'), database(values.db), say)
    case 'redeem':
      return benchRedeem(
        { cards: count(values.cards ?? '1000000'), acts: count(values.acts) },
        database(values.db),
        say,
      )
    default:
      throw new Error(
        'usage: npm run bench -- issue|import|roster|login|heads|notice|buy|shelf|settle|redeem [--cards N] [--rows N] [--listings N] [--count N] [--heads N] [--notices N] [--connections C] [--rate R] [--acts N] [--db mysql|sqlite] [--json]',
      )
  }
}

function count(text: string): number {
  const found = Number(text)
  if (!Number.isSafeInteger(found) || found < 1) throw new Error(`not a count: ${text}`)
  return found
}

function database(text: string): 'mysql' | 'sqlite' {
  if (text !== 'mysql' && text !== 'sqlite') throw new Error(`no such database: ${text}`)
  return text
}

// Ending by a signal runs what stands at exit: the processes that were started end too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await main()

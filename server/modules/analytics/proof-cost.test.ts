import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { freshMysqlUrl, openTestDatabase, type TestDatabase } from '../../testing/databases.ts'
import { openCardStage, raceCards } from '../../testing/racing/card-matrix.ts'
import { race } from '../../testing/racing/race.ts'
import { allCards, aTill } from '../../testing/tills.ts'
import { actAtTill } from '../redemption/act-at-till.ts'
import { makePayCode } from '../redemption/pay-code.ts'
import { bookQueries } from './prove-books.ts'

const CONTESTS = 200
const PURCHASES = 1_000
const A_GROUP = 100
/** How often a rule may read each row that there is. Compared with each other they would be read hundreds of times. */
const MOST_OFTEN = 8

/**
 * MariaDB chooses the order of a join by what it counted of the tables, and it counts late. A rule that leaves it the
 * choice takes minutes one day and none the next: so it is asked while it believes every table to be empty, and again
 * when it has counted.
 */
describe.skipIf(process.env['TEST_MYSQL_URL'] === undefined)('what the proof of the books reads (mysql)', () => {
  let database: TestDatabase
  let drop: () => Promise<void>
  let connection: Connection
  let tables: readonly string[]
  beforeAll(async () => {
    const fresh = await freshMysqlUrl(process.env['TEST_MYSQL_URL']!)
    drop = fresh.drop
    database = await openTestDatabase('mysql', fresh.url)
    connection = await createConnection(fresh.url)
    const [found] = await connection.query<({ name: string } & RowDataPacket)[]>(
      'select table_name as name from information_schema.tables where table_schema = database()',
    )
    tables = found.map(({ name }) => name)
    for (const name of tables) await connection.query(`alter table ${name} stats_auto_recalc = 0`)
    await fillBooks(database)
  }, 240_000)
  afterAll(async () => {
    await connection.end()
    await database.store.close()
    await drop()
  })

  /** By rule, how often it read each row that there is. */
  async function readOften(): Promise<[rule: string, times: number][]> {
    const counts = tables.map((name) => `select count(*) as rows_there from ${name}`).join(' union all ')
    const [counted] = await connection.query<({ rows_there: number } & RowDataPacket)[]>(counts)
    const rows = counted.reduce((sum, one) => sum + one.rows_there, 0)
    return database.tx(async (tx) => {
      const found: [string, number][] = []
      for (const { rule, text } of bookQueries('mysql')) {
        const before = await rowsRead(tx)
        expect([rule, await sql(tx.em, text)]).toEqual([rule, []])
        found.push([rule, ((await rowsRead(tx)) - before) / rows])
      }
      return found
    })
  }

  test('is each row a few times, by each rule, whether MariaDB knows what is in the tables or not', async () => {
    const tooOften = ([, times]: [string, number]): boolean => times > MOST_OFTEN
    const uncounted = (await readOften()).filter(tooOften)
    for (const name of tables) await connection.query(`analyze table ${name}`)
    expect({ uncounted, counted: (await readOften()).filter(tooOften) }).toEqual({ uncounted: [], counted: [] })
  }, 240_000)
})

/** Payments, refunds, sharing, gifts and purchases, and a card that paid more often than all the others. */
async function fillBooks(database: TestDatabase): Promise<void> {
  for (const pair of ['refund-hold', 'refund-split', 'claim-withdraw'] as const) await race(database, pair, CONTESTS)
  const stage = await openCardStage(database)
  for (const pair of [
    ['capture', 'refund'],
    ['reveal', 'claim'],
  ] as const)
    await raceCards(stage, pair, CONTESTS)
  const edge = stage.edge()
  const [card] = await edge.read((tx) =>
    sql<{ id: Awaited<ReturnType<typeof allCards>>[number]; brandId: never }>(
      tx.em,
      "select id, brand_id as brandId from card where state = 'active' and balance_fen >= ? and held_fen = 0 limit 1",
      [PURCHASES],
    ),
  )
  const till = await aTill(database, card!.brandId)
  for (let made = 0; made < PURCHASES; made += A_GROUP) {
    const group = Array.from({ length: A_GROUP }, (_, index) => {
      const { code } = makePayCode(edge, { kind: 'card', cardId: card!.id })
      const act = {
        kind: 'authorise' as const,
        on: { codes: [code] },
        billFen: fen(1),
        capture: true,
        partial: false,
        ref: null,
      }
      return { till, key: `p${made + index}`, act }
    })
    const outcomes = await edge.tx((tx) => actAtTill(tx, group))
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
  }
}

async function rowsRead(tx: Tx): Promise<number> {
  const counters = await sql<{ Value: string }>(tx.em, "show session status like 'Handler_read%'")
  return counters.reduce((sum, { Value }) => sum + Number(Value), 0)
}

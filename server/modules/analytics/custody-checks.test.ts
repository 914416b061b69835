import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { beijing, custodyStage } from '../../testing/custody.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { noticesEach, type Defects } from '../../testing/defects.ts'
import { enterBalance } from '../compliance/enter-cover.ts'
import { custodyChecks } from './custody-checks.ts'
import { proveBooks } from './prove-books.ts'
import { writeStatements } from './write-statements.ts'

const newest = "select id from custody_statement where day = '2026-04-02'"
/** For each rule what must not be: a row, and the statement that spoils it. */
const defects: Defects = {
  // A day that is off stays off in all that follow, so each follows from the one before: only the whole sum tells.
  the_newest_custody_statement_is_the_whole_account: [
    "select id from custody_statement where day = '2026-03-31'",
    `update custody_statement set balance_fen = balance_fen + 1, begin_fen = begin_fen + case when id = X then 0 else 1 end,
      issued_fen = issued_fen + case when day = '2026-03-31' then 1 else 0 end where day >= '2026-03-31'`,
  ],
  a_custody_statement_begins_where_the_day_before_ended: [
    "select id from custody_statement where day = '2026-04-01'",
    'delete from custody_statement where id = X',
  ],
  a_custody_statement_adds_up: [newest, 'update custody_statement set refunded_fen = 1 where id = X'],
  required_custody_is_its_share_of_the_quarter: [
    newest,
    'update custody_statement set required_fen = required_fen - 1 where id = X',
  ],
  a_shortfall_is_what_is_missing: [newest, 'update custody_statement set shortfall_fen = 0 where id = X'],
  prepaid_value_moves_by_kinds_that_statements_know: [
    "select id from entry where kind = 'issued'",
    "update entry set kind = 'made' where id = X",
  ],
}

onBothDatabases('the proof of custody', (database) => {
  test('finds one planted defect for each of its rules, and nothing before', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(beijing('2026-03-30 09:00:00'), { class: 'scale' })
    const orderId = await stage.issue(brand, beijing('2026-03-31 10:00:00'), 100_003, 3)
    await stage.refund(orderId, beijing('2026-04-01 10:00:00'), 1)
    await stage.redeem(brand, orderId, beijing('2026-04-02 10:00:00'), 5)
    const balance = { brandId: brand.id, day: '2026-03-31', fen: fen(50_000), document: '1' }
    await stage.system(beijing('2026-04-01 10:00:00')).tx((tx) => enterBalance(tx, balance))
    await writeStatements(stage.system(beijing('2026-04-03 02:40:00')))
    expect(await database.tx(proveBooks)).toEqual([])
    expect(Object.keys(defects).toSorted()).toEqual(custodyChecks.map((check) => check.rule as string).toSorted())
    await noticesEach(database, defects)
  })
})

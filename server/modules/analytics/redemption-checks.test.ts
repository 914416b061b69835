import { expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { noticesEach, type Defects } from '../../testing/defects.ts'
import { act, actOf, allCards, aTill, codeOf } from '../../testing/tills.ts'
import { proveBooks } from './prove-books.ts'
import { redemptionChecks } from './redemption-checks.ts'

/** For each rule, what must not be: `X` is what `of` finds first. */
const defects: Defects = {
  what_a_shop_took_is_its_journal: [
    "select id from redemption_movement where kind = 'refund'",
    'delete from redemption_movement where id = X',
  ],
  an_entry_of_tills_is_its_movements: [
    "select entry_id as id from redemption_movement where kind = 'capture'",
    "update posting set amount = amount + 1 where account like 'redeemed:%' and entry_id = X",
  ],
  a_purchase_is_its_movements: [
    "select id from redemption where state = 'captured'",
    'update redemption set captured_fen = captured_fen - 1 where id = X',
  ],
  a_movement_has_its_purchase_in_its_shop: [
    'select id from redemption_movement',
    "update redemption_movement set redemption_id = 'rdm_0000000000000' where id = X",
  ],
  a_purchase_is_what_its_cards_hold_and_paid: [
    "select id from redemption where state = 'captured'",
    'update redemption set bill_fen = bill_fen + 1, authorised_fen = authorised_fen + 1 where id = X',
  ],
  a_purchase_is_on_the_history_of_its_cards: [
    "select ref as id from activity where kind = 'capture_refund'",
    "update activity set ref = 'rdm_0000000000000' where kind = 'capture_refund' and ref = X",
  ],
  the_state_of_a_purchase_fits_its_amounts: [
    "select id from redemption where state = 'part_refunded'",
    "update redemption set state = 'refunded' where id = X",
  ],
  a_card_is_used_up_when_nothing_is_on_it: [
    "select id from card where state = 'active' and held_fen > 0",
    "update card set state = 'exhausted' where id = X",
  ],
  only_an_open_purchase_holds_value: [
    "select id from redemption where state = 'held'",
    "update redemption set state = 'voided' where id = X",
  ],
  a_card_pays_where_its_issuer_is: [
    'select brand_id as id from redemption',
    "update shop set brand_id = 'brd_0000000000000' where brand_id = X",
  ],
  a_used_code_has_its_purchase: [
    "select redemption_id as id from used_code join redemption on redemption.id = redemption_id where state = 'held'",
    "update used_code set redemption_id = 'rdm_0000000000000' where redemption_id = X",
  ],
  a_closed_shift_is_its_movements: [
    'select id from shift',
    "update shift set state = 'closed', captured_fen = 1 where id = X",
  ],
}

onBothDatabases('the books of tills', (database) => {
  test('find one planted defect for each of their rules, and nothing before', async () => {
    const company = await aCompany(database)
    const { brandId } = await anIssuedCampaign(
      database,
      company,
      await somePeople(database, company.id, [{ name: '张三' }]),
    )
    const till = await aTill(database, brandId, { shift: true })
    const [card] = await allCards(database)
    const pay = async (billFen: number, capture: boolean) => {
      const codes = [await database.tx(async (tx) => codeOf(tx, card!))]
      const more = { capture, partial: false, ref: null }
      const [paid] = await act(database, [
        actOf(till, { kind: 'authorise', on: { codes }, billFen: fen(billFen), ...more }),
      ])
      return paid!.ok ? paid!.view.id : expect.fail(paid!.code)
    }
    await pay(200, true)
    const refunded = await pay(300, true)
    await pay(400, false)
    await act(database, [actOf(till, { kind: 'refund', redemptionId: refunded, amountFen: fen(100) })])
    expect(await database.tx(proveBooks)).toEqual([])
    expect(Object.keys(defects).toSorted()).toEqual(redemptionChecks.map((check) => check.rule as string).toSorted())
    await noticesEach(database, defects)
  })
})

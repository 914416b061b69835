import { expect, test } from 'vitest'
import type { Ports } from '../../channels/ports.ts'
import type { Id } from '../../../contract/ids.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { noticesEach, type Defects } from '../../testing/defects.ts'
import { freezeLost, reissueCard } from '../card/report-lost.ts'
import { claimGift } from '../gift/claim-gift.ts'
import { withdrawGift } from '../gift/end-gift.ts'
import { offerGift } from '../gift/offer-gift.ts'
import { readGivenGift } from '../gift/read-gifts.ts'
import { nextNumber } from '../issuance/next-number.ts'
import { giftChecks } from './gift-checks.ts'
import { proveBooks } from './prove-books.ts'

/** For each rule, what must not be: `X` is what `of` finds first. */
const defects: Defects = {
  an_open_gift_holds_all_of_its_card: [
    "select hold_id as id from gift where state = 'offered'",
    'update hold set amount_fen = amount_fen - 1 where id = X',
  ],
  a_gift_that_is_over_holds_nothing: [
    "select hold_id as id from gift where state = 'withdrawn'",
    "update hold set state = 'held' where id = X",
  ],
  an_open_gift_is_being_ended: [
    "select job.id as id from job join gift on job.job_key = concat('gift.end:', gift.id) where gift.state = 'offered'",
    "update job set state = 'dead' where id = X",
  ],
  a_claimed_gift_passed_its_card_on_once: [
    "select id from gift where state = 'withdrawn'",
    "update gift set state = 'claimed' where id = X",
  ],
  a_card_is_in_its_last_hand: [
    "select card_id as id from gift where state = 'claimed'",
    "update card set holder_id = 'per_0000000000000' where id = X",
  ],
  a_card_counts_its_gifts: [
    "select card_id as id from gift where state = 'claimed'",
    'update card set gift_depth = gift_depth + 1 where id = X',
  ],
  a_replaced_card_has_retired_its_number: [
    "select card_id as id from activity where kind = 'reissue'",
    'delete from retired_number where card_id = X',
  ],
}

onBothDatabases('the books of gifts', (database) => {
  test('find one planted defect for each of their rules, and nothing before', async () => {
    const company = await aCompany(database)
    const people = await somePeople(
      database,
      company.id,
      ['甲', '乙', '丙'].map((name) => ({ name })),
    )
    await anIssuedCampaign(database, company, people)
    await database.tx((tx) => change(tx.em, 'update company set gift_depth = 1 where id = ?', [company.id]))
    const edge = database.edge({} as Ports)
    const holderOf = (holderId: Id<'person'>) => ({ companyId: company.id, holderId })
    const cardOf = async (holderId: Id<'person'>) => {
      const [row] = await edge.read((tx) =>
        sql<{ id: Id<'card'>; brandId: Id<'brand'> }>(
          tx.em,
          'select id, brand_id as brandId from card where holder_id = ?',
          [holderId],
        ),
      )
      return row!
    }
    const offer = async (from: Id<'person'>) => {
      const { id: cardId } = await cardOf(from)
      const wish = { cardId, cover: 'plain', greeting: '' } as const
      return edge.tx(async (tx) => readGivenGift(tx, holderOf(from), await offerGift(tx, holderOf(from), wish)))
    }
    const [first, second, third] = people as [Id<'person'>, Id<'person'>, Id<'person'>]
    const claimed = await offer(first)
    await edge.tx((tx) => claimGift(tx, holderOf(second), claimed.path!.slice(-26)))
    const lost = await cardOf(third)
    const number = await nextNumber(edge, lost.brandId)
    await edge.tx((tx) => freezeLost(tx, holderOf(third), lost.id))
    await edge.tx((tx) => reissueCard(tx, holderOf(third), lost.id, () => number))
    const taken = await offer(third)
    await edge.tx((tx) => withdrawGift(tx, holderOf(third), taken.id))
    await offer(third)
    expect(await database.tx(proveBooks)).toEqual([])
    expect(Object.keys(defects).toSorted()).toEqual(giftChecks.map((check) => check.rule as string).toSorted())
    await noticesEach(database, defects)
  })
})

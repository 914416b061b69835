import { expect } from 'vitest'
import { fen } from '../../contract/fen.ts'
import type { Id } from '../../contract/ids.ts'
import type { Ports } from '../channels/ports.ts'
import { change, sql } from '../kernel/sql.ts'
import { openPayment } from '../modules/funding/open-payment.ts'
import { claimGift } from '../modules/gift/claim-gift.ts'
import { offerGift } from '../modules/gift/offer-gift.ts'
import { openToken } from '../modules/gift/seal-gift.ts'
import { Gift } from '../modules/gift/tables.ts'
import { issueOrder } from '../modules/issuance/issue-order.ts'
import type { TillAct } from '../modules/redemption/till-acts.ts'
import { requestRefund } from '../modules/refund/request-refund.ts'
import { anApprovedCampaign, type CampaignWish, type TestCampaign } from './campaigns.ts'
import type { TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'
import { act, actOf, aTill, codeOf } from './tills.ts'
import { aUsedRoster } from './used-roster.ts'

const FACE = 50_000
const reasonOf = (state: string) => (state === 'failed' ? 'not_visible' : null)
let brands = 6300

/** A wish for a campaign of a brand of its own. */
export const aBrand = (more: CampaignWish = {}): CampaignWish => ({ issuerPrefix: String((brands += 1)), ...more })

/** What a report counts, done by the commands that do it. The company has a wallet with money and nobody's clock is moved. */
export function reportStage(database: TestDatabase, company: TestCompany) {
  const edge = database.edge({} as Ports, company.as('hr'))
  const { set, cardOf, spend, deliver } = handsOn(database, company)
  /** Four people of a list: one spends a part, one is given some of it back, one's card goes back, one gives theirs away. */
  async function aLivelyCampaign(): Promise<TestCampaign> {
    const {
      id: rosterId,
      personIds,
      rowIds,
    } = await aUsedRoster(
      database,
      company,
      [
        { name: '张三', department: '研发部' },
        { name: '李四', department: '研发部' },
        { name: '王五', department: '销售部' },
        { name: '=赵六', department: null },
      ],
      { again: [0] },
    )
    const made = await anApprovedCampaign(database, company, personIds, aBrand({ title: '中秋' }))
    await set('update campaign set roster_id = ? where id = ?', [rosterId, made.id])
    // Who stands in a list twice is counted by the first row.
    await set("update roster_row set department = '别处' where id = ?", [rowIds[4]])
    // Whoever moved since is counted where they were.
    await set("update person set department = '别处' where id = ?", [personIds[1]])
    await openPayment(edge, { orderId: made.orderId, source: 'wallet', amountFen: fen(4 * FACE) }, made.id)
    await issueOrder(database.edge({} as Ports), made.orderId)
    await deliver(made, ['claimed', 'opened', 'failed', 'sent'])
    await spend(made, 0, 12_345)
    await spend(made, 1, 20_000, 5_000)
    const third = await cardOf(made.orderId, 2)
    await edge.tx((tx) => requestRefund(tx, { kind: 'cards', orderId: made.orderId, cardIds: [third] }))
    const fourth = await cardOf(made.orderId, 3)
    await set('update company set gift_depth = 1 where id = ?', [company.id])
    const giver = { companyId: company.id, holderId: personIds[3]! }
    await edge.tx(async (tx) => {
      const giftId = await offerGift(tx, giver, { cardId: fourth, cover: 'plain', greeting: '' })
      const gift = await tx.em.findOneOrFail(Gift, { id: giftId }, { disableIdentityMap: true })
      await claimGift(tx, { companyId: company.id, holderId: personIds[0]! }, openToken(tx, giftId, gift.tokenSealed!))
    })
    await spend(made, 3, 10_000)
    return made
  }

  return { spend, aLivelyCampaign }
}

/** What is done to one card or message. */
function handsOn(database: TestDatabase, company: TestCompany) {
  const set = (text: string, values: readonly unknown[]) => database.tx((tx) => change(tx.em, text, values))
  const cardOf = async (orderId: Id<'order'>, seq: number): Promise<Id<'card'>> => {
    const [row] = await database.tx((tx) =>
      sql<{ id: Id<'card'> }>(
        tx.em,
        'select card.id as id from card join order_item on order_item.id = card.order_item_id where order_id = ? and seq = ?',
        [orderId, seq],
      ),
    )
    return row!.id
  }
  /** Spends of a card at a till of its brand, and gives some of it back. */
  async function spend(campaign: TestCampaign, seq: number, billFen: number, backFen = 0): Promise<void> {
    const till = await aTill(database, campaign.brandId)
    const cardId = await cardOf(campaign.orderId, seq)
    const code = await database.tx(async (tx) => codeOf(tx, cardId))
    const pay = { billFen: fen(billFen), capture: true, partial: false, ref: null }
    const one = async (what: TillAct['act']) => {
      const [outcome] = await act(database, [actOf(till, what)])
      return outcome?.ok === true ? outcome.view : expect.fail(JSON.stringify(outcome))
    }
    const { id } = await one({ kind: 'authorise', on: { codes: [code] }, ...pay })
    if (backFen > 0) await one({ kind: 'refund', redemptionId: id, amountFen: fen(backFen) })
  }
  async function deliver(campaign: TestCampaign, states: readonly string[]): Promise<void> {
    for (const [index, state] of states.entries())
      await database.tx((tx) =>
        change(
          tx.em,
          `insert into delivery (id, company_id, campaign_id, person_id, state, reason, version, attempts, opened_at_ms, claimed_at_ms)
            values (?, ?, ?, ?, ?, ?, 1, 1, 1, 1)`,
          [tx.newId('delivery'), company.id, campaign.id, campaign.personIds[index], state, reasonOf(state)],
        ),
      )
  }
  return { set, cardOf, spend, deliver }
}

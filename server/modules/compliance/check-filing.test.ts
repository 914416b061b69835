import { expect, test } from 'vitest'
import { FilingEntry } from '../../../contract/operator/filing.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { sql } from '../../kernel/sql.ts'
import { anApprovedCampaign, somePeople } from '../../testing/campaigns.ts'
import { custodyStage } from '../../testing/custody.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { planCampaign } from '../campaign/plan-campaign.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { setFiling } from '../catalog/set-filing.ts'
import { openPayment } from '../funding/open-payment.ts'
import { issueOrder } from '../issuance/issue-order.ts'

onBothDatabases('what a filing forbids', (database) => {
  const facts = {
    class: 'scale',
    number: '备 1',
    filedDay: '2025-01-01',
    custodyBank: '银行',
    custodyAccount: '62220001',
  }
  const file = (id: Id<'brand'>, more: object) =>
    database.tx((tx) => setFiling(tx, id, FilingEntry.parse({ ...facts, ...more })))
  const cards = async (): Promise<number> => {
    const [row] = await database.tx((tx) => sql<{ n: unknown }>(tx.em, 'select count(*) as n from card'))
    return Number(row?.n)
  }

  test('cards of a kind that it does not cover are not made, and are once it does', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(Date.now(), { cards: 'unnamed' })
    await expect(stage.issue(brand, Date.now(), 10_000)).rejects.toMatchObject({ code: 'card_kind_not_filed' })
    expect(await cards()).toBe(0)
    await file(brand.id, { cards: 'named' })
    const [order] = await database.tx((tx) =>
      sql<{ id: Id<'order'>; state: string }>(tx.em, 'select id, state from orders'),
    )
    expect(order?.state).toBe('funded')
    await issueOrder(stage.system(Date.now()), order!.id)
    expect(await cards()).toBe(1)
  })

  test('the issuer may owe as much as its ceiling and no fen more; what is taken back makes room', async () => {
    const stage = await custodyStage(database)
    const brand = await stage.brand(Date.now(), { ceilingFen: 100_000 })
    const first = await stage.issue(brand, Date.now(), 20_000, 3)
    await stage.issue(brand, Date.now(), 40_000)
    await expect(stage.issue(brand, Date.now(), 100)).rejects.toMatchObject({ code: 'prepaid_over_ceiling' })
    expect(await cards()).toBe(4)
    await stage.refund(first, Date.now(), 1)
    await stage.issue(brand, Date.now(), 20_000)
    await expect(stage.issue(brand, Date.now(), 100)).rejects.toMatchObject({ code: 'prepaid_over_ceiling' })
  })

  test('a campaign is blocked by either before anybody pays', async () => {
    const { company } = await custodyStage(database)
    const personIds = await somePeople(database, company.id, [{ name: '甲', userid: 'a' }])
    const { id, brandId, orderId } = await anApprovedCampaign(database, company, personIds, {
      issuerPrefix: '6239',
      faceFen: 5_000,
    })
    const blocks = () =>
      database.edge({} as Ports, company.as('hr')).tx(async (tx) => {
        const plan = await planCampaign(tx, await findOwnCampaign(tx, id))
        return plan.blocks.map((block) => [block.code, block.field])
      })
    const before = await blocks()
    await file(brandId, { cards: 'unnamed' })
    expect(await blocks()).toEqual([...before, ['card_kind_not_filed', 'templateVersionId']])
    await file(brandId, { ceilingFen: 5_000 })
    const source = 'wallet' as const
    const hr = database.edge({} as Ports, company.as('hr'))
    await openPayment(hr, { orderId, source, amountFen: fen(5_000) }, 'paid')
    await issueOrder(database.edge({} as Ports), orderId)
    expect(await blocks()).toEqual(before)
    await file(brandId, { ceilingFen: 4_999 })
    expect(await blocks()).toEqual([...before, ['prepaid_over_ceiling', 'templateVersionId']])
  })
})

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { RefundList, RefundView, TakeBackPreview } from '../../../contract/hr/refund.ts'
import type { Id } from '../../../contract/ids.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import type { TestCampaign } from '../../testing/campaigns.ts'
import { startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { dyingAt, refundStage, serveRefundHouse } from '../../testing/refunding.ts'
import { freezeUnused } from '../card/freeze-cards.ts'
import { markOpened } from '../delivery/mark-opened.ts'
import { openPayment } from '../funding/open-payment.ts'
import { runTakeBack } from './take-back-campaign.ts'

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('unopened cards of a campaign are taken back', (database) => {
  let house: PayHouse
  let company: TestCompany
  const stage = refundStage(
    database,
    () => world,
    () => house,
    () => company,
  )
  beforeEach(async () => {
    house = await serveRefundHouse(database, world)
    company = await aCompany(database, { walletFen: 100_000_000 })
  })
  afterEach(async () => {
    world.shiftMs = 0
    await house.close()
  })
  const call = (role: 'hr' | 'finance' | 'approver', method: string, path: string, body?: unknown, key?: string) =>
    house.call(company.as(role), method, path, body, key)
  /** Messages that went out to the first so many people. */
  async function sent(campaign: TestCampaign, count: number): Promise<void> {
    for (const [index, personId] of campaign.personIds.slice(0, count).entries())
      await stage.set(
        `insert into delivery (id, company_id, campaign_id, person_id, state, version, attempts, sent_at_ms)
          values (?, ?, ?, ?, 'sent', 1, 1, 1)`,
        [`dlv_${String(index).padStart(13, '0')}`, company.id, campaign.id, personId],
      )
  }
  const open = (campaign: TestCampaign, at: number) =>
    database.tx((tx) => markOpened(tx, { campaignId: campaign.id, personId: campaign.personIds[at]! }))
  const statesOf = async () =>
    (
      await stage.read<{ state: string; count: unknown }>(
        'select state, count(*) as count from card group by state order by state',
      )
    ).map((row) => [row.state, Number(row.count)])

  test('the preview says what comes back and over which source, and the money goes there', async () => {
    const campaign = await stage.issued(5, { wallet: 100_000, wechat: [150_000] })
    await sent(campaign, 3)
    await open(campaign, 0)
    // Somebody left: their card is frozen, and comes back with the others.
    const cards = await stage.cardsOf(campaign.orderId)
    await database.tx((tx) => freezeUnused(tx, [cards[4]!], 'person_left'))
    const path = `/hr/campaigns/${campaign.id}/take-back`
    const preview = TakeBackPreview.parse((await call('hr', 'GET', path)).body)
    expect(preview).toMatchObject({ cards: 4, keptCards: 0, fen: 200_000, possible: true, sourcesToWallet: null })
    expect(preview.sources).toEqual([
      { source: 'wallet', route: 'wallet', fen: 80_000 },
      { source: 'wechat_pay', route: 'wechat', fen: 120_000 },
    ])
    expect((await call('approver', 'GET', path)).status).toBe(403)
    const asked = await call('finance', 'POST', path, {}, 'once')
    const refund = RefundView.parse(asked.body)
    expect(refund).toMatchObject({ kind: 'campaign', state: 'requested', cardsPlanned: 4, cardsBack: 0, fen: 0 })
    // The same key is the same refund; a second taking back has to wait for the first.
    expect(RefundView.parse((await call('finance', 'POST', path, {}, 'once')).body).id).toBe(refund.id)
    expect((await call('hr', 'POST', path, {}, 'other')).body).toMatchObject({ code: 'state_conflict' })
    // One more opens their message before the job gets there.
    await open(campaign, 1)
    await stage.settle()
    const after = RefundView.parse((await call('hr', 'GET', `/hr/refunds/${refund.id}`)).body)
    expect(after).toMatchObject({
      state: 'done',
      cardsBack: 3,
      fen: 150_000,
      doneFen: 150_000,
      campaignTitle: '中秋节日问候',
    })
    expect(after.parts.map((part) => [part.source, part.fen, part.state])).toEqual([
      ['wallet', 60_000, 'done'],
      ['wechat_pay', 90_000, 'done'],
    ])
    expect(await statesOf()).toEqual([
      ['active', 2],
      ['refunded', 3],
    ])
    const messages = await stage.read<{ state: string; reason: string | null }>(
      'select state, reason from delivery order by person_id',
    )
    expect(messages.map((row) => [row.state, row.reason])).toEqual([
      ['opened', null],
      ['opened', null],
      ...Array.from({ length: 3 }, () => ['revoked', 'taken_back']),
    ])
    expect((await call('hr', 'POST', path, {}, 'third')).body).toMatchObject({ code: 'nothing_to_take_back' })
    const list = RefundList.parse((await call('hr', 'GET', `/hr/refunds?campaignId=${campaign.id}`)).body)
    expect(list.refunds.map((one) => one.id)).toEqual([refund.id])
  })

  test('another company sees nothing of it', async () => {
    const campaign = await stage.issued(1, { wallet: 50_000 })
    const other = await aCompany(database)
    const path = `/hr/campaigns/${campaign.id}/take-back`
    expect((await house.call(other.as('admin'), 'GET', path)).status).toBe(404)
    expect((await house.call(other.as('admin'), 'POST', path, {}, 'k')).status).toBe(404)
    const orders = `/hr/orders/${campaign.orderId}`
    const cardIds = await stage.cardsOf(campaign.orderId)
    expect((await house.call(other.as('admin'), 'POST', `${orders}/refunds`, { cardIds }, 'k2')).status).toBe(404)
    expect((await house.call(other.as('admin'), 'POST', `${orders}/give-up`, {}, 'k3')).status).toBe(404)
    expect((await call('hr', 'GET', '/operator/refund-parts')).status).toBe(403)
  })

  test('1,050 cards go back in slices; a stop at any of them, and two runs at once, take each back once', async () => {
    const campaign = await stage.issued(1050, { wallet: 1_050 * 1_000 }, { faceFen: 1_000 })
    const path = `/hr/campaigns/${campaign.id}/take-back`
    const { id } = RefundView.parse((await call('hr', 'POST', path, {}, 'k')).body)
    for (const nth of [1, 2])
      await expect(runTakeBack(dyingAt(house.edge(), nth), id)).rejects.toThrow('killed before the commit')
    await Promise.all([runTakeBack(house.edge(), id), runTakeBack(house.edge(), id)])
    const after = RefundView.parse((await call('hr', 'GET', `/hr/refunds/${id}`)).body)
    expect(after).toMatchObject({ state: 'done', cardsBack: 1050, fen: 1_050_000, doneFen: 1_050_000 })
    expect(await statesOf()).toEqual([['refunded', 1050]])
    const [wallet] = await stage.read<{ balance: unknown }>(
      'select balance_fen as balance from wallet where company_id = ?',
      [company.id],
    )
    expect(Number(wallet!.balance)).toBe(100_000_000)
    const states = await stage.read<{ state: string }>('select state from orders')
    expect(states).toEqual([{ state: 'refunded' }])
    await stage.set("update job set state = 'done' where kind = 'refund.take-back'")
  })

  test('where everybody opened theirs meanwhile, nothing goes back', async () => {
    const campaign = await stage.issued(1, { wallet: 50_000 })
    await sent(campaign, 1)
    const path = `/hr/campaigns/${campaign.id}/take-back`
    const { id } = RefundView.parse((await call('hr', 'POST', path, {}, 'k')).body)
    await open(campaign, 0)
    await stage.settle()
    const after = RefundView.parse((await call('hr', 'GET', `/hr/refunds/${id}`)).body)
    expect(after).toMatchObject({ state: 'rejected', cardsBack: 0, fen: 0, parts: [] })
    expect(await statesOf()).toEqual([['active', 1]])
  })

  test('a wallet credit takes the place of WeChat Pay only where the brand agreed', async () => {
    for (const [walletCredit, prefix] of [
      [false, '7301'],
      [true, '7302'],
    ] as const) {
      const campaign = await stage.issued(2, { wechat: [100_000] }, { issuerPrefix: prefix, terms: { walletCredit } })
      const cardIds = (await stage.cardsOf(campaign.orderId)).slice(0, 1)
      const asked = await call(
        'hr',
        'POST',
        `/hr/orders/${campaign.orderId}/refunds`,
        { cardIds, toWallet: true },
        prefix,
      )
      const { parts } = RefundView.parse(asked.body)
      expect(parts.map((part) => part.route)).toEqual([walletCredit ? 'wallet_credit' : 'wechat'])
      await stage.settle()
    }
    const [credited] = await stage.parts().then((parts) => parts.filter((part) => part.route === 'wallet_credit'))
    expect(credited!.state).toBe('done')
    const [payment] = await stage.read<{ state: string; refunded: unknown }>(
      'select state, refunded_fen as refunded from payment where id = ?',
      [credited!.payment],
    )
    // The payment keeps its money, which the brand then owes.
    expect([payment!.state, Number(payment!.refunded)]).toEqual(['paid', 0])
  })

  test('an order that waits for the rest is given up: all that came goes back, nothing of it was made', async () => {
    const campaign = await stage.issued(2, { wallet: 30_000, wechat: [20_000] })
    expect(await statesOf()).toEqual([])
    const asked = await call('finance', 'POST', `/hr/orders/${campaign.orderId}/give-up`, {}, 'k')
    const { id } = RefundView.parse(asked.body) as { id: Id<'refund'> }
    await stage.settle()
    const after = RefundView.parse((await call('hr', 'GET', `/hr/refunds/${id}`)).body)
    expect(after).toMatchObject({ kind: 'order_funds', state: 'done', fen: 50_000, doneFen: 50_000 })
    expect(await stage.read('select state from orders')).toEqual([{ state: 'refunded' }])
    expect(await stage.read('select state from campaign')).toEqual([{ state: 'cancelled' }])
    expect((await call('hr', 'POST', `/hr/orders/${campaign.orderId}/give-up`, {}, 'k2')).body).toMatchObject({
      code: 'state_conflict',
    })
    // Money that still comes is surplus, and goes back too.
    await stage.conserved()
  })

  test('what a payment brought beyond its order goes back over that payment, and no more', async () => {
    const campaign = await stage.issued(1, {})
    const wish = { orderId: campaign.orderId, source: 'bank_transfer', amountFen: 50_000 as never } as const
    const id = await openPayment(stage.hr(), wish, 'bank')
    const [row] = await stage.read<{ reference: string }>('select reference from payment where id = ?', [id])
    await stage.bank(60_000, row!.reference)
    const asked = await call('hr', 'POST', `/hr/payments/${id}/refund-surplus`, {}, 'k')
    expect(RefundView.parse(asked.body)).toMatchObject({ kind: 'surplus', state: 'accepted', fen: 10_000 })
    expect((await call('hr', 'POST', `/hr/payments/${id}/refund-surplus`, {}, 'k2')).body).toMatchObject({
      code: 'state_conflict',
    })
    expect(await stage.balance(`overpaid:${campaign.orderId}`)).toBe(0)
  })
})

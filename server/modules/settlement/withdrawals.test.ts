import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import { handlers } from '../../../jobs/handlers.ts'
import type { Actor } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { testHouse } from '../../testing/house.ts'
import { type PayHouse, type PayWorld, platformMerchant, servePayHouse, startPayWorld } from '../../testing/paying.ts'
import { aSale, issueAll, payByWechat, settleAll, withMerchants } from '../../testing/settling.ts'
import { readBankStatement } from '../../../importers/bank-statement.ts'
import { proveBooks } from '../analytics/prove-books.ts'
import { fundingEndpoints } from '../funding/endpoints.ts'
import { importStatement } from '../funding/import-statement.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { settlementEndpoints } from './endpoints.ts'

const finance: Actor = { kind: 'operator', operatorId: encodeId('operator', 1n), roles: ['finance'] }
let world: PayWorld
beforeAll(async () => {
  world = await withMerchants(await startPayWorld(), [platformMerchant.mchid])
})
afterAll(() => world.sandbox.close())

onBothDatabases('money of our own merchant account comes to the bank', (database) => {
  let house: PayHouse
  let company: TestCompany
  let serials = 0
  let keys = 0
  beforeEach(async () => {
    database.house = testHouse({
      wechatPay: { platform: platformMerchant, feeBp: () => 60, settlementWindowMs: 600_000, sharesPerSecond: 25 },
    })
    const endpoints = [...settlementEndpoints, ...fundingEndpoints({ readStatement: readBankStatement })]
    house = await servePayHouse(database, world, endpoints)
    company = await aCompany(database)
  })
  afterEach(() => house.close())

  /** We collect 1,000 yuan, 5 % ours, for a brand without a merchant of its own: its part reaches it by payout only. */
  async function collected() {
    const wish = { mchid: platformMerchant.mchid, cards: 10, priceFen: 10_000, platformBp: 500, channels: [] }
    const sale = await aSale(database, company.id, [{ ...wish, collector: 'platform', maxRatioBp: 10_000 }])
    const brandId = sale.brands[0]!.brandId
    await payByWechat(house, world, company, { orderId: sale.orderId, brandId, amountFen: 100_000 })
    await issueAll(house, sale.orderId)
    await settleAll(house, world, handlers)
    return brandId
  }
  const balance = (of: Account) => database.tx((tx) => readBalance(tx, 'CNY', of))
  const ask = (method: string, path: string, body?: unknown) =>
    house.call(finance, method, `/operator${path}`, body, `w${(keys += 1)}`)
  /** A bank line of money that came in; its id and what became of it. */
  async function bank(amountFen: number, more: { account?: string; direction?: 'in' | 'out'; memo?: string } = {}) {
    const serial = `WDR${(serials += 1)}`
    const { account: payerAccount = '243300133', direction = 'in', memo = '商户提现' } = more
    const seen = {
      row: 2,
      serial,
      direction,
      arrivedAtMs: Date.now(),
      payerName: '财付通支付科技有限公司',
      payerAccount,
    }
    const entries = [{ ...seen, amountFen: fen(amountFen), memo }]
    const read = { entries, faults: [], refusal: null }
    await importStatement(house.edge(finance), { fileName: 'a.csv', bytes: Buffer.from(serial), read }, 'zh')
    return (await lineOf(serial)).id
  }
  const lineOf = async (serial: string) =>
    (
      await database.tx((tx) =>
        sql<{ id: Id<'statementLine'>; outcome: string; by: string | null }>(
          tx.em,
          'select id, outcome, matched_by as `by` from statement_line where serial = ?',
          [serial],
        ),
      )
    )[0]!
  const outcomeOf = async (id: string) =>
    (
      await database.tx((tx) =>
        sql<{ outcome: string }>(tx.em, 'select outcome from statement_line where id = ?', [id]),
      )
    )[0]!.outcome
  const match = () => handlers['payouts.match']!(house.edge(), {})
  const open = async () =>
    new Map(
      ((await ask('GET', '/payouts')).body['open'] as { payee: string; owedFen: number }[]).map((one) => [
        one.payee,
        one.owedFen,
      ]),
    )

  test('a person says it once, the machine knows it again, and what is ours of it goes on our payout', async () => {
    const brandId = await collected()
    const ours = account.collected(platformMerchant.mchid)
    const [custody, held] = [account.custodyBank('main'), await balance(ours)]
    expect(held).toBeGreaterThan(60_000)
    const owed = (await open()).get(brandId)!
    expect((await open()).get('platform')).toBe(-owed)
    const first = await bank(40_000)
    expect(await outcomeOf(first)).toBe('unmatched')
    expect((await ask('POST', `/statement-lines/${first}/assign`, { to: 'withdrawal' })).body).toMatchObject({
      outcome: 'withdrawn',
      matchedBy: 'person',
    })
    expect([await balance(custody), await balance(ours)]).toEqual([40_000, held - 40_000])
    // The same payer again needs nobody; a memo that names somebody is theirs all the same.
    const second = await bank(held - 40_000)
    expect(await outcomeOf(second)).toBe('withdrawn')
    expect(await outcomeOf(await bank(100, { memo: company.reference }))).toBe('top_up')
    expect([await balance(custody), await balance(ours)]).toEqual([held + 100, 0])
    await match()
    await match()
    // All of the rest is in custody now: the brand's payout leaves there, and what is over is our commission.
    expect((await open()).get('platform')).toBe(held - owed)
    expect((await ask('POST', '/payouts/draft')).body).toEqual({ drafted: held === owed ? 1 : 2 })
  })

  test('nobody withdraws what the books do not have, twice at once neither', async () => {
    await collected()
    const held = await balance(account.collected(platformMerchant.mchid))
    const tooMuch = await bank(held + 1)
    const say = (id: string) => ask('POST', `/statement-lines/${id}/assign`, { to: 'withdrawal' })
    expect((await say(tooMuch)).body).toMatchObject({ code: 'withdrawal_over_collected' })
    const [a, b] = [await bank(held, { account: '12345678901' }), await bank(held, { account: '22345678901' })]
    const answers = await Promise.all([say(a), say(b)])
    expect(answers.map((one) => one.status).toSorted((x, y) => x - y)).toEqual([200, 409])
    expect(await balance(account.collected(platformMerchant.mchid))).toBe(0)
    expect((await say(await bank(5, { direction: 'out' }))).status).toBe(422)
  })

  test('said by mistake, it is undone and lies in the merchant account again', async () => {
    await collected()
    const ours = account.collected(platformMerchant.mchid)
    const held = await balance(ours)
    const line = await bank(1_000)
    await ask('POST', `/statement-lines/${line}/assign`, { to: 'withdrawal' })
    await match()
    expect((await ask('POST', `/statement-lines/${line}/undo`, {})).body).toMatchObject({ outcome: 'unmatched' })
    await match()
    expect([await balance(ours), await balance(account.custodyBank('main'))]).toEqual([held, 1_000])
    expect(await balance(account.unmatched('bank'))).toBe(-1_000)
    const [items] = await database.tx((tx) =>
      sql<{ count: unknown; total: unknown }>(
        tx.em,
        "select count(*) as count, sum(amount_fen) as total from payout_item where kind = 'withdrawal'",
      ),
    )
    expect([Number(items!.count), Number(items!.total)]).toEqual([2, 0])
  })

  test('the proof sees a withdrawal that moved nothing, and one that is on no payout', async () => {
    await collected()
    const line = await bank(1_000)
    await ask('POST', `/statement-lines/${line}/assign`, { to: 'withdrawal' })
    await match()
    await database.tx((tx) => change(tx.em, "update job set state = 'done' where kind = 'payouts.match'"))
    const rulesAfter = async (text: string, back: string) => {
      await database.tx((tx) => change(tx.em, text))
      const found = (await database.tx(proveBooks)).map((finding) => finding.rule)
      await database.tx((tx) => change(tx.em, back))
      return found
    }
    expect(await database.tx(proveBooks)).toEqual([])
    expect(
      await rulesAfter(
        "update entry set kind = 'lost' where kind = 'withdrawn'",
        "update entry set kind = 'withdrawn' where kind = 'lost'",
      ),
    ).toEqual(['money_that_was_withdrawn_left_our_merchant_account'])
    expect(
      await rulesAfter(
        "update payout_item set amount_fen = amount_fen - 1 where kind = 'withdrawal'",
        "update payout_item set amount_fen = amount_fen + 1 where kind = 'withdrawal'",
      ),
    ).toEqual(['what_our_merchant_account_moved_is_on_our_payouts'])
  })

  test('without a merchant of ours there is nothing to withdraw', async () => {
    database.house = testHouse()
    const line = await bank(1_000)
    expect((await ask('POST', `/statement-lines/${line}/assign`, { to: 'withdrawal' })).body).toMatchObject({
      code: 'malformed_request',
    })
  })
})

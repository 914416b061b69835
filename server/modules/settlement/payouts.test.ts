import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen, signedFen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import { handlers } from '../../../jobs/handlers.ts'
import type { Actor } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import * as settling from '../../testing/settling.ts'
import { catalogEndpoints } from '../catalog/endpoints.ts'
import { importStatement } from '../funding/import-statement.ts'
import { openPayment } from '../funding/open-payment.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { settlementEndpoints } from './endpoints.ts'
import { PayoutItem } from './tables.ts'

const operator = (role: string): Actor => ({ kind: 'operator', operatorId: encodeId('operator', 1n), roles: [role] })
const finance = operator('finance')
let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('payouts', (database) => {
  let house: PayHouse
  let company: TestCompany
  let serials = 0
  beforeEach(async () => {
    house = await servePayHouse(database, world, [...settlementEndpoints, ...catalogEndpoints])
    company = await aCompany(database, { walletFen: 10_000_000 })
  })
  afterEach(() => house.close())

  /** An order of one brand, paid from the wallet, issued and planned: 20,000 fen with 5 % ours and 3 % a channel's. */
  async function settled() {
    const channels = [{ code: 'mall', name: '商城', mchid: '1900200001', bp: 300 }]
    const wish = { mchid: '1900000101', cards: 4, priceFen: 5_000, platformBp: 500, channels }
    const { orderId, brands } = await settling.aSale(database, company.id, [wish])
    await openPayment(
      house.edge(company.as('finance')),
      { orderId, source: 'wallet', amountFen: fen(20_000) },
      `pay ${orderId}`,
    )
    await settling.issueAll(house, orderId)
    await settling.settleAll(house, world, handlers)
    return { orderId, brandId: brands[0]!.brandId }
  }
  const ask = async (method: string, path: string, body?: unknown, key?: string, actor = finance) => {
    const answer = await house.call(actor, method, `/operator${path}`, body, key)
    return { ...answer, body: answer.body as Record<string, never> }
  }
  const balance = (of: ReturnType<typeof account.cards>) => database.tx((tx) => readBalance(tx, 'CNY', of))
  const enter = (payee: string, number: string, holder = '收款公司') =>
    ask('PUT', `/payees/${payee}/account`, { holder, number, bank: '招商银行' })
  /** A statement that shows money leaving. */
  async function debits(...lines: readonly { amountFen: number; number: string; memo: string }[]) {
    const entries = lines.map((line, index) => ({
      row: index + 2,
      serial: `OUT${(serials += 1)}`,
      direction: 'out' as const,
      amountFen: fen(line.amountFen),
      arrivedAtMs: Date.now(),
      payerName: '收款公司',
      payerAccount: line.number,
      memo: line.memo,
    }))
    const bytes = Buffer.from(`statement ${serials}`)
    await importStatement(
      house.edge(finance),
      { fileName: 'a.csv', bytes, read: { entries, faults: [], refusal: null } },
      'zh',
    )
    const serial = entries.map((entry) => entry.serial)
    const rows = await database.tx((tx) =>
      sql<{ id: Id<'statementLine'>; serial: string }>(tx.em, 'select id, serial from statement_line'),
    )
    return serial.map((one) => rows.find((row) => row.serial === one)!.id)
  }

  test('wallet money goes to brand, channel and us by a file for the bank, and is paid when a statement shows it', async () => {
    const { brandId } = await settled()
    expect((await ask('POST', '/payouts/draft')).body).toEqual({ drafted: 3 })
    expect((await ask('POST', '/payouts/draft')).body).toEqual({ drafted: 0 })
    await enter(brandId, '6222 0001', '=cmd|calc')
    await enter('platform', '62220003')
    const first = await ask('POST', '/payouts/export', {}, 'export-1')
    expect(first.body).toMatchObject({ payouts: 2, totalFen: 19_400, withoutAccount: [`${brandId}.mall`] })
    expect((await ask('POST', '/payouts/export', {}, 'export-1')).body).toEqual(first.body)
    expect((await ask('POST', '/payouts/export', {}, 'export-2')).body).toMatchObject({ code: 'payee_account_missing' })
    const file = async () => {
      const headers = { 'x-actor': JSON.stringify(finance) }
      return (await fetch(`${house.url}/operator/payout-files/${first.body['fileId']}`, { headers })).text()
    }
    const text = await file()
    expect(await file()).toBe(text)
    const rows = text.trim().split('\r\n').slice(1)
    expect(rows.map((row) => row.split(',').slice(1, 6).join(' ')).toSorted()).toEqual(
      ["'=cmd|calc 6222 0001 招商银行 184.00 CNY", '收款公司 62220003 招商银行 10.00 CNY'].toSorted(),
    )
    const listed = (await ask('GET', '/payouts')).body as unknown as { payouts: { id: string; payee: string }[] }
    const of = (payee: string) => listed.payouts.find((one) => one.payee === payee)!.id
    const [wrong, right] = await debits(
      { amountFen: 18_399, number: '62220001', memo: '货款' },
      { amountFen: 18_400, number: '62220001', memo: '货款' },
      { amountFen: 1_000, number: '999', memo: `服务费 ${of('platform').slice(4).toLowerCase()}` },
    )
    const pay = (id: string, lineId: string) => ask('POST', `/payouts/${id}/paid`, { lineId })
    expect((await pay(of(brandId), wrong!)).body).toMatchObject({ code: 'payout_differs' })
    expect((await pay(of(`${brandId}.mall`), right!)).body).toMatchObject({ code: 'payout_differs' })
    await handlers['payouts.match']!(house.edge(), {})
    expect((await pay(of(brandId), right!)).body).toMatchObject({ code: 'state_conflict' })
    expect(await balance(account.brandPayable(brandId))).toBe(0)
    expect(await balance(account.platformBank())).toBe(1_000)
    expect(await balance(account.custodyBank('main'))).toBe(10_000_000 - 19_400)
    expect(await balance(account.channelPayable(`${brandId}.mall`))).toBe(-600)
    const detail = (await ask('GET', `/payouts/${of(brandId)}`)).body as unknown
    expect(detail).toMatchObject({
      state: 'paid',
      amountFen: 18_400,
      statement: [{ kind: 'settlement', amountFen: 18_400 }],
    })
  })

  test('a payout that the bank refuses is drafted again; one that is given up gives its items to the next', async () => {
    const { brandId } = await settled()
    await ask('POST', '/payouts/draft')
    const drafted = async () =>
      ((await ask('GET', '/payouts')).body as unknown as { payouts: { id: string; payee: string }[] }).payouts
    const brand = (await drafted()).find((one) => one.payee === brandId)!.id
    await enter(brandId, '62220001')
    await ask('POST', '/payouts/export', { ids: [brand] }, 'one')
    expect((await ask('POST', `/payouts/${brand}/cancel`)).body).toMatchObject({ code: 'state_conflict' })
    expect((await ask('POST', `/payouts/${brand}/failed`, { problem: 'account_closed' })).body).toEqual({
      state: 'failed',
    })
    expect((await ask('POST', `/payouts/${brand}/again`)).body).toEqual({ state: 'drafted' })
    expect((await ask('POST', `/payouts/${brand}/cancel`)).body).toEqual({ state: 'cancelled' })
    await settled()
    expect((await ask('POST', '/payouts/draft')).body).toEqual({ drafted: 4 })
    const again = (await drafted()).filter((one) => one.payee === brandId)
    expect(again).toHaveLength(2)
  })

  test('two who draft at once draft no item twice; who owes more than it is owed gets nothing', async () => {
    const { brandId } = await settled()
    const payee = `${brandId}.mall`
    await database.tx((tx) =>
      tx.em.insert(PayoutItem, {
        id: tx.newId('payoutItem'),
        payee,
        orderId: null,
        brandId,
        amountFen: signedFen(-1_000),
        kind: 'refund',
        ref: brandId,
        payoutId: null,
        createdAtMs: 1,
      }),
    )
    const drafts = await Promise.all([ask('POST', '/payouts/draft'), ask('POST', '/payouts/draft')])
    expect(drafts.reduce((sum, one) => sum + Number(one.body['drafted']), 0)).toBe(2)
    const open = (await ask('GET', '/payouts')).body as unknown as { open: unknown[] }
    expect(open.open).toMatchObject([{ payee, owedFen: -400, items: 2 }])
    expect((await ask('GET', '/settlement')).body).toMatchObject({
      held: { orders: 0 },
      waiting: [],
      payouts: [
        { state: 'open', count: 2, fen: -400 },
        { state: 'drafted', count: 2, fen: 19_400 },
      ],
    })
  })

  test('terms over the cap are refused when they are saved, and only finance saves them', async () => {
    const { brandId } = await settled()
    const terms = { platformBp: 1_000, channels: [{ code: 'x', name: '渠道', mchid: '1900200001', bp: 500 }] }
    const set = (body: object, key: string, actor = finance) =>
      ask('POST', `/brands/${brandId}/terms`, body, key, actor)
    expect((await set(terms, 'a')).body).toEqual({ number: 2 })
    expect((await set({ ...terms, platformBp: 2_501 }, 'b')).body).toMatchObject({
      code: 'ratio_over_cap',
      field: 'maxRatioBp',
    })
    expect((await set({ ...terms, collector: 'platform' }, 'c')).body).toMatchObject({ code: 'ratio_over_cap' })
    expect((await set({ ...terms, channels: [{ ...terms.channels[0], bp: 0 }] }, 'd')).status).toBe(422)
    expect((await set(terms, 'e', operator('ops'))).status).toBe(403)
    const list = (await ask('GET', `/brands/${brandId}/terms`)).body as unknown
    expect(list).toMatchObject({ current: { number: 2, platformBp: 1_000 }, earlier: [{ number: 1, platformBp: 500 }] })
  })
})

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { readFundFlowBill, readSharingBill, readTradeBill } from '../../../importers/payment-bill.ts'
import type { Actor } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anOrder, merchants, servePayHouse, startPayWorld, type PayHouse, type PayWorld } from '../../testing/paying.ts'
import { askPayment } from '../funding/ask-payment.ts'
import { openPayment } from '../funding/open-payment.ts'
import { compareBillOf } from './compare-bill.ts'
import { reconciliationEndpoints } from './endpoints.ts'
import { readBills } from './read-bills.ts'
import { yesterdayOf } from './rules.ts'

const readers = { trade: readTradeBill, fundFlow: readFundFlowBill, sharing: readSharingBill }
const DAY_MS = 86_400_000

let world: PayWorld
beforeAll(async () => {
  world = await startPayWorld()
})
afterAll(() => world.sandbox.close())

onBothDatabases('bills against the books', (database) => {
  let house: PayHouse
  let company: TestCompany
  let keys = 0
  beforeEach(async () => {
    house = await servePayHouse(database, world, reconciliationEndpoints)
    company = await aCompany(database)
  })
  afterEach(async () => {
    await world.ctl('faults', {}, 'DELETE')
    await world.ctl('bills', {}, 'DELETE')
    world.shiftMs += 3 * DAY_MS
    await house.close()
  })

  const rows = <T>(text: string) => database.tx((tx) => sql<T>(tx.em, text))
  const now = () => Date.now() + world.shiftMs
  const finance: Actor = { kind: 'operator', operatorId: 'opr_0000000000001' as Id<'operator'>, roles: ['finance'] }

  /** A payment that somebody scanned and paid; its notice never comes. */
  async function paid(asked = true): Promise<Id<'payment'>> {
    const { orderId } = await anOrder(database, company.id, 1)
    const wish = { orderId, source: 'wechat_pay', amountFen: fen(100_000) } as const
    const id = await openPayment(house.edge(company.as('finance')), wish, `bill${(keys += 1)}`)
    const [row] = await rows<{ no: string }>(`select out_trade_no as no from payment where id = '${id}'`)
    await world.ctl('faults', { kind: 'notice_lose' })
    await world.ctl('pay', { mchid: merchants[0].mchid, outTradeNo: row!.no, outcome: 'success' })
    if (asked) expect(await askPayment(house.edge(), id)).toBe('paid')
    return id
  }
  /** Tomorrow at 10:36 in China, when bills are there: the day that is compared is today. */
  function nextMorning(): string {
    const ofDay = (now() + 8 * 3_600_000) % DAY_MS
    world.shiftMs += DAY_MS - ofDay + 10.6 * 3_600_000
    return yesterdayOf(now())
  }
  async function compare(): Promise<void> {
    await readBills(house.edge())
    for (const { id } of await rows<{ id: Id<'bill'> }>('select id from bill'))
      await compareBillOf(house.edge(), id, readers)
  }
  const differences = () =>
    rows<{ kind: string; guess: string; state: string }>('select kind, guess, state from bill_difference order by id')

  test('what agrees leaves nothing to close; a repeat, and two at once, change nothing', async () => {
    await paid()
    await paid()
    const day = nextMorning()
    await Promise.all([compare(), compare()])
    expect(await differences()).toEqual([])
    const bills = await rows<{ kind: string; state: string; line_count: unknown }>(
      `select kind, state, line_count from bill where day = '${day}' and mchid = '${merchants[0].mchid}' order by kind`,
    )
    expect(bills.map((bill) => `${bill.kind} ${bill.state} ${Number(bill.line_count)}`)).toEqual([
      'fund_flow compared 4',
      'sharing none 0',
      'trade compared 2',
    ])
  })

  test('a missing, a changed and an invented row are three rows to close, and close by themselves once the bill is right', async () => {
    const [gone, dearer] = [await paid(), await paid()]
    const day = nextMorning()
    const numbers = new Map(
      (await rows<{ id: string; no: string }>('select id, out_trade_no as no from payment')).map((row) => [
        row.id,
        row.no,
      ]),
    )
    const about = { kind: 'trade', mchid: merchants[0].mchid, day }
    await world.ctl('bills', { ...about, change: 'missing', holding: numbers.get(gone) })
    await world.ctl('bills', { ...about, change: 'amount', holding: numbers.get(dearer) })
    await world.ctl('bills', { ...about, change: 'extra' })
    await compare()
    const seen = (await differences()).map((one) => `${one.kind} ${one.guess}`).sort()
    expect(seen).toHaveLength(3)
    expect(seen).toEqual(expect.arrayContaining(['amount unknown', 'not_in_books foreign']))
    expect(seen.some((one) => one.startsWith('not_in_bill'))).toBe(true)
    await compare()
    expect(await differences()).toHaveLength(3)
    await world.ctl('bills', {}, 'DELETE')
    await compare()
    const open = (await differences()).filter((one) => one.state === 'open')
    // The invented row is in no bill any more, and no book knows it: somebody must say what it was.
    expect(open.map((one) => one.kind)).toEqual(['not_in_books'])
  })

  test('a later comparison takes the place of an earlier one: one open row a subject, with the latest figures', async () => {
    const id = await paid()
    const day = nextMorning()
    const [row] = await rows<{ no: string }>(`select out_trade_no as no from payment where id = '${id}'`)
    const about = { kind: 'trade', mchid: merchants[0].mchid, day, holding: row!.no }
    const openRows = () =>
      rows<{ kind: string; theirs: unknown }>(
        "select kind, theirs_fen as theirs from bill_difference where state = 'open' order by id",
      )
    const changed = async (how: 'missing' | 'amount') => {
      await world.ctl('bills', {}, 'DELETE')
      await world.ctl('bills', { ...about, change: how })
      await compare()
      return openRows()
    }
    expect((await changed('missing')).map((one) => one.kind)).toEqual(['not_in_bill'])
    const [amount, ...others] = await changed('amount')
    expect([amount!.kind, others]).toEqual(['amount', []])
    const notes = await rows<{ note: string | null }>(
      "select trail.note as note from trail join bill_difference on bill_difference.id = trail.object_id where trail.to_state = 'closed'",
    )
    expect(notes.map((one) => one.note)).toEqual([`superseded by the bill of ${day}`])
    // The same again doubles nothing; other figures of the same kind are seen in the row that is there.
    const figures = 'update bill_difference set theirs_fen = 7 where state = ?'
    await database.tx((tx) => change(tx.em, figures, ['open']))
    expect(await changed('amount')).toEqual([amount])
    // What comes back is open again, once; what agrees is closed again.
    expect((await changed('missing')).map((one) => one.kind)).toEqual(['not_in_bill'])
    await world.ctl('bills', {}, 'DELETE')
    await compare()
    expect(await openRows()).toEqual([])
    expect(await differences()).toHaveLength(2)
  })

  test('money that we do not know of is asked about at once, and agrees afterwards', async () => {
    const id = await paid(false)
    nextMorning()
    await compare()
    expect((await differences()).map((one) => one.guess)).toContain('notice_lost')
    expect(await rows(`select id from job where kind = 'payment.ask' and args like '%${id}%'`)).not.toEqual([])
    expect(await askPayment(house.edge(), id)).toBe('paid')
    await compare()
    expect((await differences()).filter((one) => one.state === 'open')).toEqual([])
  })

  test('a bill with an open difference is compared again each day, until the books have learnt of it', async () => {
    const id = await paid(false)
    nextMorning()
    await compare()
    const open = () =>
      rows<{ id: Id<'bill'> }>(
        "select distinct bill_id as id from bill_difference where state = 'open' order by bill_id",
      )
    const again = async () => {
      const jobs = await rows<{ args: string }>(
        "select args from job where kind = 'bill.compare' and job_key like '%:after:%' order by id",
      )
      return jobs.map(({ args }) => JSON.parse(args) as { billId: Id<'bill'> })
    }
    const bills = await open()
    expect(bills).not.toEqual([])
    expect(await askPayment(house.edge(), id)).toBe('paid')
    // Nobody looked for weeks: WeChat Pay has the bill for three months.
    world.shiftMs += 80 * DAY_MS
    for (let times = 0; times < 2; times += 1) await readBills(house.edge())
    const planned = await again()
    expect(planned.map(({ billId }) => billId).sort()).toEqual(bills.map((bill) => bill.id))
    for (const { billId } of planned) await compareBillOf(house.edge(), billId, readers)
    expect(await open()).toEqual([])
    world.shiftMs += DAY_MS
    await readBills(house.edge())
    expect(await again()).toEqual(planned)
  })

  test('a bill that cannot be read is compared in nothing, and one that is late is asked for again', async () => {
    await paid()
    const day = nextMorning()
    await world.ctl('bills', { kind: 'fund_flow', mchid: merchants[0].mchid, day, change: 'late', hours: 4 })
    await readBills(house.edge())
    const [trade] = await rows<{ id: Id<'bill'> }>(
      `select id from bill where kind = 'trade' and day = '${day}' and mchid = '${merchants[0].mchid}'`,
    )
    const moved = (text: string) => readTradeBill(text.replace('商户订单号', '订单号'))
    await compareBillOf(house.edge(), trade!.id, { ...readers, trade: moved })
    const [bill] = await rows<{ state: string; problem: string }>(
      `select state, problem from bill where id = '${trade!.id}'`,
    )
    expect([bill!.state, bill!.problem]).toEqual(['unreadable', 'row 2 商户订单号: no such column'])
    const [late] = await rows<{ id: Id<'bill'> }>(
      `select id from bill where kind = 'fund_flow' and day = '${day}' and mchid = '${merchants[0].mchid}'`,
    )
    await compareBillOf(house.edge(), late!.id, readers)
    expect(
      await rows(`select id from job where kind = 'bill.compare' and job_key like 'bill.compare:${late!.id}:%'`),
    ).toHaveLength(1)
    expect(await differences()).toEqual([])
  })

  test('finance takes a difference, closes it once with what was found, and everybody sees who', async () => {
    await paid()
    const day = nextMorning()
    await world.ctl('bills', { kind: 'trade', mchid: merchants[0].mchid, day, change: 'extra' })
    await compare()
    const list = async (state: string) =>
      (await house.call(finance, 'GET', `/operator/differences?state=${state}`)).body as {
        open: number
        differences: { id: string; note: string | null; kind: string }[]
      }
    const before = await list('open')
    expect([before.open, before.differences[0]?.kind]).toEqual([1, 'not_in_books'])
    const { id } = before.differences[0]!
    expect((await house.call(finance, 'POST', `/operator/differences/${id}/take`)).status).toBe(200)
    const short = await house.call(finance, 'POST', `/operator/differences/${id}/close`, { note: ' ' })
    expect([short.status, short.body['code']]).toEqual([422, 'malformed_request'])
    const close = () => house.call(finance, 'POST', `/operator/differences/${id}/close`, { note: '另一系统的收款' })
    const both = await Promise.all([close(), close()])
    expect(both.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 409])
    expect((await list('closed')).differences).toMatchObject([{ id, note: '另一系统的收款' }])
    expect((await list('open')).open).toBe(0)
  })
})

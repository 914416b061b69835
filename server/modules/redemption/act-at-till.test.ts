import { beforeEach, expect, test } from 'vitest'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { RedemptionView } from '../../../contract/till.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { act, actOf, allCards, aTill } from '../../testing/tills.ts'
import { bindCard } from '../card/pass-on-card.ts'
import { freezeLost, reissueCard, unfreezeLost } from '../card/report-lost.ts'
import { Card } from '../card/tables.ts'
import { account } from '../ledger/accounts.ts'
import { readBalance } from '../ledger/prove.ts'
import { endOverdue } from './end-overdue.ts'
import { makePayCode, type PayCodeOf } from './pay-code.ts'
import type { Till, TillAct, TillOutcome } from './till-acts.ts'

onBothDatabases('acts of tills', (database) => {
  let nowMs: number
  let till: Till
  let brandId: Id<'brand'>
  let people: readonly Id<'person'>[]
  let cards: readonly Id<'card'>[]
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 23, 4)
    const company = await aCompany(database)
    people = await somePeople(database, company.id, [{ name: '张三' }, { name: '李四' }])
    const campaign = await anIssuedCampaign(database, company, people)
    brandId = campaign.brandId
    cards = await allCards(database)
    till = await aTill(database, brandId)
  })

  const now = () => nowMs
  const code = (of: Id<'card'> | PayCodeOf): string => {
    const whose: PayCodeOf = typeof of === 'string' ? { kind: 'card', cardId: of } : of
    return makePayCode({ ...database.edge({} as never, undefined, now) }, whose).code
  }
  const one = async (what: TillAct['act'], key?: string, at: Till = till): Promise<TillOutcome> =>
    (await act(database, [actOf(at, what, key)], now))[0]!
  const done = async (what: TillAct['act'], key?: string): Promise<RedemptionView> => {
    const outcome = await one(what, key)
    return outcome.ok ? outcome.view : expect.fail(JSON.stringify(outcome))
  }
  const pay = (
    codes: readonly string[],
    billFen: number,
    more: { capture?: boolean; partial?: boolean; holdMs?: number } = {},
  ) => ({
    kind: 'authorise' as const,
    on: { codes },
    billFen: fen(billFen),
    capture: true,
    partial: false,
    ref: null,
    ...more,
  })
  const card = (id = cards[0]!) =>
    database.tx(async (tx) => {
      const [row] = await sql<{ state: string; balance: unknown; held: unknown; times: unknown }>(
        tx.em,
        'select state, balance_fen as balance, held_fen as held, spent_day_times as times from card where id = ?',
        [id],
      )
      return { state: row!.state, balance: Number(row!.balance), held: Number(row!.held) }
    })
  const set = (text: string, values: readonly unknown[]) => database.tx((tx) => change(tx.em, text, values))

  test('a card is spent in parts until it is used up; the shop has what the card lost', async () => {
    const first = await done(pay([code(cards[0]!)], 12_345))
    expect(first).toMatchObject({ state: 'captured', billFen: 12_345, capturedFen: 12_345, cashFen: 0 })
    expect(first.cards).toMatchObject([{ capturedFen: 12_345, balanceFen: 37_655 }])
    await done(pay([code(cards[0]!)], 37_655))
    expect(await card()).toEqual({ state: 'exhausted', balance: 0, held: 0 })
    expect(await one(pay([code(cards[0]!)], 1))).toEqual({ ok: false, code: 'card_ended' })
    const shop = await database.tx((tx) => readBalance(tx, 'VALUE', account.redeemed(till.shopId)))
    expect(shop).toBe(50_000)
  })

  test('value that is set aside is taken in parts, the rest goes back; a refund gives each card what it paid', async () => {
    const [a, b] = [cards[0]!, cards[1]!]
    await done(pay([code(b)], 20_000))
    const held = await done(pay([code(a), code(b)], 70_000, { capture: false }))
    // The smaller balance pays first.
    expect(held.cards).toMatchObject([{ heldFen: 30_000 }, { heldFen: 40_000 }])
    expect(await card(a)).toEqual({ state: 'active', balance: 50_000, held: 40_000 })
    const part = await done({ kind: 'capture', redemptionId: held.id, amountFen: fen(35_000), final: false })
    expect(part).toMatchObject({ state: 'held', capturedFen: 35_000 })
    const over = await one({ kind: 'capture', redemptionId: held.id, amountFen: fen(35_001), final: false })
    expect(over).toEqual({ ok: false, code: 'amount_over_authorised', field: 'amountFen', availableFen: 35_000 })
    const last = await done({ kind: 'capture', redemptionId: held.id, amountFen: fen(5_000), final: true })
    expect(last).toMatchObject({ state: 'captured', capturedFen: 40_000, authorisedFen: 70_000 })
    expect([await card(a), await card(b)]).toMatchObject([
      { balance: 40_000, held: 0 },
      { state: 'exhausted', balance: 0, held: 0 },
    ])
    const back = await done({ kind: 'refund', redemptionId: held.id, amountFen: fen(15_000) })
    expect(back).toMatchObject({ state: 'part_refunded', refundedFen: 15_000 })
    // What was taken last comes back first, and no card gets more than it paid.
    expect([await card(a), await card(b)]).toMatchObject([{ balance: 50_000 }, { state: 'active', balance: 5_000 }])
    expect(await one({ kind: 'refund', redemptionId: held.id, amountFen: fen(25_001) })).toEqual({
      ok: false,
      code: 'refund_over_capture',
      field: 'amountFen',
      availableFen: 25_000,
    })
    expect(await done({ kind: 'refund', redemptionId: held.id, amountFen: fen(25_000) })).toMatchObject({
      state: 'refunded',
    })
  })

  test('a holder’s code pays from all cards of the brand, soonest to expire first, and the rest is cash', async () => {
    await set('update card set holder_id = ? where id = ?', [people[0], cards[1]])
    await set(
      "insert into activity (card_id, seq, kind, amount_fen, balance_fen, ref, at_ms) values (?, 2, 'bind', 0, 50000, ?, 1)",
      [cards[1], people[0]],
    )
    await set('update card set activities = 2, expires_at_ms = ? where id = ?', [nowMs + 1000, cards[1]])
    const whole: PayCodeOf = { kind: 'holder', holderId: people[0]! }
    expect(await one(pay([code(whole)], 100_001))).toMatchObject({ code: 'card_value_short', availableFen: 100_000 })
    const view = await done(pay([code(whole)], 60_000))
    expect(view.cards.map(({ capturedFen }) => capturedFen)).toEqual([50_000, 10_000])
    expect(await card(cards[1])).toMatchObject({ state: 'exhausted' })
    const mixed = await done(pay([code(whole)], 100_000, { partial: true }))
    expect(mixed).toMatchObject({ authorisedFen: 40_000, capturedFen: 40_000, cashFen: 60_000 })
  })

  test('a code pays once, for sixty seconds, as it was made; a purchase that was scanned is paid later', async () => {
    const shown = code(cards[0]!)
    const scanned = await done({ kind: 'scan', codes: [shown] })
    expect(scanned).toMatchObject({ state: 'opened', availableFen: 50_000, billFen: 0, cashFen: 0 })
    expect(await one(pay([shown], 100))).toMatchObject({ code: 'pay_code_used' })
    const on = { redemptionId: scanned.id }
    nowMs += 120_000
    expect(await done({ ...pay([], 700), on })).toMatchObject({ id: scanned.id, state: 'captured', capturedFen: 700 })
    expect(await one({ ...pay([], 700), on })).toMatchObject({ code: 'state_conflict' })
    const late = code(cards[0]!)
    nowMs += 59_999
    expect((await act(database, [actOf(till, { kind: 'scan', codes: [late] })], now))[0]).toMatchObject({ ok: true })
    const later = code(cards[0]!)
    nowMs += 60_000
    expect(await one(pay([later], 100))).toMatchObject({ code: 'pay_code_invalid' })
    const good = code(cards[0]!)
    for (const bad of [
      good.slice(0, -1) + String((Number(good.at(-1)) + 1) % 10),
      good.slice(0, 22) + '9' + good.slice(23),
    ])
      expect(await one(pay([bad], 100))).toMatchObject({ code: 'pay_code_invalid' })
    expect(await one(pay([good], 100))).toMatchObject({ ok: true })
  })

  test('a key is answered once and for all; with another amount it names the field', async () => {
    const what = pay([code(cards[0]!)], 500)
    const first = await done(what, 'k1')
    nowMs += 3_600_000
    expect(await done(what, 'k1')).toEqual(first)
    expect(await one({ ...what, billFen: fen(501) }, 'k1')).toEqual({
      ok: false,
      code: 'idempotency_conflict',
      field: 'billFen',
    })
    const shared = pay([code(cards[0]!)], 600)
    const twice = await act(
      database,
      [actOf(till, shared, 'k2'), actOf(till, shared, 'k2'), actOf(till, { ...shared, billFen: fen(1) }, 'k2')],
      now,
    )
    expect(twice[1]).toEqual(twice[0])
    expect(twice[2]).toMatchObject({ code: 'idempotency_conflict', field: 'billFen' })
    // The same key of another till is another act.
    expect(await one(pay([code(cards[0]!)], 1), 'k1', await aTill(database, brandId))).toMatchObject({ ok: true })
    expect(await card()).toMatchObject({ balance: 50_000 - 500 - 600 - 1 })
    // A refusal stays what it was, whatever came since.
    const short = pay([code(cards[0]!)], 60_000)
    expect(await one(short, 'k3')).toMatchObject({ code: 'card_value_short', availableFen: 48_899 })
    expect(await one(short, 'k3')).toMatchObject({ code: 'card_value_short', availableFen: 48_899 })
  })

  test('what may not be is refused: amounts, states of cards, other issuers, other shops, ended purchases', async () => {
    const refused = async (what: TillAct['act'], at?: Till) => {
      const outcome = await one(what, undefined, at)
      return outcome.ok ? 'ok' : outcome.code
    }
    expect(await refused(pay([code(cards[0]!)], 0))).toBe('amount_not_valid')
    expect(await refused(pay([code(cards[0]!)], 50_001))).toBe('card_value_short')
    const set1 = (text: string, value: unknown) => set(`update card set ${text} where id = ?`, [value, cards[1]])
    await set1('state = ?', 'frozen')
    expect(await refused(pay([code(cards[1]!)], 1))).toBe('card_frozen')
    await set1('state = ?', 'active')
    await set1('locked_until_ms = ?', nowMs + 1)
    expect(await refused(pay([code(cards[1]!)], 1))).toBe('card_locked')
    nowMs += 1
    expect(await refused(pay([code(cards[1]!)], 1))).toBe('ok')
    await set1('expires_at_ms = ?', nowMs + 1)
    expect(await refused(pay([code(cards[1]!)], 1))).toBe('ok')
    nowMs += 1
    expect(await refused(pay([code(cards[1]!)], 1))).toBe('card_expired')
    const company = await aCompany(database)
    const other = await anIssuedCampaign(
      database,
      company,
      await somePeople(database, company.id, [{ name: '王五' }]),
      { issuerPrefix: '6231' },
    )
    const elsewhere = await aTill(database, other.brandId)
    expect(await refused(pay([code(cards[0]!)], 1), elsewhere)).toBe('card_foreign')
    const held = await done(pay([code(cards[0]!)], 100, { capture: false, holdMs: 1_000 }))
    const capture = { kind: 'capture' as const, redemptionId: held.id, amountFen: fen(1), final: true }
    expect(await refused(capture, elsewhere)).toBe('not_found')
    expect(await refused({ kind: 'refund', redemptionId: held.id, amountFen: fen(1) })).toBe('state_conflict')
    expect(await refused({ ...capture, amountFen: fen(0) })).toBe('amount_not_valid')
    nowMs += 1_000
    expect(await refused(capture)).toBe('state_conflict')
    expect(await done({ kind: 'void', redemptionId: held.id })).toMatchObject({ state: 'voided' })
    expect(await refused({ kind: 'void', redemptionId: held.id })).toBe('state_conflict')
    expect(await card()).toMatchObject({ balance: 50_000, held: 0 })
  })

  test('what a till never came back for is free again from its end on; what it took stays taken', async () => {
    const held = await done(pay([code(cards[0]!)], 100, { capture: false, holdMs: 1_000 }))
    const partly = await done(pay([code(cards[1]!)], 100, { capture: false, holdMs: 1_000 }))
    await done({ kind: 'capture', redemptionId: partly.id, amountFen: fen(30), final: false })
    await done({ kind: 'scan', codes: [code(cards[0]!)] })
    const end = () => database.edge({} as Ports, undefined, now).tx(endOverdue)
    nowMs += 999
    expect(await end()).toBe(0)
    nowMs += 1
    expect(await end()).toBe(2)
    expect([await card(cards[0]), await card(cards[1])]).toMatchObject([
      { balance: 50_000, held: 0 },
      { balance: 49_970, held: 0 },
    ])
    nowMs += limits.usualHoldMs
    expect([await end(), await end()]).toEqual([1, 0])
    const states = await database.tx((tx) => sql<{ state: string }>(tx.em, 'select state from redemption order by id'))
    expect(states.map(({ state }) => state)).toEqual(['timed_out', 'captured', 'timed_out'])
    expect(await one({ kind: 'capture', redemptionId: held.id, amountFen: fen(1), final: true })).toMatchObject({
      code: 'state_conflict',
    })
  })

  test('an issuer’s limit of a day holds for each card, and ends with the day of China', async () => {
    await set('update brand set card_day_fen = 30000, card_day_times = 3 where id = ?', [brandId])
    expect(await one(pay([code(cards[0]!)], 30_001))).toMatchObject({ code: 'card_day_limit', availableFen: 30_000 })
    const held = await done(pay([code(cards[0]!)], 30_000, { capture: false }))
    expect(await one(pay([code(cards[0]!)], 1))).toMatchObject({ code: 'card_day_limit', availableFen: 0 })
    // What came to nothing counts neither by its amount nor as one of three.
    await done({ kind: 'void', redemptionId: held.id })
    const clerk = await aTill(database, brandId, { shift: true })
    const slip = await one(pay([code(cards[0]!)], 10_000), undefined, clerk)
    if (!slip.ok) return expect.fail(slip.code)
    expect(await one({ kind: 'undo', redemptionId: slip.view.id }, undefined, clerk)).toMatchObject({ ok: true })
    for (let times = 0; times < 3; times += 1) await done(pay([code(cards[0]!)], 5_000))
    expect(await one(pay([code(cards[0]!)], 1))).toMatchObject({ code: 'card_day_limit' })
    nowMs = Date.UTC(2026, 10, 23, 16) - 1
    expect(await one(pay([code(cards[0]!)], 1))).toMatchObject({ code: 'card_day_limit' })
    nowMs += 1
    expect(await one(pay([code(cards[0]!)], 30_000))).toMatchObject({ ok: true })
  })

  test('what was set aside yesterday gives nothing back to the limit of today', async () => {
    await set('update brand set card_day_fen = 10000, card_day_times = 1 where id = ?', [brandId])
    nowMs = Date.UTC(2026, 10, 23, 16) - 1
    const yesterday = await done(pay([code(cards[0]!)], 10_000, { capture: false, holdMs: 3_600_000 }))
    const parted = await done(pay([code(cards[1]!)], 10_000, { capture: false, holdMs: 3_600_000 }))
    nowMs += 1
    for (const id of [cards[0]!, cards[1]!]) await done(pay([code(id)], 10_000))
    await done({ kind: 'void', redemptionId: yesterday.id })
    await done({ kind: 'capture', redemptionId: parted.id, amountFen: fen(1), final: true })
    for (const id of [cards[0]!, cards[1]!])
      expect(await one(pay([code(id)], 1))).toMatchObject({ code: 'card_day_limit', availableFen: 0 })
  })

  test('a code, and what was scanned of it, end with the hand that showed it', async () => {
    const [given, lost] = [cards[0]!, cards[1]!]
    const [shownGiven, shownLost] = [code(given), code(lost)]
    const scanned = await done({ kind: 'scan', codes: [code(given), code(lost)] })
    const whole: PayCodeOf = { kind: 'holder', holderId: people[0]! }
    nowMs += 1_000
    const edge = database.edge({} as Ports, undefined, now)
    await edge.tx(async (tx) => {
      const row = await tx.em.findOneOrFail(Card, { id: given })
      expect(await bindCard(tx, row, people[1]!)).toBe(true)
      const holder = { companyId: row.companyId!, holderId: people[1]! }
      await freezeLost(tx, holder, lost)
      await reissueCard(tx, holder, lost, () => '6230000000000000000')
    })
    for (const shown of [shownGiven, shownLost])
      expect(await one(pay([shown], 1))).toMatchObject({ ok: false, code: 'pay_code_invalid' })
    expect(await one(pay([code(whole)], 1))).toMatchObject({ ok: false, code: 'card_value_short' })
    const late = { ...pay([], 1), on: { redemptionId: scanned.id } }
    expect(await one(late)).toMatchObject({ ok: false, code: 'card_value_short', availableFen: 0 })
    expect([await card(given), await card(lost)]).toMatchObject([{ balance: 50_000 }, { balance: 50_000 }])
    nowMs += 1
    expect(await done(pay([code(given), code(lost)], 100_000))).toMatchObject({ capturedFen: 100_000 })
  })

  test('a clerk gives back what a clerk scanned, a terminal what it set aside', async () => {
    const clerk = await aTill(database, brandId, { shift: true })
    const terminal = { ...clerk, tillId: till.tillId, shiftId: null }
    const [hold] = await act(database, [actOf(terminal, pay([code(cards[0]!)], 100, { capture: false }))], now)
    if (hold?.ok !== true) return expect.fail('not set aside')
    const back = { kind: 'void' as const, redemptionId: hold.view.id }
    expect(await one(back, undefined, clerk)).toMatchObject({ ok: false, code: 'state_conflict' })
    expect(await one(back, undefined, terminal)).toMatchObject({ ok: true })
    const [note] = await database.tx((tx) =>
      sql<{ note: string }>(tx.em, "select note from trail where act = 'redemption.voided'"),
    )
    expect(note?.note).toBe(terminal.tillId)
  })

  test('a card that is emptied while it is lost is used up when it is found', async () => {
    const held = await done(pay([code(cards[0]!)], 50_000, { capture: false }))
    const [row] = await database.tx((tx) => tx.em.find(Card, { id: cards[0]! }))
    const holder = { companyId: row!.companyId!, holderId: people[0]! }
    await database.tx((tx) => freezeLost(tx, holder, cards[0]!))
    await done({ kind: 'capture', redemptionId: held.id, amountFen: fen(50_000), final: true })
    expect(await card()).toEqual({ state: 'frozen', balance: 0, held: 0 })
    await database.tx((tx) => unfreezeLost(tx, holder, cards[0]!))
    expect(await card()).toEqual({ state: 'exhausted', balance: 0, held: 0 })
  })

  test('of a hundred tills that scan one card at once, as many are paid as there is money; each is told', async () => {
    const shown = Array.from({ length: 100 }, () => code(cards[0]!))
    const outcomes = await Promise.all(
      shown.map(
        async (one, index) =>
          (
            await act(database, [actOf(till, pay([one], 700), `till-${index}`)], now).catch(() =>
              act(database, [actOf(till, pay([one], 700), `till-${index}`)], now),
            )
          )[0]!,
      ),
    )
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(71)
    expect(outcomes.filter((one) => !one.ok && one.code === 'card_value_short')).toHaveLength(29)
    expect(await card()).toEqual({ state: 'active', balance: 50_000 - 71 * 700, held: 0 })
  })
})

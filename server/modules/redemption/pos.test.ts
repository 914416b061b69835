import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import type { RedemptionView } from '../../../contract/till.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aShop, type TestShop } from '../../testing/merchants.ts'
import { askPos, codeOfAnswer, type PosKey, type PosOdd } from '../../testing/pos.ts'
import { allCards } from '../../testing/tills.ts'
import { startWeb, type Web } from '../../testing/web.ts'
import { createBrand } from '../catalog/create-template.ts'
import { createTerminal } from '../merchant/create-terminal.ts'
import { readNewKey } from '../merchant/read-terminals.ts'
import { makePayCode } from './pay-code.ts'
import { posEndpoints } from './pos-endpoints.ts'
import { readDayFile } from './read-day-file.ts'

const NOON = Date.UTC(2026, 10, 23, 4)
const FACE = 50_000

onBothDatabases('the POS API', (database) => {
  let nowMs: number
  let web: Web
  let brandId: Id<'brand'>
  let cards: readonly Id<'card'>[]
  let shop: TestShop
  let key: PosKey
  const now = () => nowMs
  beforeEach(async () => {
    nowMs = NOON
    web = await startWeb(database, { endpoints: posEndpoints, ports: { wecom: undefined as never }, now })
    const company = await aCompany(database)
    const people = await somePeople(database, company.id, [{ name: '张三' }, { name: '李四' }, { name: '王五' }])
    brandId = (await anIssuedCampaign(database, company, people)).brandId
    cards = await allCards(database)
    shop = await aShop(database, brandId)
    key = await aTerminal(shop.shopId)
  })
  afterEach(() => web.close())

  const aTerminal = (shopId: Id<'shop'>): Promise<PosKey> =>
    database.tx(async (tx) => {
      const terminalId = await createTerminal(tx, { shopId, name: '一号机' })
      const secret = await readNewKey(tx, terminalId, { version: 1, atMs: tx.clock.now() })
      return { base: web.base, terminalId, secret: secret ?? '', now }
    })
  const code = (index: number): string =>
    makePayCode(database.edge({} as never, undefined, now), { kind: 'card', cardId: cards[index]! }).code
  const at = '/pos/v1/authorisations'
  const ask = (path: string, body: unknown, odd?: PosOdd, as = key) => askPos(as, 'POST', path, body, odd)
  const done = async (path: string, body: unknown, odd?: PosOdd): Promise<RedemptionView> => {
    const answer = await ask(path, body, odd)
    const told = (await answer.json()) as RedemptionView
    if (answer.status !== 200) throw new Error(JSON.stringify(told))
    return told
  }
  const problem = async (
    path: string,
    body: unknown,
    odd?: PosOdd,
    as = key,
  ): Promise<[string, string | undefined]> => {
    const told = (await (await ask(path, body, odd, as)).json()) as { code: string; field?: string }
    return [told.code, told.field]
  }
  const read = async <T>(path: string, as = key): Promise<T> => (await askPos(as, 'GET', path)).json() as Promise<T>
  const set = (text: string, values: readonly unknown[]) => database.tx((tx) => change(tx.em, text, values))
  const held = (billFen = 30_000, more: object = {}) => done(at, { codes: [code(0)], billFen, ref: 'A-1', ...more })

  test('value is set aside, taken in parts, given back; each answer says what the purchase is now', async () => {
    const opened = await held()
    expect(opened).toMatchObject({ state: 'held', ref: 'A-1', billFen: 30_000, authorisedFen: 30_000, cashFen: 0 })
    expect(opened.cards).toMatchObject([{ heldFen: 30_000, balanceFen: FACE }])
    const part = await done(`${at}/${opened.id}/captures`, { amountFen: 10_000 })
    expect(part).toMatchObject({ state: 'held', capturedFen: 10_000 })
    const last = await done(`${at}/${opened.id}/captures`, { amountFen: 5_000, final: true })
    expect(last).toMatchObject({ state: 'captured', capturedFen: 15_000, cards: [{ heldFen: 0, balanceFen: 35_000 }] })
    const back = await done(`${at}/${opened.id}/refunds`, { amountFen: 4_000 })
    expect(back).toMatchObject({ state: 'part_refunded', refundedFen: 4_000, cards: [{ balanceFen: 39_000 }] })
    expect(await read(`${at}/${opened.id}`)).toEqual(back)
    expect(await read(`${at}?ref=A-1`)).toEqual({ authorisations: [back] })
    expect(await read(`${at}?ref=A-2`)).toEqual({ authorisations: [] })
    const other = await done(at, { codes: [code(1)], billFen: 100 })
    expect(await done(`${at}/${other.id}/voids`, {})).toMatchObject({ state: 'voided', cards: [{ heldFen: 0 }] })
  })

  test('each answer tells when value last moved, and none did while it is only set aside', async () => {
    const opened = await held()
    expect(opened.movedAtMs).toBeNull()
    nowMs += 1000
    const part = await done(`${at}/${opened.id}/captures`, { amountFen: 10_000 })
    expect(part.movedAtMs).toBe(nowMs)
    nowMs += 1000
    expect(await done(`${at}/${opened.id}/voids`, {})).toMatchObject({ state: 'captured', movedAtMs: nowMs - 1000 })
    nowMs += 1000
    const back = await done(`${at}/${opened.id}/refunds`, { amountFen: 1 })
    expect(back.movedAtMs).toBe(nowMs)
    expect(await read(`${at}/${opened.id}`)).toEqual(back)
    const text = 'select at_ms as at from redemption_movement order by id'
    const moved = await database.tx((tx) => sql<{ at: unknown }>(tx.em, text))
    expect(moved.map((one) => Number(one.at))).toEqual([part.movedAtMs, back.movedAtMs])
    expect(await held(100, { capture: true })).toMatchObject({ movedAtMs: nowMs })
  })

  test('a bill is taken at once, from several cards, and in part where the cards do not reach', async () => {
    expect(await held(20_000, { capture: true })).toMatchObject({ state: 'captured', capturedFen: 20_000 })
    const codes = [code(0), code(1)]
    expect(await problem(at, { codes, billFen: 90_000, capture: true })).toEqual(['card_value_short', 'billFen'])
    const view = await done(at, { codes, billFen: 90_000, capture: true, partial: true })
    expect(view).toMatchObject({ state: 'captured', authorisedFen: 80_000, capturedFen: 80_000, cashFen: 10_000 })
    expect(view.cards.map((card) => card.capturedFen)).toEqual([30_000, 50_000])
  })

  test('what a code could pay is told without using it up', async () => {
    const shown = code(0)
    for (let again = 0; again < 2; again += 1)
      expect(await (await ask('/pos/v1/balances', { code: shown })).json()).toEqual({
        availableFen: FACE,
        cards: [{ numberTail: expect.stringMatching(/^\d{4}$/) as string, balanceFen: FACE }],
      })
    await done(at, { codes: [shown], billFen: 20_000 })
    expect(await problem('/pos/v1/balances', { code: shown })).toEqual(['pay_code_used', 'code'])
    expect(await (await ask('/pos/v1/balances', { code: code(0) })).json()).toMatchObject({ availableFen: 30_000 })
    expect(await problem('/pos/v1/balances', { code: '1'.repeat(52) })).toEqual(['pay_code_invalid', 'code'])
  })

  test('the same key means the same act, for life; another amount under it is told by its name', async () => {
    const odd = { headers: { 'idempotency-key': 'k-1' } }
    const wish = { codes: [code(0)], billFen: 1_000, capture: true }
    const first = await done(at, wish, odd)
    nowMs += 40 * 86_400_000
    expect(await done(at, wish, odd)).toEqual(first)
    expect(await problem(at, { ...wish, billFen: 1_001 }, odd)).toEqual(['idempotency_conflict', 'billFen'])
    expect(await problem(at, { ...wish, codes: [code(1)] }, odd)).toEqual(['idempotency_conflict', 'codes'])
    const refund = { headers: { 'idempotency-key': 'k-2' } }
    await done(`${at}/${first.id}/refunds`, { amountFen: 400 }, refund)
    const again = await done(`${at}/${first.id}/refunds`, { amountFen: 400 }, refund)
    expect(again.refundedFen).toBe(400)
    expect(await problem(`${at}/${first.id}/refunds`, { amountFen: 300 }, refund)).toEqual([
      'idempotency_conflict',
      'amountFen',
    ])
    // Another till's key is another key.
    const answer = await ask(at, { ...wish, codes: [code(1)] }, odd, await aTerminal(shop.shopId))
    expect(answer.status).toBe(200)
    expect(await problem(at, wish, { headers: { 'idempotency-key': undefined } })).toEqual([
      'idempotency_key_missing',
      undefined,
    ])
  })

  test('amounts that are none, and bodies that are none, are refused with the field', async () => {
    for (const billFen of [0, -1, 0.5, 1e16, '100', null, undefined])
      expect([billFen, await problem(at, { codes: [code(0)], billFen })]).toEqual([
        billFen,
        ['malformed_request', 'billFen'],
      ])
    const { id } = await held()
    for (const amountFen of [0, -1, 0.5, '1']) {
      expect(await problem(`${at}/${id}/captures`, { amountFen })).toEqual(['malformed_request', 'amountFen'])
      expect(await problem(`${at}/${id}/refunds`, { amountFen })).toEqual(['malformed_request', 'amountFen'])
    }
    for (const codes of [[], ['28'], code(0), Array.from({ length: 21 }, () => code(0))])
      expect((await problem(at, { codes, billFen: 1 }))[0]).toBe('malformed_request')
    expect(await problem(at, { codes: [code(0)], billFen: 1, captur: true })).toEqual(['malformed_request', 'captur'])
    expect(await problem(at, { codes: [code(0)], billFen: 1, ref: 'mit Leerzeichen' })).toEqual([
      'malformed_request',
      'ref',
    ])
    expect((await problem(at, '{"codes":'))[0]).toBe('malformed_request')
    expect((await problem(at, `{"x":"${'x'.repeat(17_000)}"}`))[0]).toBe('payload_too_large')
    expect((await problem(at, '{}', { headers: { 'content-type': 'text/plain' } }))[0]).toBe('unsupported_media_type')
  })

  test('more than is there, or was taken, is refused and changes nothing', async () => {
    expect(await problem(at, { codes: [code(0)], billFen: FACE + 1 })).toEqual(['card_value_short', 'billFen'])
    const { id } = await held()
    expect(await problem(`${at}/${id}/captures`, { amountFen: 30_001 })).toEqual([
      'amount_over_authorised',
      'amountFen',
    ])
    expect((await problem(`${at}/${id}/refunds`, { amountFen: 1 }))[0]).toBe('state_conflict')
    await done(`${at}/${id}/captures`, { amountFen: 20_000, final: true })
    expect(await problem(`${at}/${id}/refunds`, { amountFen: 20_001 })).toEqual(['refund_over_capture', 'amountFen'])
    expect((await problem(`${at}/${id}/voids`, {}))[0]).toBe('state_conflict')
    expect(await read(`${at}/${id}`)).toMatchObject({ state: 'captured', capturedFen: 20_000, refundedFen: 0 })
  })

  test('a card that may not pay here says why, and its code stays unused', async () => {
    const pay = (index = 0) => problem(at, { codes: [code(index)], billFen: 100 })
    const other = await database.tx((tx) => createBrand(tx, { name: '别家', issuerPrefix: '6239' }))
    const foreign = await aTerminal((await aShop(database, other, { merchant: '别家商户' })).shopId)
    expect((await problem(at, { codes: [code(0)], billFen: 100 }, {}, foreign))[0]).toBe('card_foreign')
    await set("update card set state = 'frozen' where id = ?", [cards[0]])
    expect((await pay())[0]).toBe('card_frozen')
    await set("update card set state = 'active', locked_until_ms = ? where id = ?", [nowMs + 1, cards[0]])
    expect((await pay())[0]).toBe('card_locked')
    await set('update card set locked_until_ms = ?, expires_at_ms = ? where id = ?', [nowMs, nowMs, cards[0]])
    expect((await pay())[0]).toBe('card_expired')
    await set('update card set expires_at_ms = null where id = ?', [cards[0]])
    const shown = code(0)
    nowMs += 60_000
    expect(await problem(at, { codes: [shown], billFen: 100 })).toEqual(['pay_code_invalid', 'codes'])
    const used = code(0)
    await done(at, { codes: [used], billFen: 100 })
    expect(await problem(at, { codes: [used], billFen: 100 })).toEqual(['pay_code_used', 'codes'])
  })

  test('a till acts on purchases of its own shop; another shop’s are not there', async () => {
    const { id } = await held()
    const neighbour = await aTerminal((await aShop(database, brandId, { merchant: '隔壁' })).shopId)
    expect(await codeOfAnswer(await askPos(neighbour, 'GET', `${at}/${id}`))).toEqual([404, 'not_found'])
    for (const [path, body] of [
      ['captures', { amountFen: 1 }],
      ['voids', {}],
      ['refunds', { amountFen: 1 }],
    ] as const)
      expect([path, await problem(`${at}/${id}/${path}`, body, {}, neighbour)]).toEqual([
        path,
        ['not_found', undefined],
      ])
    expect(await read(`${at}?ref=A-1`, neighbour)).toEqual({ authorisations: [] })
    // The second till of the same shop takes over from the first.
    const second = await aTerminal(shop.shopId)
    expect(await codeOfAnswer(await ask(`${at}/${id}/captures`, { amountFen: 1 }, {}, second))).toEqual([200, ''])
  })

  const dayFile = async (day: string, as = key): Promise<string[]> => {
    const answer = await askPos(as, 'GET', `/pos/v1/days/${day}/file`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8'])
    return (await answer.text()).trimEnd().split('\r\n')
  }

  test('the file of a day has each movement of the shop once, in order, and a line that sums them', async () => {
    const { id } = await held(30_000, { ref: 'A-"1",x' })
    await done(`${at}/${id}/captures`, { amountFen: 10_000, final: true })
    nowMs += 1
    await done(`${at}/${id}/refunds`, { amountFen: 4_000 })
    const second = await aTerminal(shop.shopId)
    const bare = (await (
      await ask(at, { codes: [code(1)], billFen: 700, capture: true }, {}, second)
    ).json()) as RedemptionView
    const lines = await dayFile('2026-11-23')
    expect(lines[0]).toBe('movement,at,kind,authorisation,ref,till,amount_fen')
    expect(lines.slice(1, -1).map((line) => line.slice(18))).toEqual([
      `2026-11-23T12:00:00.000+08:00,capture,${id},"A-""1"",x",${key.terminalId},10000`,
      `2026-11-23T12:00:00.001+08:00,refund,${id},"A-""1"",x",${key.terminalId},-4000`,
      `2026-11-23T12:00:00.001+08:00,capture,${bare.id},,${second.terminalId},700`,
    ])
    expect(lines.at(-1)).toBe('total,2026-11-23,open,3,10700,4000,6700')
    nowMs = Date.UTC(2026, 10, 23, 16, 9, 59)
    expect((await dayFile('2026-11-23')).at(-1)).toContain(',open,')
    nowMs += 1000
    expect((await dayFile('2026-11-23')).at(-1)).toBe('total,2026-11-23,closed,3,10700,4000,6700')
    expect(await dayFile('2026-11-24')).toEqual([lines[0], 'total,2026-11-24,open,0,0,0,0'])
    const neighbour = await aTerminal((await aShop(database, brandId, { merchant: '隔壁' })).shopId)
    expect(await dayFile('2026-11-23', neighbour)).toHaveLength(2)
    for (const day of ['2026-13-01', 'today', '2026-02-30', '9999-12-31', '3000-01-01', '1969-12-31', '0000-01-01'])
      expect([day, ...(await codeOfAnswer(await askPos(key, 'GET', `/pos/v1/days/${day}/file`)))]).toEqual([
        day,
        422,
        'malformed_request',
      ])
    for (const day of ['2999-12-31', '1970-01-01'])
      expect(await dayFile(day)).toEqual([lines[0], expect.stringContaining(`total,${day},`)])
  })

  test('a till that is off may ask again for an act that was answered, and nothing else', async () => {
    const odd = { headers: { 'idempotency-key': 'k-1' } }
    const wish = { codes: [code(0)], billFen: 1_000, capture: true, ref: 'A-1' }
    const first = await done(at, wish, odd)
    for (const [off, on, id] of [
      ["update shop set state = 'closed' where id = ?", "update shop set state = 'open' where id = ?", shop.shopId],
      [
        "update merchant set state = 'suspended' where id = ?",
        "update merchant set state = 'active' where id = ?",
        shop.merchantId,
      ],
      ["update terminal set state = 'revoked' where id = ?", null, key.terminalId],
    ] as const) {
      await set(off, [id])
      expect(await done(at, wish, odd)).toEqual(first)
      expect(await problem(at, { ...wish, billFen: 1_001 }, odd)).toEqual(['idempotency_conflict', 'billFen'])
      expect((await problem(at, wish))[0]).toBe('terminal_off')
      expect((await problem(`${at}/${first.id}/refunds`, { amountFen: 1 }))[0]).toBe('terminal_off')
      expect((await problem('/pos/v1/balances', { code: code(1) }, odd))[0]).toBe('terminal_off')
      for (const path of [`${at}/${first.id}`, `${at}?ref=A-1`, '/pos/v1/days/2026-11-23/file'])
        expect(await codeOfAnswer(await askPos(key, 'GET', path, undefined, odd))).toEqual([403, 'terminal_off'])
      if (on !== null) await set(on, [id])
    }
    // Another till does not pass by a key that this one used.
    const second = await aTerminal(shop.shopId)
    await set("update terminal set state = 'revoked' where id = ?", [second.terminalId])
    expect((await problem(at, wish, odd, second))[0]).toBe('terminal_off')
    expect(await dayFile('2026-11-23', await aTerminal(shop.shopId))).toHaveLength(3)
  })

  test('a long file is read piece by piece, each line once, also of one millisecond', async () => {
    for (const later of [0, 0, 0, 1, 0, 0, 5]) {
      nowMs += later
      await done(at, { codes: [code(0)], billFen: 10, capture: true })
    }
    const pieces = async (atOnce: number): Promise<string[]> => {
      const told: string[] = []
      const edge = database.edge({} as never, undefined, now)
      for await (const piece of readDayFile(edge, shop.shopId, '2026-11-23', atOnce)) told.push(piece)
      return told
    }
    const whole = (await pieces(1000)).join('')
    expect(whole).toContain('total,2026-11-23,open,7,70,0,70')
    for (const atOnce of [1, 2, 3]) {
      const told = await pieces(atOnce)
      expect([atOnce, told.join('')]).toEqual([atOnce, whole])
      expect(told).toHaveLength(2 + Math.ceil(7 / atOnce))
    }
  })

  test('a day ends at midnight in China, to the millisecond', async () => {
    const buy = () =>
      done(at, { codes: [code(0)], billFen: 1, capture: true }, { headers: { 'idempotency-key': randomUUID() } })
    nowMs = Date.UTC(2026, 10, 23, 15, 59, 59, 999)
    await buy()
    nowMs += 1
    await buy()
    expect((await dayFile('2026-11-23')).at(-1)).toContain(',1,1,0,1')
    expect((await dayFile('2026-11-24')).at(-1)).toContain(',1,1,0,1')
  })

  test('twenty tills that show one code at once: one is paid, the others are told that it is used', async () => {
    const tills = await Promise.all(Array.from({ length: 20 }, () => aTerminal(shop.shopId)))
    const shown = code(2)
    const answers = await Promise.all(
      tills.map(async (till) =>
        codeOfAnswer(await ask(at, { codes: [shown], billFen: 30_000, capture: true }, {}, till)),
      ),
    )
    expect(answers.filter(([status]) => status === 200)).toHaveLength(1)
    expect(answers.filter(([, told]) => told === 'pay_code_used')).toHaveLength(19)
  })
})

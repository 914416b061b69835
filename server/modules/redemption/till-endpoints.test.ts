import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { ClerkSession, PurchaseDetail, Purchases, Shifts, ShiftView } from '../../../contract/merchant/till.ts'
import type { RedemptionView } from '../../../contract/till.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aShop, shopFacts, type TestShop } from '../../testing/merchants.ts'
import { allCards, codeOf } from '../../testing/tills.ts'
import { aBrowser, startWeb, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { createBrand } from '../catalog/create-template.ts'
import { changeClerk } from '../merchant/change-clerk.ts'
import { createShop } from '../merchant/create-shop.ts'
import { merchantEndpoints } from '../merchant/endpoints.ts'
import { makeClerkLink } from '../merchant/make-clerk-link.ts'
import { removeClerk } from '../merchant/remove-clerk.ts'
import { tillEndpoints } from './till-endpoints.ts'

interface Answer<T> {
  readonly status: number
  readonly body: T & { readonly code?: string; readonly field?: string; readonly detail?: string }
}

onBothDatabases('the till of a clerk', (database) => {
  let web: Web
  let shop: TestShop
  let cards: readonly Id<'card'>[]
  let now: () => number

  beforeEach(async () => {
    now = Date.now
    const wecom = wecomOf({ baseUrl: 'http://127.0.0.1:1' })
    const endpoints = [...merchantEndpoints, ...tillEndpoints]
    web = await startWeb(database, { endpoints, ports: { wecom }, now: () => now() })
    const company = await aCompany(database)
    const people = await somePeople(database, company.id, [{ name: '张三' }, { name: '李四' }])
    const campaign = await anIssuedCampaign(database, company, people, { faceFen: 10_000 })
    shop = await aShop(database, campaign.brandId)
    cards = await allCards(database)
  })
  afterEach(() => web.close())

  /** Somebody with a session; every write has a key of its own unless it is said. */
  function signedIn(clerkId: Id<'clerk'>) {
    const payload = { kind: 'clerk' as const, ids: { clerkId }, expiresAtMs: Date.now() + 86_400_000 }
    const cookie = `fulika_till=${encodeSession(payload, database.house.sessionKey)}`
    const read = async <T>(answer: Response): Promise<Answer<T>> => ({
      status: answer.status,
      body: (await answer.json()) as Answer<T>['body'],
    })
    return {
      get: async <T>(path: string) => read<T>(await aBrowser(web.base).get(`/merchant${path}`, { cookie })),
      post: async <T = RedemptionView>(path: string, body: object = {}, key: string = randomUUID()) =>
        read<T>(await aBrowser(web.base).send('POST', `/merchant${path}`, body, { cookie, 'idempotency-key': key })),
    }
  }
  const code = (index = 0) => database.tx(async (tx) => codeOf(tx, cards[index]!))
  const paid = async (clerk: ReturnType<typeof signedIn>, billFen: number, index = 0): Promise<RedemptionView> => {
    const { body } = await clerk.post('/scans', { codes: [await code(index)] })
    return (await clerk.post(`/purchases/${body.id}/redeem`, { billFen })).body
  }

  test('a link signs a phone in, once; a removed clerk is out with the next request', async () => {
    const { url } = await database.tx((tx) => makeClerkLink(tx, shop.clerkId))
    const token = url.split('/').at(-1)
    const phone = aBrowser(web.base)
    expect((await phone.get('/merchant/session')).status).toBe(401)
    expect((await phone.send('POST', '/merchant/sign-in', { token })).status).toBe(204)
    const other = await aBrowser(web.base).send('POST', '/merchant/sign-in', { token })
    expect([other.status, ((await other.json()) as { code: string }).code]).toEqual([401, 'clerk_link_refused'])
    expect((await aBrowser(web.base).send('POST', '/merchant/sign-in', { token: 'short' })).status).toBe(422)
    const session = (await (await phone.get('/merchant/session')).json()) as ClerkSession
    expect(session).toMatchObject({
      clerk: { id: shop.clerkId, name: '周小店', role: 'clerk' },
      shop: { name: '科技园店', city: '深圳' },
      brandName: '青禾',
      shift: null,
    })
    await database.tx((tx) => removeClerk(tx, shop.clerkId))
    expect((await phone.get('/merchant/session')).status).toBe(401)
    await phone.send('DELETE', '/merchant/session')
    expect([...phone.cookies.keys()]).toEqual([])
  })

  test('without a shift nothing is taken; one is open at a time, whatever happens at once', async () => {
    const clerk = signedIn(shop.clerkId)
    expect((await clerk.post('/scans', { codes: [await code()] })).body.code).toBe('shift_missing')
    const opened = await Promise.all([1, 2, 3].map(() => clerk.post<ShiftView>('/shifts')))
    expect(opened.map((one) => one.status).toSorted((a, b) => a - b)).toEqual([200, 409, 409])
    for (const one of opened) if (one.status === 409) expect(one.body.code).toBe('state_conflict')
    const key = randomUUID()
    const shift = opened.find((one) => one.status === 200)!.body
    const closed = await Promise.all([1, 2].map(() => clerk.post<ShiftView>(`/shifts/${shift.id}/close`, {}, key)))
    for (const one of closed) expect(one.body).toMatchObject({ id: shift.id, state: 'closed', purchases: 0 })
    expect((await clerk.post(`/shifts/${shift.id}/close`)).body.code).toBe('state_conflict')
    expect((await clerk.post('/scans', { codes: [await code()] })).body.code).toBe('shift_missing')
    expect((await clerk.post<ShiftView>('/shifts')).body).toMatchObject({ state: 'open', mine: true })
  })

  test('a card is scanned and spent; the rest of the bill is cash; the slip of the shift says what moved in it', async () => {
    const clerk = signedIn(shop.clerkId)
    const shift = (await clerk.post<ShiftView>('/shifts')).body
    const scanned = (await clerk.post('/scans', { codes: [await code()] })).body
    expect(scanned).toMatchObject({ state: 'opened', availableFen: 10_000, cards: [{ balanceFen: 10_000 }] })
    const path = `/purchases/${scanned.id}/redeem`
    const short = { code: 'card_value_short', availableFen: 10_000 }
    expect((await clerk.post(path, { billFen: 12_000 })).body).toMatchObject(short)
    const both = (await clerk.post(path, { billFen: 12_000, partial: true })).body
    expect(both).toMatchObject({ state: 'captured', capturedFen: 10_000, cashFen: 2000 })
    const second = await paid(clerk, 2500, 1)
    const undone = (await clerk.post(`/purchases/${second.id}/undo`)).body
    expect(undone).toMatchObject({ state: 'refunded', refundedFen: 2500 })
    const { purchases } = (await clerk.get<Purchases>('/purchases')).body
    expect(purchases.map(({ id, capturedFen, refundedFen }) => [id, capturedFen, refundedFen])).toEqual([
      [second.id, 2500, 2500],
      [both.id, 10_000, 0],
    ])
    const sums = { capturedFen: 12_500, returnedFen: 2500, purchases: 2 }
    expect((await clerk.get<ClerkSession>('/session')).body.shift).toMatchObject({ id: shift.id, ...sums })
    const slip = (await clerk.post<ShiftView>(`/shifts/${shift.id}/close`)).body
    expect(slip).toMatchObject({ state: 'closed', clerkName: '周小店', ...sums })
    // What is given back after the slip was printed changes nothing on it.
    const manager = signedIn(shop.managerId)
    await manager.post(`/purchases/${both.id}/refund`, { amountFen: 1000 })
    const { shifts } = (await clerk.get<Shifts>('/shifts')).body
    expect(shifts).toMatchObject([{ id: shift.id, ...sums }])
  })

  test('a purchase that is paid while its shift is closed stands on the slip, or is refused', async () => {
    const clerk = signedIn(shop.clerkId)
    for (let round = 0; round < 5; round += 1) {
      const shift = (await clerk.post<ShiftView>('/shifts')).body
      const { body } = await clerk.post('/scans', { codes: [await code(round % 2)] })
      const [bought, slip] = await Promise.all([
        clerk.post(`/purchases/${body.id}/redeem`, { billFen: 100 }),
        clerk.post<ShiftView>(`/shifts/${shift.id}/close`),
      ])
      const onSlip = bought.status === 200 ? 100 : 0
      if (bought.status !== 200) expect(bought.body.code).toBe('shift_missing')
      expect(slip.body).toMatchObject({ capturedFen: onSlip, purchases: onSlip / 100 })
    }
  })

  test('an answer that was lost is asked for again by its key, also after the shift was closed', async () => {
    const clerk = signedIn(shop.clerkId)
    const shift = (await clerk.post<ShiftView>('/shifts')).body
    const [scanKey, payKey] = [randomUUID(), randomUUID()]
    const codes = [await code()]
    const scanned = await clerk.post('/scans', { codes }, scanKey)
    const path = `/purchases/${scanned.body.id}/redeem`
    const first = await clerk.post(path, { billFen: 700 }, payKey)
    await clerk.post(`/shifts/${shift.id}/close`)
    expect(await clerk.post('/scans', { codes }, scanKey)).toEqual(scanned)
    expect(await clerk.post(path, { billFen: 700 }, payKey)).toEqual(first)
    const other = await clerk.post(path, { billFen: 800 }, payKey)
    expect([other.status, other.body.code, other.body.field]).toEqual([409, 'idempotency_conflict', 'billFen'])
    const { purchases } = (await clerk.get<Purchases>('/purchases?of=shop')).body
    expect(purchases.map((one) => one.capturedFen)).toEqual([700])
  })

  test('an undo is in time and in its shift, or it is refused; then a manager gives back', async () => {
    const [clerk, manager] = [signedIn(shop.clerkId), signedIn(shop.managerId)]
    const shift = (await clerk.post<ShiftView>('/shifts')).body
    const bought = await paid(clerk, 3000)
    const seen = (await clerk.get<PurchaseDetail>(`/purchases/${bought.id}`)).body
    expect(seen).toMatchObject({ clerkName: '周小店', capturedFen: 3000, movements: [{ kind: 'capture' }] })
    expect(seen.undoUntilMs).toBe(seen.movements[0]!.atMs + limits.undoMs)
    expect(seen.nowMs).toBeGreaterThanOrEqual(seen.movements[0]!.atMs)
    expect((await manager.get<PurchaseDetail>(`/purchases/${bought.id}`)).body.undoUntilMs).toBeNull()
    expect((await manager.post(`/purchases/${bought.id}/undo`)).body.code).toBe('undo_too_late')
    now = () => Date.now() + limits.undoMs
    expect((await clerk.get<PurchaseDetail>(`/purchases/${bought.id}`)).body.undoUntilMs).toBeNull()
    expect((await clerk.post(`/purchases/${bought.id}/undo`)).body.code).toBe('undo_too_late')
    now = Date.now
    await clerk.post(`/shifts/${shift.id}/close`)
    expect((await clerk.post(`/purchases/${bought.id}/undo`)).body.code).toBe('undo_too_late')
    await clerk.post('/shifts')
    expect((await clerk.post(`/purchases/${bought.id}/undo`)).body.code).toBe('undo_too_late')
    expect((await clerk.post(`/purchases/${bought.id}/refund`, { amountFen: 1 })).status).toBe(403)
    expect((await manager.post(`/purchases/${bought.id}/refund`, { amountFen: 1000 })).body).toMatchObject({
      state: 'part_refunded',
      refundedFen: 1000,
    })
    expect((await manager.post(`/purchases/${bought.id}/refund`, { amountFen: 2001 })).body.code).toBe(
      'refund_over_capture',
    )
    const detail = (await manager.get<PurchaseDetail>(`/purchases/${bought.id}`)).body
    expect(detail.movements.map(({ kind, amountFen }) => [kind, amountFen])).toEqual([
      ['capture', 3000],
      ['refund', 1000],
    ])
    expect(detail.cards).toMatchObject([{ capturedFen: 3000, refundedFen: 1000, balanceFen: 8000, heldFen: 0 }])
  })

  test('a manager closes another’s shift; a clerk does not; both see what is theirs to see', async () => {
    const [clerk, manager] = [signedIn(shop.clerkId), signedIn(shop.managerId)]
    const own = (await clerk.post<ShiftView>('/shifts')).body
    const other = (await manager.post<ShiftView>('/shifts')).body
    expect((await clerk.post(`/shifts/${other.id}/close`)).status).toBe(403)
    expect((await clerk.get<Shifts>('/shifts')).body.shifts.map((one) => one.id)).toEqual([own.id])
    expect((await manager.get<Shifts>('/shifts')).body.shifts).toMatchObject([
      { id: other.id, mine: true },
      { id: own.id, mine: false, clerkName: '周小店' },
    ])
    expect((await manager.post<ShiftView>(`/shifts/${own.id}/close`)).body).toMatchObject({ state: 'closed' })
    expect((await clerk.get<ClerkSession>('/session')).body.shift).toBeNull()
  })

  test('a clerk who was moved closes the shift of the old shop before they begin in the new one', async () => {
    const clerk = signedIn(shop.clerkId)
    const shift = (await clerk.post<ShiftView>('/shifts')).body
    await paid(clerk, 400)
    const shopId = await database.tx((tx) => createShop(tx, shop.merchantId, shopFacts({ name: '东门店' })))
    const wish = { id: shop.clerkId, version: 1, name: '周小店', role: 'clerk' as const, shopId }
    await database.tx((tx) => changeClerk(tx, wish))
    const session = (await clerk.get<ClerkSession>('/session')).body
    expect([session.shop.name, session.shift?.shopName]).toEqual(['东门店', '科技园店'])
    expect((await clerk.post('/scans', { codes: [await code()] })).body.code).toBe('shift_missing')
    expect((await clerk.post('/shifts')).body.code).toBe('state_conflict')
    expect((await clerk.post<ShiftView>(`/shifts/${shift.id}/close`)).body).toMatchObject({ capturedFen: 400 })
    expect((await clerk.post<ShiftView>('/shifts')).body).toMatchObject({ shopName: '东门店', capturedFen: 0 })
    expect(await paid(clerk, 100)).toMatchObject({ state: 'captured' })
  })

  test('the list goes page by page; the shift’s own, or the shop’s', async () => {
    const [clerk, manager] = [signedIn(shop.clerkId), signedIn(shop.managerId)]
    await clerk.post('/shifts')
    await manager.post('/shifts')
    const bought: string[] = []
    for (const [index, by] of [clerk, manager, clerk].entries()) bought.unshift((await paid(by, 100 + index)).id)
    const first = (await clerk.get<Purchases>('/purchases?of=shop&limit=2')).body
    expect(first.purchases.map((one) => [one.id, one.clerkName])).toEqual([
      [bought[0], '周小店'],
      [bought[1], '吴店长'],
    ])
    const rest = (await clerk.get<Purchases>(`/purchases?of=shop&limit=2&cursor=${first.nextCursor}`)).body
    expect([rest.purchases.map((one) => one.id), rest.nextCursor]).toEqual([[bought[2]], null])
    const own = (await clerk.get<Purchases>('/purchases')).body.purchases
    expect(own.map((one) => one.id)).toEqual([bought[0], bought[2]])
  })

  test('another merchant sees and does nothing here', async () => {
    const clerk = signedIn(shop.clerkId)
    const shift = (await clerk.post<ShiftView>('/shifts')).body
    const bought = await paid(clerk, 500)
    const brand = await database.tx((tx) => createBrand(tx, { name: '别家', issuerPrefix: '6239' }))
    const foreign = await aShop(database, brand)
    const stranger = signedIn(foreign.managerId)
    await stranger.post('/shifts')
    const tries = [
      await stranger.get(`/purchases/${bought.id}`),
      await stranger.post(`/purchases/${bought.id}/redeem`, { billFen: 1 }),
      await stranger.post(`/purchases/${bought.id}/undo`),
      await stranger.post(`/purchases/${bought.id}/void`),
      await stranger.post(`/purchases/${bought.id}/refund`, { amountFen: 1 }),
      await stranger.post(`/shifts/${shift.id}/close`),
    ]
    expect(tries.map((one) => [one.status, one.body.code])).toEqual(tries.map(() => [404, 'not_found']))
    expect((await stranger.get<Purchases>('/purchases?of=shop')).body.purchases).toEqual([])
    expect((await stranger.post('/scans', { codes: [await code(1)] })).body.code).toBe('card_foreign')
    expect((await stranger.get<Shifts>('/shifts')).body.shifts.map((one) => one.clerkName)).toEqual(['吴店长'])
  })

  test.each([0, -1, 1.5, '100', null, 9_007_199_254_740_992])('a bill of %j is refused', async (billFen) => {
    const clerk = signedIn(shop.clerkId)
    await clerk.post('/shifts')
    const { body } = await clerk.post('/scans', { codes: [await code()] })
    const answer = await clerk.post(`/purchases/${body.id}/redeem`, { billFen, partial: true })
    expect([answer.status, answer.body.field]).toEqual([422, 'billFen'])
    expect((await clerk.post('/scans', { codes: ['123'] })).status).toBe(422)
    expect((await clerk.post('/scans', { codes: [] })).status).toBe(422)
    expect((await clerk.post('/scans', { codes: ['1'.repeat(52)] })).body.code).toBe('pay_code_invalid')
  })
})

import { afterEach, beforeEach, expect, test } from 'vitest'
import { CardChoices, CardStanding, RevealedCard } from '../../../contract/employee/card-acts.ts'
import type { Id } from '../../../contract/ids.ts'
import { change, sql } from '../../kernel/sql.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { openPackStage, phoneOf, pressed, type PackStage } from '../../testing/pack-stage.ts'
import { aBrowser, type Browser } from '../../testing/web.ts'
import { isCardNumber } from '../card/rules.ts'
import { aCompany } from '../../testing/companies.ts'
import { somePeople } from '../../testing/campaigns.ts'
import { freezeUnused } from '../card/freeze-cards.ts'
import { placeHold } from '../redemption/place-hold.ts'
import { fen } from '../../../contract/fen.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

onBothDatabases('what a holder does with a card', (database) => {
  let stage: PackStage
  let me: Id<'person'>
  let cardId: Id<'card'>
  let phone: Browser
  async function open(wish: Parameters<typeof openPackStage>[1]): Promise<void> {
    stage = await openPackStage(database, wish)
    me = stage.campaign.personIds[0]!
    cardId = await stage.cardOf(me)
    phone = stage.phone(me)
  }
  beforeEach(() => open({ coolingOffMs: 3 * HOUR_MS, card: { named: false, validDays: 1095 } }))
  afterEach(() => stage.web.close())

  const act = (what: string, body?: unknown, by = phone) =>
    by.send('POST', `/employee/cards/${cardId}/${what}`, body, pressed())
  const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]
  const choices = async (by = phone) =>
    CardChoices.parse(await (await by.get(`/employee/cards/${cardId}/choices`)).json())
  const cardRow = async () => {
    const [row] = await database.tx((tx) =>
      sql<{ number: string; state: string; locked: unknown; expires: unknown; balance: unknown; activities: unknown }>(
        tx.em,
        `select number, state, locked_until_ms as locked, expires_at_ms as expires, balance_fen as balance, activities
          from card where id = ?`,
        [cardId],
      ),
    )
    return row!
  }
  const trailOf = (act: string) =>
    database.tx((tx) =>
      sql<{ actor: string }>(tx.em, 'select actor from trail where object_id = ? and act = ?', [cardId, act]),
    )
  const reveal = async (by = phone) => {
    const answer = await act('secret', undefined, by)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    return RevealedCard.parse(await answer.json())
  }
  const unlock = async () => (stage.clock.nowMs = Number((await cardRow()).locked))
  const expire = async () => (stage.clock.nowMs = Number((await cardRow()).expires))

  test('the secret is read by the holder alone, from the very instant of unlocking, and each time is in the trail', async () => {
    expect((await choices()).reveal).toBe(false)
    await unlock()
    stage.clock.nowMs -= 1
    expect(await codeOf(await act('secret'))).toEqual([409, 'card_locked'])
    stage.clock.nowMs += 1
    expect((await choices()).reveal).toBe(true)
    const shown = await reveal()
    expect(shown.secret).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/)
    expect(shown.number).toBe((await cardRow()).number)
    expect(await reveal()).toEqual(shown)
    expect(await trailOf('card.revealed')).toEqual([{ actor: me }, { actor: me }])
    const colleague = stage.phone(stage.campaign.personIds[1]!)
    expect(await codeOf(await act('secret', undefined, colleague))).toEqual([404, 'not_found'])
    expect(await codeOf(await colleague.get(`/employee/cards/${cardId}/choices`))).toEqual([404, 'not_found'])
    const other = await aCompany(database)
    const [stranger] = await somePeople(database, other.id, [{ name: '外人' }])
    const away = phoneOf(database, stage.web, other.id, stranger!)
    for (const what of ['secret', 'lost', 'found', 'reissue', 'extend', 'device-links'])
      expect([what, ...(await codeOf(await act(what, undefined, away)))]).toEqual([what, 404, 'not_found'])
    expect(await codeOf(await act('thanks', { text: '谢谢' }, away))).toEqual([404, 'not_found'])
    expect(await trailOf('card.revealed')).toHaveLength(2)
  })

  test('a card that is reported lost is frozen; its holder alone frees it, with the number and secret it had', async () => {
    expect(await codeOf(await act('found'))).toEqual([409, 'state_conflict'])
    const frozen = CardStanding.parse(await (await act('lost')).json())
    expect(frozen).toMatchObject({ view: 'frozen', balanceFen: 50_000 })
    expect(await codeOf(await act('lost'))).toEqual([409, 'state_conflict'])
    expect(await choices()).toMatchObject({
      reportLost: false,
      unfreeze: true,
      reissue: true,
      reveal: false,
      give: false,
    })
    await unlock()
    expect(await codeOf(await act('secret'))).toEqual([409, 'card_frozen'])
    expect(CardStanding.parse(await (await act('found')).json())).toMatchObject({ view: 'active' })
    expect((await reveal()).number).toBe((await cardRow()).number)
  })

  test('an act that is sent again because its answer was lost is done once, and answered as the first time', async () => {
    const twice = async (what: string, key = pressed()) => {
      const send = () => phone.send('POST', `/employee/cards/${cardId}/${what}`, undefined, key)
      const answers = [await send(), ...(await Promise.all([send(), send()]))]
      return Promise.all(answers.map(async (one) => [one.status, ((await one.json()) as { view?: string }).view]))
    }
    await unlock()
    const three = (view: string) => [200, 200, 200].map((status) => [status, view])
    expect(await twice('lost')).toEqual(three('frozen'))
    expect(await twice('found')).toEqual(three('active'))
    await expire()
    expect(await twice('extend')).toEqual(three('active'))
    expect([(await trailOf('card.frozen')).length, (await trailOf('card.active')).length]).toEqual([1, 1])
    expect(Number((await cardRow()).activities)).toBe(2)
    const late = pressed()
    expect((await twice('lost', late))[0]).toEqual([200, 'frozen'])
    await act('found')
    // A repeat that comes late tells how the card stands now, and freezes nothing.
    expect(await twice('lost', late)).toEqual(three('active'))
    for (const what of ['lost', 'found', 'extend'])
      expect(await codeOf(await phone.send('POST', `/employee/cards/${cardId}/${what}`))).toEqual([
        422,
        'idempotency_key_missing',
      ])
  })

  test('what somebody else froze, the holder neither frees nor replaces', async () => {
    await database.tx((tx) => freezeUnused(tx, [cardId], 'person_left'))
    expect(await choices()).toMatchObject({ unfreeze: false, reissue: false, reportLost: false })
    for (const what of ['found', 'reissue', 'lost'])
      expect([what, ...(await codeOf(await act(what)))]).toEqual([what, 409, 'card_frozen'])
  })

  test('a lost card is replaced once a press: another number and secret, the same balance, the old number retired', async () => {
    await unlock()
    const before = await reveal()
    expect(await codeOf(await act('reissue'))).toEqual([409, 'state_conflict'])
    await act('lost')
    const key = pressed()
    const again = () => phone.send('POST', `/employee/cards/${cardId}/reissue`, undefined, key)
    const answers = await Promise.all([again(), again()])
    for (const answer of answers)
      expect(CardStanding.parse(await answer.json())).toMatchObject({ view: 'active', balanceFen: 50_000 })
    const after = await reveal()
    expect(isCardNumber(after.number)).toBe(true)
    expect(after.number).not.toBe(before.number)
    expect(after.secret).not.toBe(before.secret)
    const retired = await database.tx((tx) => sql(tx.em, 'select number, card_id as cardId from retired_number'))
    expect(retired).toEqual([{ number: before.number, cardId }])
    const detail = (await (await phone.get(`/employee/cards/${cardId}`)).json()) as { activities: { kind: string }[] }
    expect(detail.activities.map(({ kind }) => kind)).toEqual(['reissue', 'issue'])
    expect(await codeOf(await act('reissue'))).toEqual([409, 'state_conflict'])
  })

  test('value that is set aside stays so while a card is lost and found', async () => {
    await unlock()
    const hold = { cardId, amount: fen(2_000), ref: 'x', endsAtMs: stage.clock.nowMs + HOUR_MS }
    await database.edge({} as never, undefined, () => stage.clock.nowMs).tx((tx) => placeHold(tx, hold))
    expect((await act('lost')).status).toBe(200)
    expect((await act('reissue')).status).toBe(200)
    expect(await choices()).toMatchObject({ give: false, reportLost: true })
  })

  test('an expired card with a balance is valid again from now, as often as it expires', async () => {
    expect(await codeOf(await act('extend'))).toEqual([409, 'state_conflict'])
    await expire()
    stage.clock.nowMs -= 1
    expect((await choices()).extendToMs).toBe(null)
    expect(await codeOf(await act('extend'))).toEqual([409, 'state_conflict'])
    for (let time = 0; time < 2; time += 1) {
      await expire()
      stage.clock.nowMs += time * 40 * DAY_MS
      const untilMs = stage.clock.nowMs + 365 * DAY_MS
      expect(await choices()).toMatchObject({ extendToMs: untilMs, give: false, reveal: true })
      const extended = CardStanding.parse(await (await act('extend')).json())
      expect(extended).toMatchObject({ view: 'active', expiresAtMs: untilMs, balanceFen: 50_000 })
      expect(await codeOf(await act('extend'))).toEqual([409, 'state_conflict'])
    }
    expect(Number((await cardRow()).activities)).toBe(3)
  })

  test('a frozen, an ended and an empty card are not extended', async () => {
    await act('lost')
    await expire()
    expect(await codeOf(await act('extend'))).toEqual([409, 'card_frozen'])
    const other = stage.campaign.personIds[1]!
    cardId = await stage.cardOf(other)
    phone = stage.phone(other)
    const end = (state: string) =>
      database.tx((tx) => change(tx.em, 'update card set state = ? where id = ?', [state, cardId]))
    for (const state of ['exhausted', 'refunded', 'void']) {
      await end(state)
      for (const what of ['extend', 'secret', 'lost'])
        expect([state, what, ...(await codeOf(await act(what)))]).toEqual([state, what, 409, 'card_ended'])
    }
    await end('active')
  })

  test('acts at once and in any order leave one history', async () => {
    await unlock()
    const racing = ['lost', 'lost', 'found', 'reissue', 'secret', 'lost', 'found', 'extend', 'reissue']
    const answers = await Promise.all(racing.map((what) => act(what)))
    for (const answer of answers) expect([200, 404, 409]).toContain(answer.status)
    const rows = await database.tx((tx) =>
      sql<{ seq: unknown }>(tx.em, 'select seq from activity where card_id = ? order by seq', [cardId]),
    )
    expect(rows.map(({ seq }) => Number(seq))).toEqual(
      Array.from({ length: Number((await cardRow()).activities) }, (_, index) => index + 1),
    )
  })

  test('a link opens the pack on one other device, again there, never on a third, and not after its end', async () => {
    expect(await codeOf(await act('device-links'))).toEqual([409, 'card_locked'])
    await unlock()
    const made = await act('device-links')
    const { path, endsAtMs } = (await made.json()) as { path: string; endsAtMs: number }
    expect(path).toMatch(/^\/pack\/device\/[\w.-]+$/)
    const token = path.slice('/pack/device/'.length)
    const [tablet, third] = [aBrowser(stage.web.base), aBrowser(stage.web.base)]
    const openOn = (browser: Browser, given = token) =>
      browser.send('POST', '/employee/device-links/open', { token: given })
    for (let time = 0; time < 2; time += 1) expect(await (await openOn(tablet)).json()).toEqual({ cardId })
    expect((await tablet.get(`/employee/cards/${cardId}`)).status).toBe(200)
    expect(await codeOf(await openOn(third))).toEqual([401, 'sign_in_expired'])
    expect((await third.get('/employee/pack')).status).toBe(401)
    expect(await codeOf(await openOn(third, `${token.slice(0, -2)}xx`))).toEqual([401, 'sign_in_expired'])
    expect(await codeOf(await openOn(third, 'short'))).toEqual([422, 'malformed_request'])
    stage.clock.nowMs = endsAtMs
    expect(await codeOf(await openOn(tablet))).toEqual([401, 'sign_in_expired'])
    const again = (await (await act('device-links')).json()) as { path: string }
    await database.tx((tx) => change(tx.em, "update person set state = 'left' where id = ?", [me]))
    const left = await openOn(third, again.path.slice('/pack/device/'.length))
    expect(await codeOf(left)).toEqual([401, 'sign_in_expired'])
  })
})

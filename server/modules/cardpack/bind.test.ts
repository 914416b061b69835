import { afterEach, beforeEach, expect, test } from 'vitest'
import { RevealedCard } from '../../../contract/employee/card-acts.ts'
import type { Pack } from '../../../contract/employee/pack.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople } from '../../testing/campaigns.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { openPackStage, phoneOf, pressed, type PackStage } from '../../testing/pack-stage.ts'
import type { Browser } from '../../testing/web.ts'
import { placeHold } from '../redemption/place-hold.ts'

const HOUR_MS = 3_600_000
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

onBothDatabases('binding a card by number and secret', (database) => {
  let stage: PackStage
  let people: readonly Id<'person'>[]
  let cardId: Id<'card'>
  beforeEach(async () => {
    stage = await openPackStage(database, { card: { named: false, validDays: 1095 } })
    people = stage.campaign.personIds
    cardId = await stage.cardOf(people[0]!)
  })
  afterEach(() => stage.web.close())

  const printed = async (id = cardId, holder = people[0]!) => {
    const answer = await stage.phone(holder).send('POST', `/employee/cards/${id}/secret`)
    return RevealedCard.parse(await answer.json())
  }
  const bind = (by: Browser, number: string, secret = '', key = pressed(), headers = {}) =>
    by.send('POST', '/employee/cards/bind', { number, secret }, { ...key, ...headers })
  const refused = async (answer: Response) => {
    const { code } = (await answer.json()) as { code: string }
    expect([answer.status, code]).toEqual([403, 'bind_refused'])
  }
  const packOf = async (by: Browser) => ((await (await by.get('/employee/pack')).json()) as Pack).cards
  const edge = () => database.edge({} as Ports, undefined, () => stage.clock.nowMs)
  const wrongSecret = (index: number): string =>
    Array.from({ length: 16 }, (_, at) => ALPHABET[(index >> (at * 5)) & 31]!).join('')

  test('however it is typed, whoever has it gets it, once a press, with a new secret', async () => {
    const { number, secret } = await printed()
    const friend = stage.phone(people[1]!)
    const typed = `卡号：${number.replace(/(\d{4})/g, '$1 ')} 密码：${secret.toLowerCase().replaceAll('0', 'O').replaceAll('1', 'l')}`
    const key = pressed()
    for (let time = 0; time < 2; time += 1)
      expect(await (await bind(friend, typed, '', key)).json()).toEqual({ cardId })
    expect(await packOf(stage.phone(people[0]!))).toEqual([])
    expect((await packOf(friend)).map(({ id }) => id)).toContain(cardId)
    const after = await printed(cardId, people[1]!)
    expect([after.number, after.secret === secret]).toEqual([number, false])
    await refused(await bind(stage.phone(people[0]!), number, secret))
    // The one who holds it is told so again, and nothing changes.
    expect((await bind(friend, after.number, after.secret)).status).toBe(200)
    expect(await printed(cardId, people[1]!)).toEqual(after)
    const history = (await (await friend.get(`/employee/cards/${cardId}`)).json()) as { activities: { kind: string }[] }
    expect(history.activities.map(({ kind }) => kind)).toEqual(['bind'])
    const again = await bind(friend, number, 'x'.repeat(16), key)
    expect(await again.json()).toMatchObject({ code: 'idempotency_conflict' })
  })

  test('of two who bind at once one gets it', async () => {
    const { number, secret } = await printed()
    const answers = await Promise.all(people.slice(1, 3).map((person) => bind(stage.phone(person), number, secret)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 403])
  })

  test('one refusal for everything', async () => {
    const { number, secret } = await printed()
    const other = await stage.cardOf(people[2]!)
    const theirs = await printed(other, people[2]!)
    const friend = () => stage.phone(people[1]!)
    for (const [typed, pin] of [
      [number, wrongSecret(7)],
      [theirs.number, secret],
      [number.slice(0, -1) + ((Number(number.at(-1)) + 1) % 10), secret],
      [number, ''],
      ['0', '0'],
      [`${number}' or '1'='1`, secret],
    ] as const)
      await refused(await bind(friend(), typed, pin))
    const set = (text: string) => database.tx((tx) => change(tx.em, `update card set ${text} where id = ?`, [cardId]))
    for (const [spoilt, mended] of [
      ["state = 'frozen'", "state = 'active'"],
      ["state = 'void'", "state = 'active'"],
      [`locked_until_ms = ${stage.clock.nowMs + 3 * HOUR_MS}`, 'locked_until_ms = 0'],
    ] as const) {
      await set(spoilt)
      await refused(await bind(friend(), number, secret))
      await set(mended)
      // Each of these cost an attempt; an hour later they are forgotten.
      stage.clock.nowMs += HOUR_MS
    }
    await edge().tx((tx) => placeHold(tx, { cardId, amount: fen(1), ref: 'x', endsAtMs: stage.clock.nowMs + 1000 }))
    await refused(await bind(friend(), number, secret))
    expect((await bind(friend(), theirs.number, theirs.secret)).status).toBe(200)
    for (const body of [{}, { number: '' }, { number: 'x'.repeat(201) }, { number: 7 }])
      expect((await friend().send('POST', '/employee/cards/bind', body, pressed())).status).toBe(422)
    expect((await friend().send('POST', '/employee/cards/bind', { number, secret })).status).toBe(422)
  })

  test('a card with a name is bound by nobody, and a company’s card by nobody of another', async () => {
    const { number, secret } = await printed()
    const away = await aCompany(database)
    const [stranger] = await somePeople(database, away.id, [{ name: '外人' }])
    await refused(await bind(phoneOf(database, stage.web, away.id, stranger!), number, secret))
    const [mine, friend] = await somePeople(database, stage.company.id, [{ name: '记名' }, { name: '友' }])
    await anIssuedCampaign(database, stage.company, [mine!], { issuerPrefix: '6299' })
    const named = await printed(await stage.cardOf(mine!), mine!)
    await refused(await bind(stage.phone(friend!), named.number, named.secret))
  })

  test('an expired card is bound, so that its holder may extend it', async () => {
    const { number, secret } = await printed()
    stage.clock.nowMs += 1095 * 24 * HOUR_MS
    const friend = stage.phone(people[1]!)
    expect((await bind(friend, number, secret)).status).toBe(200)
    const extended = await friend.send('POST', `/employee/cards/${cardId}/extend`, {}, pressed())
    expect(extended.status).toBe(200)
  })

  /** Guesses beside each other, some at a time, and how many were let through to a look at all. */
  async function guess(count: number, one: (index: number) => Promise<Response>): Promise<void> {
    const statuses = new Set<number>()
    for (let from = 0; from < count; from += 50) {
      const some = Array.from({ length: Math.min(50, count - from) }, (_, index) => one(from + index))
      for (const answer of await Promise.all(some)) {
        statuses.add(answer.status)
        await answer.text()
      }
    }
    expect([...statuses].filter((status) => status !== 403 && status !== 429)).toEqual([])
  }
  const countsOf = async (prefix: string) => {
    const rows = await database.tx((tx) =>
      sql<{ count: unknown }>(tx.em, 'select count from shared_count where name like ?', [`bind.${prefix}:%`]),
    )
    return rows.map(({ count }) => Number(count))
  }

  test('10,000 guesses from one device: none succeeds, and the true holder binds beside it', async () => {
    const { number, secret } = await printed()
    const guesser = stage.phone(people[1]!, { 'x-forwarded-for': '203.0.113.7' })
    await bind(guesser, number, wrongSecret(1))
    await guess(9_999, (index) => bind(guesser, number, wrongSecret(index + 2)))
    // A second person on the same device is stopped as well, even with the right secret.
    const second = stage.phone(people[2]!, { 'x-forwarded-for': '203.0.113.99' })
    second.cookies.set('fulika_device', guesser.cookies.get('fulika_device')!)
    await refused(await bind(second, number, secret))
    // The true holder sits behind the very address of the guesser, and mistypes twice.
    const holder = stage.phone(people[3]!, { 'x-forwarded-for': '203.0.113.7' })
    await refused(await bind(holder, number, wrongSecret(0)))
    await refused(await bind(holder, number, secret.slice(1)))
    expect(await (await bind(holder, number, secret)).json()).toEqual({ cardId })
  }, 300_000)

  test('10,000 guesses spread over 1,000 addresses, by ten people: none succeeds, and the true holder binds', async () => {
    const { number, secret } = await printed()
    const guessers = await somePeople(
      database,
      stage.company.id,
      Array.from({ length: 10 }, (_, index) => ({ name: `猜${index}` })),
    )
    const phones = guessers.map((person) => stage.phone(person))
    const addressOf = (index: number) => ({
      'x-forwarded-for': `198.${18 + (index % 2)}.${(index >> 1) % 250}.${index % 4}`,
    })
    await guess(10_000, (index) => {
      const by = phones[index % phones.length]!
      // Whoever throws the cookie away is still the same person.
      by.cookies.delete('fulika_device')
      return bind(by, number, wrongSecret(index + 1), pressed(), addressOf(index % 1000))
    })
    expect((await countsOf('network')).length).toBeGreaterThanOrEqual(1)
    const holder = stage.phone(people[3]!, addressOf(5))
    expect(await (await bind(holder, number, secret)).json()).toEqual({ cardId })
  }, 300_000)
})

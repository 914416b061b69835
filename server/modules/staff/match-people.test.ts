import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { Ports } from '../../channels/ports.ts'
import { sql } from '../../kernel/sql.ts'
import { applyRoster } from '../../../jobs/apply-roster.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anUpload, hrOf, noPorts } from '../../testing/uploads.ts'
import { corpOf, wecomOf } from '../../testing/wecom.ts'
import { startApplying } from './apply-roster.ts'
import { correctPerson } from './correct-person.ts'
import { findPersonByUserId } from './find-person.ts'
import { settleRation, takeRation } from './look-up-ration.ts'
import { matchPeople } from './match-people.ts'
import { readRecipients } from './read-recipients.ts'
import { lookUpsLeft, maskPhone } from './rules.ts'

const mobile = (i: number): string => `138${String(i).padStart(8, '0')}`

onBothDatabases('matching people in WeCom', (database) => {
  let box: WecomSandbox
  let ports: Ports
  beforeEach(async () => {
    box = await startWecomSandbox({ now: Date.now })
    ports = { ...noPorts, wecom: wecomOf(box) }
  })
  afterEach(() => box.close())

  /** A company whose list has so many people without an account; WeCom knows those whose number is in `staff`. */
  async function listed(count: number, known: (i: number) => boolean, first = '') {
    const numbers = Array.from({ length: count }, (_, i) => i)
    const staff = numbers.filter(known).map((i) => ({ userid: `W${i}`, name: `员工${i}`, mobile: mobile(i) }))
    const company = await aCompany(database, { sandbox: box, staff })
    const rows = numbers.map((i) => `员工${i},${mobile(i)},\n`).join('')
    const id = await anUpload(database, company, `姓名,手机,企业微信账号\n${first}${rows}`)
    await hrOf(database, company).tx((tx) => startApplying(tx, { id, leaveOutFaulty: false, markLeavers: false }))
    await applyRoster(database.edge(noPorts), id)
    const wish = { companyId: company.id, rosterId: id, selection: { kind: 'all' as const } }
    const people = (await database.tx((tx) => readRecipients(tx, wish))).map((one) => one.personId)
    return { company, people }
  }
  const match = (company: TestCompany, people: readonly Id<'person'>[]) =>
    matchPeople(database.edge(ports), company.id, people)
  const lookUps = async (): Promise<Record<string, number>> => {
    const rows = await database.tx((tx) =>
      sql<{ matched: string; people: unknown }>(
        tx.em,
        'select matched, count(*) as people from person group by matched order by matched',
      ),
    )
    return Object.fromEntries(rows.map((row) => [row.matched, Number(row.people)]))
  }

  test('the listed account comes first; others are looked up once, unknown numbers too', async () => {
    const { company, people } = await listed(250, (i) => i % 50 !== 7, '甲一,13900000000,JiaYi\n')
    const matches = await match(company, people)
    expect(matches.get(people[0]!)).toEqual({ userid: 'jiayi' })
    expect(matches.get(people[1]!)).toEqual({ userid: 'w0' })
    expect(matches.get(people[8]!)).toEqual({ reason: 'no_wecom_account' })
    expect(matches.size).toBe(251)
    expect(await lookUps()).toEqual({ found: 245, listed: 1, none: 5 })
    box.control.addFault({ path: 'user/getuserid', kind: 'errcode', errcode: 60011, times: 1000 })
    expect(await match(company, people)).toEqual(matches)
    const found = await database.tx((tx) => findPersonByUserId(tx, company.id, 'W0'))
    expect(found?.id).toBe(people[1])
  })

  test('too many unknown numbers stop the look-ups before WeCom bars the company', async () => {
    const { company, people } = await listed(60, () => false)
    const matches = await match(company, people)
    const reasons = [...matches.values()].map((one) => ('reason' in one ? one.reason : ''))
    expect(reasons.filter((reason) => reason === 'no_wecom_account')).toHaveLength(5)
    expect(reasons.filter((reason) => reason === 'lookup_rationed')).toHaveLength(55)
    await match(company, people)
    expect(await lookUps()).toEqual({ none: 5, unknown: 55 })
  })

  test('processes that look people up at once share one ration; what a dead one took comes back', async () => {
    const { company, people } = await listed(60, () => false)
    const parts = [0, 1, 2, 3].map((part) => people.filter((_, index) => index % 4 === part))
    const matches = await Promise.all(parts.map((part) => match(company, part)))
    const reasons = matches.flatMap((one) => [...one.values()]).map((one) => ('reason' in one ? one.reason : ''))
    expect(reasons.filter((reason) => reason === 'no_wecom_account')).toHaveLength(5)
    expect(reasons.filter((reason) => reason === 'lookup_rationed')).toHaveLength(55)
    const other = await aCompany(database)
    const at = (now: number) => database.edge(noPorts, undefined, () => now)
    const take = (now: number, wanted: number) => at(now).tx((tx) => takeRation(tx, other.id, wanted))
    const start = Date.now()
    expect((await take(start, 4)).granted).toBe(4)
    expect((await take(start, 4)).granted).toBe(1)
    expect((await take(start, 4)).granted).toBe(0)
    const later = start + 3 * 60_000
    const ration = await take(later, 9)
    expect(ration.granted).toBe(5)
    await at(later).tx((tx) => settleRation(tx, ration, 3))
    expect((await take(later, 9)).granted).toBe(2)
    expect((await take(later + 26 * 3_600_000, 9)).granted).toBe(5)
  })

  test('a fault that passes throws, keeps what was found, and the next run ends it', async () => {
    const { company, people } = await listed(30, () => true)
    await match(company, people.slice(0, 1))
    box.control.addFault({ path: 'user/getuserid', kind: 'errcode', errcode: -1 })
    await expect(match(company, people)).rejects.toMatchObject({ outcome: 'busy' })
    expect((await lookUps())['found']).toBeGreaterThan(1)
    const matches = await match(company, people)
    expect([...matches.values()].every((one) => 'userid' in one)).toBe(true)
    expect(await lookUps()).toEqual({ found: 30 })
  })

  test('the bar of a day and a dead credential are reasons, not faults', async () => {
    const { company, people } = await listed(3, () => true)
    box.control.addFault({ path: 'user/getuserid', kind: 'errcode', errcode: 45009, times: 8 })
    expect([...(await match(company, people)).values()]).toContainEqual({ reason: 'lookup_rationed' })
    const bare = await aCompany(database)
    expect(await matchPeople(database.edge(ports), bare.id, people)).toEqual(new Map())
  })

  test('a corrected phone is looked up anew; an account or phone of somebody else is refused', async () => {
    const { company, people } = await listed(3, (i) => i > 0, '甲一,13900000000,JiaYi\n')
    const [, person, second] = people
    await match(company, people)
    const correct = (id: Id<'person'>, correction: Parameters<typeof correctPerson>[2]) =>
      hrOf(database, company).tx((tx) => correctPerson(tx, id, correction))
    await expect(correct(person!, { phone: mobile(1) })).rejects.toMatchObject({ code: 'person_taken' })
    await expect(correct(person!, { wecomUserId: 'JIAYI' })).rejects.toMatchObject({ code: 'person_taken' })
    await expect(correct(person!, { phone: '123' })).rejects.toMatchObject({ code: 'malformed_request' })
    const other = await aCompany(database)
    const stranger = hrOf(database, other).tx((tx) => correctPerson(tx, person!, { wecomUserId: 'x' }))
    await expect(stranger).rejects.toMatchObject({ code: 'not_found' })
    box.control.upsertCorp({
      ...corpOf(company.wecom),
      accountLimit: 1000,
      trustedDomains: [],
      members: [{ userid: 'New', name: '新', mobile: '13700000000' }],
    })
    await correct(person!, { phone: '137-0000-0000' })
    expect((await match(company, [person!])).get(person!)).toEqual({ userid: 'new' })
    await correct(second!, { wecomUserId: 'Ding.Si' })
    expect((await match(company, [second!])).get(second!)).toEqual({ userid: 'ding.si' })
  })
})

test('a tenth of the known accounts may fail, and five always; a phone is masked', () => {
  expect(lookUpsLeft({ known: 0, missed: 0 })).toBe(5)
  expect(lookUpsLeft({ known: 0, missed: 5 })).toBe(0)
  expect(lookUpsLeft({ known: 990, missed: 10 })).toBe(90)
  expect(lookUpsLeft({ known: 900, missed: 100 })).toBe(0)
  expect(maskPhone('13812341234')).toBe('138****1234')
})

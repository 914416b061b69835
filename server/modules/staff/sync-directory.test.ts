import { expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import type { Ports, WecomDepartment, WecomMember, WecomPort } from '../../channels/ports.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import { somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { hrOf, noPorts } from '../../testing/uploads.ts'
import { confirmLeavers } from './confirm-leavers.ts'
import { keepMember } from './keep-member.ts'
import { readDirectory, readDirectoryChanges } from './read-directory.ts'
import { holdsLeavers } from './rules.ts'
import { syncDirectory } from './sync-directory.ts'

/** A directory as WeCom has it, which may stop answering at any call. */
interface Wecom {
  departments: WecomDepartment[]
  members: Map<string, WecomMember>
  perPage: number
  /** Calls until one is not answered. */
  answers: number
  fault: OutsideError
  calls: number
}

const busy = new OutsideError('busy', '-1', 'busy', 0)

function aDirectory(people: readonly (readonly [string, readonly number[]])[]): Wecom {
  const numbers = new Set([1, ...people.flatMap(([, departments]) => departments)])
  return {
    departments: [...numbers].map((id) => ({ id, parentId: id === 1 ? 0 : 1, name: `部门${id}` })),
    members: new Map(people.map(([userid, departments]) => [userid, { userid, name: `名${userid}`, departments }])),
    perPage: 3,
    answers: Infinity,
    fault: busy,
    calls: 0,
  }
}

function portsOf(wecom: Wecom): Ports {
  const answer = <T>(value: () => T): Promise<T> => {
    wecom.calls += 1
    wecom.answers -= 1
    return wecom.answers < 0 ? Promise.reject(wecom.fault) : Promise.resolve(value())
  }
  const pairs = () =>
    [...wecom.members.values()].flatMap(({ userid, departments }) =>
      departments.map((department) => ({ userid, department })),
    )
  const port: Partial<WecomPort> = {
    departments: () => answer(() => wecom.departments),
    membersOf: (_app, id) => answer(() => [...wecom.members.values()].filter((one) => one.departments.includes(id))),
    member: (_app, userid) => answer(() => wecom.members.get(userid) ?? null),
    memberIds: (_app, cursor) =>
      answer(() => {
        const [all, from] = [pairs(), Number(cursor ?? '0')]
        const to = from + wecom.perPage
        return { items: all.slice(from, to), next: to < all.length ? String(to) : null }
      }),
  }
  return { ...noPorts, wecom: port as WecomPort }
}

async function listsIds(database: TestDatabase, company: TestCompany): Promise<void> {
  await database.tx((tx) => {
    const place = { table: 'wecom_connection', column: 'contact_secret_sealed', rowId: company.id }
    const sealed = tx.house.seal.seal(place, 'SANDBOXcontact')
    return change(tx.em, 'update wecom_connection set contact_secret_sealed = ? where company_id = ?', [
      sealed,
      company.id,
    ])
  })
}

onBothDatabases('reading the directory', (database) => {
  const sync = (company: TestCompany, wecom: Wecom) => syncDirectory(database.edge(portsOf(wecom)), company.id)
  const view = (company: TestCompany) => hrOf(database, company).read((tx) => readDirectory(tx))
  const changes = async (company: TestCompany) => {
    const page = await hrOf(database, company).read((tx) => readDirectoryChanges(tx, { limit: 200 }))
    const rows = page.changes.map((one) => [one.kind, one.wecomUserId, one.person?.name ?? null])
    return rows.sort((a, b) => (a.join() < b.join() ? -1 : 1))
  }
  const present = (company: TestCompany) =>
    database.tx((tx) =>
      sql<{ departments: string; person: Id<'person'> | null }>(
        tx.em,
        "select departments, person_id as person from directory_member where company_id = ? and state = 'present' order by departments",
        [company.id],
      ),
    )

  test('the first reading finds everybody; the next ones who joined, left and moved, tied to our people', async () => {
    const company = await aCompany(database)
    const [jia, yi] = await somePeople(database, company.id, [
      { name: '甲一', userid: 'JiaYi' },
      { name: '乙二', userid: 'yi' },
    ])
    const wecom = aDirectory([
      ['jiayi', [2, 3]],
      ['yi', [2]],
      ['bing', [3]],
      ['ding', [1]],
    ])
    await sync(company, wecom)
    expect(await view(company)).toMatchObject({
      connection: 'active',
      sync: { state: 'done', members: 4, joined: 4, gone: 0, moved: 0, code: null },
      members: 4,
      onStaffList: 2,
      departmentCount: 3,
      open: { joined: 0, left: 0, moved: 0, renamed: 0, second: 0 },
    })
    expect(await changes(company)).toEqual([])
    expect(await present(company)).toEqual([
      { departments: '1', person: null },
      { departments: '2', person: yi },
      { departments: '2,3', person: jia },
      { departments: '3', person: null },
    ])
    wecom.members.delete('yi')
    wecom.members.set('wu', { userid: 'Wu', name: '戊', departments: [2] })
    wecom.members.set('jiayi', { userid: 'jiayi', name: '名jiayi', departments: [3] })
    await sync(company, wecom)
    const found = [
      ['joined', 'Wu', null],
      ['left', 'yi', '乙二'],
      ['moved', 'jiayi', '甲一'],
    ]
    expect(await changes(company)).toEqual(found)
    await sync(company, wecom)
    expect(await changes(company)).toEqual(found)
    // Back before anybody acted: then nobody has left, and nobody has moved.
    wecom.members.set('yi', { userid: 'YI', name: '乙', departments: [2] })
    wecom.members.set('jiayi', { userid: 'jiayi', name: '名jiayi', departments: [2, 3] })
    wecom.members.delete('wu')
    await sync(company, wecom)
    expect(await changes(company)).toEqual([])
  })

  test('a member in several departments comes several times, on other pages too; a stop at any page goes on', async () => {
    const company = await aCompany(database)
    await listsIds(database, company)
    const wecom = aDirectory(Array.from({ length: 11 }, (_, i) => [`u${i}`, [2, 3, 4].slice(0, 1 + (i % 3))] as const))
    let stops = 0
    for (;;) {
      wecom.answers = 1
      try {
        await sync(company, wecom)
        break
      } catch (error) {
        expect(error).toBe(busy)
        stops += 1
      }
      expect(await present(company)).toEqual([])
    }
    expect(stops).toBeGreaterThan(5)
    const rows = await present(company)
    expect(rows.map((row) => row.departments)).toEqual([
      ...Array.from({ length: 4 }, () => '2'),
      ...Array.from({ length: 4 }, () => '2,3'),
      ...Array.from({ length: 3 }, () => '2,3,4'),
    ])
    expect((await view(company)).sync).toMatchObject({ state: 'done', members: 11, joined: 11 })
  })

  test('a reading that shrinks, stays empty or fails concludes nothing until a person says so', async () => {
    const company = await aCompany(database)
    const other = await aCompany(database)
    const people = Array.from({ length: 9 }, (_, i) => [`u${i}`, [2]] as const)
    const wecom = aDirectory(people)
    await sync(company, wecom)
    for (let i = 0; i < 4; i += 1) wecom.members.delete(`u${i}`)
    await sync(company, wecom)
    const held = await view(company)
    expect(held).toMatchObject({ members: 9, held: 4, sync: { state: 'done', code: 'leavers_held', gone: 0 } })
    expect(await changes(company)).toEqual([])
    wecom.members.clear()
    await sync(company, wecom)
    expect(await view(company)).toMatchObject({ members: 9, held: 9, sync: { code: 'leavers_held' } })
    wecom.answers = 1
    wecom.fault = new OutsideError('refused', '60011', 'no privilege')
    await sync(company, wecom)
    expect(await view(company)).toMatchObject({ members: 9, held: 0, sync: { state: 'failed', code: '60011' } })
    wecom.answers = Infinity
    for (const [userid] of people.slice(4)) wecom.members.set(userid, { userid, name: null, departments: [2] })
    await sync(company, wecom)
    const last = (await view(company)).sync!.id
    const confirm = (who: TestCompany, id: Id<'directorySync'>) =>
      hrOf(database, who).tx((tx) => confirmLeavers(tx, id))
    await expect(confirm(other, last)).rejects.toMatchObject({ code: 'not_found' })
    await expect(confirm(company, held.sync!.id)).rejects.toMatchObject({ code: 'state_conflict' })
    await confirm(company, last)
    await expect(confirm(company, last)).rejects.toMatchObject({ code: 'state_conflict' })
    await sync(company, wecom)
    expect(await view(company)).toMatchObject({ members: 5, held: 0, sync: { state: 'done', code: null, gone: 4 } })
    expect((await changes(company)).map(([kind]) => kind)).toEqual(['left', 'left', 'left', 'left'])
  })

  test('a broken credential fails the reading and breaks the connection; without one nothing is read', async () => {
    const company = await aCompany(database)
    const wecom = aDirectory([['a', [1]]])
    wecom.answers = 0
    wecom.fault = new OutsideError('broken', '40001', 'wrong secret')
    await sync(company, wecom)
    expect(await view(company)).toMatchObject({ connection: 'broken', sync: { state: 'failed', code: '40001' } })
    await sync(company, wecom)
    expect(wecom.calls).toBe(1)
  })

  test('two readings at once make one, and what an event told meanwhile stands', async () => {
    const company = await aCompany(database)
    await listsIds(database, company)
    const wecom = aDirectory(Array.from({ length: 40 }, (_, i) => [`u${i}`, [2]] as const))
    await sync(company, wecom)
    wecom.members.delete('u3')
    wecom.members.set('late', { userid: 'late', name: '晚', departments: [2] })
    await Promise.all([sync(company, wecom), sync(company, wecom), sync(company, wecom)])
    expect(await changes(company)).toEqual([
      ['joined', 'late', null],
      ['left', 'u3', null],
    ])
    const runs = await database.tx((tx) => sql(tx.em, 'select id from directory_sync'))
    expect(runs.length).toBeLessThanOrEqual(4)
    // A reading stops after its first page; events tell of somebody whom it will not see, and of somebody who went.
    wecom.answers = 2
    await expect(sync(company, wecom)).rejects.toBe(busy)
    const later = database.edge(noPorts, undefined, () => Date.now() + 10)
    await later.tx((tx) => keepMember(tx, company.id, 'after', { userid: 'after', name: null, departments: [9] }))
    await later.tx((tx) => keepMember(tx, company.id, 'u0', null))
    wecom.answers = Infinity
    await sync(company, wecom)
    expect(await changes(company)).toEqual([
      ['joined', 'after', null],
      ['joined', 'late', null],
      ['left', 'u0', null],
      ['left', 'u3', null],
    ])
  })

  test('10,000 members by pages with a stop at every tenth call', async () => {
    const company = await aCompany(database)
    await listsIds(database, company)
    const wecom = aDirectory(Array.from({ length: 10_000 }, (_, i) => [`m${i}`, [2 + (i % 30)]] as const))
    wecom.perPage = 400
    for (let ended = false; !ended;) {
      wecom.answers = 10
      ended = await sync(company, wecom).then(
        () => true,
        () => false,
      )
    }
    wecom.answers = Infinity
    expect(await view(company)).toMatchObject({ members: 10_000, sync: { state: 'done', members: 10_000 } })
    for (let i = 0; i < 100; i += 1) wecom.members.delete(`m${i * 7}`)
    await sync(company, wecom)
    expect(await view(company)).toMatchObject({ members: 9_900, open: { left: 100 }, sync: { gone: 100 } })
  })
})

test('a third may leave at once, two always; a reading that saw nobody says nothing', () => {
  expect(holdsLeavers({ present: 9, missing: 3, seen: 6 })).toBe(false)
  expect(holdsLeavers({ present: 9, missing: 4, seen: 5 })).toBe(true)
  expect(holdsLeavers({ present: 3, missing: 2, seen: 1 })).toBe(false)
  expect(holdsLeavers({ present: 1, missing: 1, seen: 0 })).toBe(true)
  expect(holdsLeavers({ present: 9, missing: 0, seen: 0 })).toBe(false)
})

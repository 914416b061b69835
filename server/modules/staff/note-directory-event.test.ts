import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import { applyRoster } from '../../../jobs/apply-roster.ts'
import type { Ports, WecomPort } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { somePeople } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { anUpload, hrOf, noPorts } from '../../testing/uploads.ts'
import { wecomOf } from '../../testing/wecom.ts'
import type { WecomEventView } from '../company/read-event.ts'
import { startApplying } from './apply-roster.ts'
import { findPersonByUserId } from './find-person.ts'
import { forgetDirectory } from './forget-directory.ts'
import { matchPeople } from './match-people.ts'
import { noteDirectoryEvent } from './note-directory-event.ts'
import { readDirectory, readDirectoryChanges } from './read-directory.ts'
import { syncDirectory } from './sync-directory.ts'

onBothDatabases('events of the directory', (database) => {
  let box: WecomSandbox
  let ports: Ports
  beforeEach(async () => {
    box = await startWecomSandbox({ now: Date.now })
    ports = { ...noPorts, wecom: wecomOf(box) }
  })
  afterEach(() => box.close())

  const ctl = async (company: TestCompany, path: string, body: object = {}): Promise<void> => {
    const answer = await fetch(`${box.baseUrl}/__ctl/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ corpId: company.wecom.corpId, ...body }),
    })
    if (!answer.ok) throw new Error(`sandbox: ${path} ${answer.status} ${await answer.text()}`)
  }
  let events = 0
  const eventOf = (company: TestCompany, changeType: string, fields: Record<string, string>): WecomEventView => ({
    id: `wev_${String((events += 1)).padStart(13, '0')}` as Id<'wecomEvent'>,
    companyId: company.id,
    suiteId: null,
    kind: 'change_contact',
    changeType,
    fields,
    receivedAtMs: Date.now(),
    state: 'received',
  })
  const note = (event: WecomEventView) => noteDirectoryEvent(database.edge(ports), event)
  const sync = (company: TestCompany) => syncDirectory(database.edge(ports), company.id)
  const changes = async (company: TestCompany) => {
    const page = await hrOf(database, company).read((tx) => readDirectoryChanges(tx, { limit: 200 }))
    const rows = page.changes.map((one) => [one.kind, one.wecomUserId, one.person?.name ?? null])
    return rows.sort((a, b) => (a.join() < b.join() ? -1 : 1))
  }
  const applyList = async (company: TestCompany, rows: string): Promise<void> => {
    const id = await anUpload(database, company, `姓名,手机,企业微信账号\n${rows}`)
    await hrOf(database, company).tx((tx) => startApplying(tx, { id, leaveOutFaulty: false, markLeavers: false }))
    await applyRoster(database.edge(noPorts), id)
  }
  const peopleOf = async (company: TestCompany): Promise<Id<'person'>[]> => {
    const rows = await database.tx((tx) =>
      sql<{ id: Id<'person'> }>(tx.em, 'select id from person where company_id = ? order by id', [company.id]),
    )
    return rows.map((row) => row.id)
  }
  const staff = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((userid) => ({ userid, name: `名${userid}` }))
  async function aReadCompany() {
    const company = await aCompany(database, { sandbox: box, staff })
    const people = await somePeople(database, company.id, staff)
    await ctl(company, 'departments', { id: 2, name: '二部' })
    await sync(company)
    return { company, people }
  }

  test('doubled, out of order and lost: what WeCom says now is what stands, and the next reading heals the rest', async () => {
    const { company } = await aReadCompany()
    await ctl(company, 'members/new/enter', { name: '新', departments: [2] })
    await ctl(company, 'members/a/leave')
    await ctl(company, 'members/b/change', { departments: [2] })
    await ctl(company, 'members/c/leave')
    await ctl(company, 'members/d/change', { departments: [2] })
    const told = [
      eventOf(company, 'delete_user', { UserID: 'A' }),
      // Late: the member came back meanwhile, as far as this event knows.
      eventOf(company, 'create_user', { UserID: 'a', Department: '1' }),
      eventOf(company, 'update_user', { UserID: 'b', Department: '1' }),
      eventOf(company, 'create_user', { UserID: 'new', Department: '2' }),
      // Stale: this member is still there.
      eventOf(company, 'delete_user', { UserID: 'e' }),
    ]
    for (const event of [...told, ...told.toReversed(), ...told]) await note(event)
    const known = [
      ['joined', 'new', null],
      ['left', 'a', '名a'],
      ['moved', 'b', '名b'],
    ]
    expect(await changes(company)).toEqual(known)
    await sync(company)
    const healed = [...known, ['left', 'c', '名c'], ['moved', 'd', '名d']]
    expect(await changes(company)).toEqual(healed.sort((x, y) => (x.join() < y.join() ? -1 : 1)))
  })

  test('a rename moves all that stands under the account, before and after a reading took it for two people', async () => {
    const { company, people } = await aReadCompany()
    const find = (userid: string) => database.tx((tx) => findPersonByUserId(tx, company.id, userid))
    await ctl(company, 'members/a/change', { userid: 'a-new' })
    const first = eventOf(company, 'update_user', { UserID: 'a', NewUserID: 'a-new' })
    await note(first)
    await note(first)
    expect(await find('A-NEW')).toEqual({ id: people[0] })
    expect(await find('a')).toBe(null)
    expect(await changes(company)).toEqual([['renamed', 'a-new', '名a']])
    await ctl(company, 'members/b/change', { userid: 'b-new' })
    await sync(company)
    expect(await changes(company)).toEqual([
      ['joined', 'b-new', null],
      ['left', 'b', '名b'],
      ['renamed', 'a-new', '名a'],
    ])
    await note(eventOf(company, 'update_user', { UserID: 'b', NewUserID: 'b-new' }))
    expect(await changes(company)).toEqual([
      ['renamed', 'a-new', '名a'],
      ['renamed', 'b-new', '名b'],
    ])
    expect(await find('b-new')).toEqual({ id: people[1] })
    // Somebody of the console is renamed with them.
    await ctl(company, 'members/hr/change', { userid: 'hr-new' })
    await note(eventOf(company, 'update_user', { UserID: 'hr', NewUserID: 'hr-new' }))
    const trail = await database.tx((tx) =>
      sql(tx.em, "select object_id as id from trail where act = 'member.renamed'"),
    )
    expect(trail).toEqual([{ id: company.members.hr }])
    const other = await aCompany(database)
    expect(await changes(other)).toEqual([])
  })

  test('a visible range that shrinks makes nobody a leaver by its events; one reading is asked for, which holds them', async () => {
    const { company } = await aReadCompany()
    await ctl(company, 'members/a/change', { departments: [2] })
    await sync(company)
    const { agentId } = company.wecom
    await ctl(company, 'apps', { agentId, visible: { departments: [2] } })
    for (const { userid } of staff)
      await note({ ...eventOf(company, 'none', { FromUserName: userid }), kind: 'unsubscribe', changeType: null })
    expect(await changes(company)).toEqual([['moved', 'a', '名a']])
    const jobs = await database.tx((tx) => sql(tx.em, "select id from job where kind = 'directory.sync'"))
    expect(jobs).toHaveLength(1)
    await sync(company)
    const view = await hrOf(database, company).read(readDirectory)
    expect(view).toMatchObject({ sync: { code: 'leavers_held' }, held: 10, open: { left: 0 } })
  })

  test('ids of a provider app keep their case, in events of suites, in lists and in look-ups', async () => {
    const company = await aCompany(database)
    await database.tx((tx) =>
      change(tx.em, "update wecom_connection set kind = 'third_party', suite_id = 'wwsuite' where company_id = ?", [
        company.id,
      ]),
    )
    const ids = ['woAbC', 'woabc', 'woNew']
    const asked: string[][] = []
    const port: Partial<WecomPort> = {
      departments: async () => [{ id: 1, parentId: 0, name: null }],
      membersOf: async () => ids.slice(0, 2).map((userid) => ({ userid, name: null, departments: [1] })),
      authInfo: async () => ({ userIds: [] as string[] }) as unknown as Awaited<ReturnType<WecomPort['authInfo']>>,
      member: async (_app, userid) => (ids.includes(userid) ? { userid, name: null, departments: [1] } : null),
      openUserIds: async (_app, userIds) => {
        asked.push([...userIds])
        return new Map(userIds.flatMap((id) => (id === 'zhangsan' ? [[id, 'woAbC'] as const] : [])))
      },
      userIdByMobile: async (_app, mobile) => (mobile === '13800000002' ? 'woabc' : null),
    }
    const edge = database.edge({ ...noPorts, wecom: port as WecomPort })
    await syncDirectory(edge, company.id)
    const opened = { OpenUserID: 'woNew', UserID: 'wonew', Name: 'woNew' }
    await noteDirectoryEvent(edge, { ...eventOf(company, 'create_user', opened), suiteId: 'wwsuite' })
    const view = await hrOf(database, company).read(readDirectory)
    expect(view).toMatchObject({ members: 3, openData: { suiteId: 'wwsuite' }, open: { joined: 1 } })
    expect(await changes(company)).toEqual([['joined', 'woNew', null]])
    await applyList(company, '甲,13800000001,zhangsan\n乙,13800000002,ZhangSan\n丙,13800000003,\n')
    const people = await peopleOf(company)
    const matches = await matchPeople(edge, company.id, people)
    expect(people.map((id) => matches.get(id))).toEqual([
      { userid: 'woAbC' },
      { userid: 'woabc' },
      { reason: 'no_wecom_account' },
    ])
    await matchPeople(edge, company.id, people)
    expect(asked).toEqual([['zhangsan', 'ZhangSan']])
    const find = (userid: string) => database.tx((tx) => findPersonByUserId(tx, company.id, userid))
    expect(await find('woAbC')).toEqual({ id: people[0] })
    expect(await find('woabc')).toEqual({ id: people[1] })
    expect(await find('WOABC')).toBe(null)
    // The same list again finds the same people by the accounts that it names.
    await applyList(company, '甲,,zhangsan\n乙,,ZhangSan\n')
    expect(await peopleOf(company)).toEqual(people)
    // Another space: what WeCom told is forgotten, and the list is asked about anew.
    while ((await database.tx((tx) => forgetDirectory(tx, company.id))) > 0);
    expect(await hrOf(database, company).read(readDirectory)).toMatchObject({ members: 0, sync: null })
    expect(await find('woAbC')).toBe(null)
    expect((await matchPeople(edge, company.id, people)).get(people[0]!)).toEqual({ userid: 'woAbC' })
    expect(asked.at(-1)).toEqual(['zhangsan', 'ZhangSan'])
  })
})

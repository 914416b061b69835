import { afterEach, beforeEach, expect, test } from 'vitest'
import { wecomOf } from '../../testing/wecom.ts'
import { boxApp as app, failureOf, openBox, type Box } from '../../testing/wecom-box.ts'

let it: Box
beforeEach(async () => {
  it = await openBox()
})
afterEach(() => it.close())

/** Departments 2 工厂 with 3 一车间 below it, and 张三 in both. */
function departments() {
  it.box.companies.putDepartment({ corpId: app.corpId, id: 2, name: '工厂' })
  it.box.companies.putDepartment({ corpId: app.corpId, id: 3, name: '一车间', parentId: 2 })
  it.box.companies.changeMember('ZhangSan', { corpId: app.corpId, departments: [2, 3] })
}

test('a mobile gives its member or null', async () => {
  expect(await it.port.userIdByMobile(app, '13800000001')).toBe('ZhangSan')
  expect(await it.port.userIdByMobile(app, '13899999999')).toBeNull()
})

test('row 26: above a fifth of wrong mobiles the day is barred', async () => {
  const { corpId, agentId, secret } = app
  it.box.control.upsertCorp({ corpId, agentId, secret, accountLimit: 10, trustedDomains: [], members: [] })
  for (let i = 0; i < 3; i += 1) expect(await it.port.userIdByMobile(app, `1390000000${i}`)).toBeNull()
  expect(await failureOf(it.port.userIdByMobile(app, '13800000001'))).toMatchObject({ outcome: 'busy', code: '45009' })
})

test('departments come with their names and parents, members by department, one by one and as ids', async () => {
  departments()
  expect(await it.port.departments(app)).toEqual([
    { id: 1, parentId: 0, name: expect.any(String) as string },
    { id: 2, parentId: 1, name: '工厂' },
    { id: 3, parentId: 2, name: '一车间' },
  ])
  expect(await it.port.membersOf(app, 3)).toEqual([{ userid: 'ZhangSan', name: '张三', departments: [2, 3] }])
  expect((await it.port.membersOf(app, 1)).map((one) => one.userid)).not.toContain('WangWu')
  expect(await it.port.member(app, 'zhangsan')).toEqual({ userid: 'ZhangSan', name: '张三', departments: [2, 3] })
  expect(await it.port.member(app, 'WangWu')).toBeNull()
  expect(await it.port.member(app, 'Nobody')).toBeNull()
})

test('members who left are nobody', async () => {
  it.box.companies.changeMember('ZhangSan', { corpId: app.corpId, status: 5 })
  expect(await it.port.member(app, 'ZhangSan')).toBeNull()
})

test('row 28: ids are read by the contact secret, page by page, a member once a department', async () => {
  departments()
  const all: { userid: string; department: number }[] = []
  let pages = 0
  const seen = wecomOf(it.box, {
    now: it.now,
    // A page of WeCom is smaller than what was asked for: ask for 40 to see several.
    fetch: (url, init) => {
      const body = init?.body
      const text = Buffer.isBuffer(body) ? body.toString().replace('"limit":10000', '"limit":40') : body
      return fetch(url, { ...init, body: text ?? null })
    },
  })
  for (let cursor: string | null = null; ;) {
    const page = await seen.memberIds(app, cursor)
    all.push(...page.items)
    pages += 1
    cursor = page.next
    if (cursor === null) break
  }
  expect(pages).toBe(3)
  expect(all).toHaveLength(104)
  expect(all.filter((one) => one.userid === 'ZhangSan').map((one) => one.department)).toEqual([2, 3])
  expect(all.map((one) => one.userid)).toContain('WangWu')
  expect(await failureOf(seen.memberIds(app, 'invented'))).toMatchObject({ outcome: 'refused', code: '50100' })
})

test('names are read part by part where all of them are too big an answer', async () => {
  departments()
  it.box.control.addFault({ path: 'department/list', kind: 'errcode', errcode: 45029, times: 2 })
  expect((await it.port.departments(app)).map((one) => one.name)).toEqual([
    expect.any(String) as string,
    '工厂',
    '一车间',
  ])
  it.box.control.addFault({ path: 'department/list', kind: 'errcode', errcode: 60011 })
  expect((await it.port.departments(app)).map((one) => one.name)).toEqual([null, null, null])
  it.box.control.addFault({ path: 'department/list', kind: 'errcode', errcode: -1 })
  expect(await failureOf(it.port.departments(app))).toMatchObject({ outcome: 'busy' })
})

test('self-built apps convert no ids, and too many at once never leave', async () => {
  expect(await failureOf(it.port.openUserIds(app, ['ZhangSan']))).toMatchObject({ code: '48002' })
  expect((await it.port.openUserIds(app, [])).size).toBe(0)
  await expect(it.port.openUserIds(app, Array.from({ length: 1_001 }, String))).rejects.toThrow(RangeError)
})

test('row 29: too many calls at once are busy, not refused', async () => {
  it.box.control.set({ parallelCalls: 0 })
  expect(await failureOf(it.port.member(app, 'ZhangSan'))).toMatchObject({ outcome: 'busy', code: '45033' })
})

import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldsOf, startListener, until } from '../testing/callback-listener.ts'
import { company, installSuite, startCompany, type CompanyWorld } from '../testing/company.ts'
import { corp, provider, startProviderWorld } from '../testing/provider.ts'
import { cipherOf, plainOf } from './cipher.ts'

let world: CompanyWorld
beforeEach(async () => {
  world = await startCompany()
})
afterEach(() => world.close())

type Json = Record<string, unknown>
const { corpId, agentId } = company
const see = (visible: object) => world.box.companies.putApp({ corpId, agentId, visible } as never)
const names = async (api: string) => ((await world.call(api))['userlist'] as Json[]).map((one) => one['userid'])
const contact = async (api: string, body?: object) => {
  const path = `/cgi-bin/${api}${api.includes('?') ? '&' : '?'}access_token=${await world.token(company.contactSecret)}`
  return body ? world.post(path, body) : world.get(path)
}

test('departments and members inside the visible range only; a department’s own members, not those below', async () => {
  const all = await world.call('department/simplelist')
  expect(all['department_id']).toEqual([
    { id: 1, parentid: 0, order: 1 },
    { id: 2, parentid: 1, order: 0 },
    { id: 3, parentid: 2, order: 0 },
  ])
  expect((await world.call('department/list?id=2'))['department']).toMatchObject([
    { id: 2, name: '工厂', parentid: 1 },
    { id: 3, name: '一车间', parentid: 2 },
  ])
  expect(await world.call('department/get?id=3')).toMatchObject({ department: { name: '一车间' } })
  expect(await world.code('department/get?id=9')).toBe(60123)
  expect(await names('user/simplelist?department_id=2')).toEqual(['LiSi', 'ZhaoLiu'])
  see({ departments: [3], userIds: ['SunQi'] })
  expect((await world.call('department/simplelist'))['department_id']).toEqual([{ id: 3, parentid: 2, order: 0 }])
  expect(await world.code('department/simplelist?id=1')).toBe(0)
  expect(await world.code('department/get?id=2')).toBe(60011)
  expect(await world.code('user/simplelist?department_id=2')).toBe(60011)
  expect(await names('user/simplelist?department_id=3')).toEqual(['WangWu', 'ZhaoLiu'])
  expect(await world.call('user/get?userid=sunqi')).toMatchObject({ userid: 'SunQi', name: '员工SunQi' })
  expect([await world.code('user/get?userid=LiSi'), await world.code('user/get?userid=x')]).toEqual([60021, 60111])
  await world.post('/__ctl/settings', { mostDetails: 1 })
  expect(await world.code('user/list?department_id=3')).toBe(45029)
})

test('row 28: list_id goes by opaque cursors in pages smaller than asked, a member once for each department', async () => {
  const found: Json[] = []
  const cursors: string[] = []
  for (let cursor = ''; cursors.length < 10;) {
    const page = await contact('user/list_id', { cursor, limit: 3 })
    const list = page['dept_user'] as Json[]
    expect(list.length).toBeLessThan(3)
    found.push(...list)
    cursor = String(page['next_cursor'])
    if (cursor === '') break
    expect(cursor).not.toMatch(/^\d+$/)
    cursors.push(cursor)
  }
  expect(found).toEqual([
    { userid: 'ZhangSan', department: 1 },
    { userid: 'LiSi', department: 2 },
    { userid: 'WangWu', department: 3 },
    { userid: 'ZhaoLiu', department: 2 },
    { userid: 'ZhaoLiu', department: 3 },
    { userid: 'SunQi', department: 1 },
  ])
  expect(new Set(cursors).size).toBe(cursors.length)
  expect(await contact('user/list_id', { cursor: 'CURSORxyz', limit: 3 })).toMatchObject({ errcode: 50100 })
  expect(await contact('user/list_id', { limit: 10_001 })).toMatchObject({ errcode: 40058 })
  expect(await world.code('user/list_id', {})).toBe(48002)
})

test('row 4: the contact-sync secret lists ids and departments and gets no details', async () => {
  expect(await contact('department/simplelist')).toMatchObject({ errcode: 0 })
  for (const api of [
    'department/list',
    'user/get?userid=LiSi',
    'user/simplelist?department_id=1',
    'user/list?department_id=1',
  ])
    expect([api, (await contact(api))['errcode']]).toEqual([api, 48009])
})

test('row 21: fields by the kind of app and by when it was made', async () => {
  const mine = await world.call('user/get?userid=LiSi')
  expect(mine).toMatchObject({ name: '员工LiSi', department: [2], main_department: 2, status: 1 })
  for (const field of ['mobile', 'email', 'avatar', 'gender', 'qr_code', 'address'])
    expect(mine).not.toHaveProperty(field)
  world.box.companies.putApp({ corpId, agentId, createdAtMs: Date.UTC(2022, 5, 20, 12) - 1 })
  expect(await world.call('user/get?userid=LiSi')).toMatchObject({
    mobile: '13800000002',
    email: 'lisi@company.example',
  })
  world.box.companies.putApp({ corpId, agentId, createdAtMs: Date.UTC(2022, 5, 20, 12) })
  expect(await world.call('user/get?userid=LiSi')).not.toHaveProperty('mobile')
})

test('row 20, 21: a provider’s app knows ciphers only, and names only where an admin granted them', async () => {
  const providers = await startProviderWorld()
  const [third, custom] = [provider.suites[0].suiteId, provider.suites[1].suiteId]
  const apps = [await installSuite(providers, third, corp.corpId), await installSuite(providers, custom, corp.corpId)]
  const zhang = cipherOf(provider.corpId, 'ZhangSan')
  for (const { token } of apps) {
    const get = (api: string) => providers.get(`/cgi-bin/${api}&access_token=${token}`)
    expect(await get(`user/get?userid=${zhang}`)).toMatchObject({ errcode: 0, userid: zhang, name: zhang })
    expect(await get('user/get?userid=ZhangSan')).toMatchObject({ errcode: 60111 })
    expect(await get(`user/get?userid=${zhang.toLowerCase()}`)).toMatchObject({ errcode: 60111 })
    const { userlist } = await get('user/simplelist?department_id=1')
    expect((userlist as Json[])[0]).toMatchObject({ userid: zhang, name: zhang })
    expect((await get('department/list?id=1'))['department']).toMatchObject([{ id: 1, name: '1' }])
    const open = await providers.post(`/cgi-bin/batch/userid_to_openuserid?access_token=${token}`, {
      userid_list: ['zhangsan', 'nobody'],
    })
    expect(open).toMatchObject({
      open_userid_list: [{ userid: 'zhangsan', open_userid: zhang }],
      invalid_userid_list: ['nobody'],
    })
    const mobile = { mobile: '13800000000' }
    expect(await providers.post(`/cgi-bin/user/getuserid?access_token=${token}`, mobile)).toMatchObject({
      userid: zhang,
    })
  }
  const [first, second] = apps
  providers.box.companies.putApp({ corpId: corp.corpId, agentId: second?.agentId ?? 0, grants: ['name'] })
  const named = await providers.get(`/cgi-bin/user/get?userid=${zhang}&access_token=${second?.token}`)
  expect(named).toMatchObject({ userid: zhang, name: '员工ZhangSan' })
  const own = await providers.get(`/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=${corp.secret}`)
  const back = await providers.post(`/cgi-bin/batch/openuserid_to_userid?access_token=${String(own['access_token'])}`, {
    open_userid_list: [zhang, 'x'],
    source_agentid: first?.agentId,
  })
  expect(back).toMatchObject({
    userid_list: [{ open_userid: zhang, userid: 'ZhangSan' }],
    invalid_open_userid_list: ['x'],
  })
  await providers.close()
})

test('row 20: ciphers are stable, differ between providers and in case, and open for their own provider alone', () => {
  const ids = ['ZhangSan', 'zhangsan', 'a', 'x'.repeat(40)]
  for (const id of ids) {
    const cipher = cipherOf('wwprovider', id)
    expect(cipherOf('wwprovider', id)).toBe(cipher)
    expect(cipher.length).toBeLessThanOrEqual(64)
    expect(plainOf('wwprovider', cipher)).toBe(id)
    expect(plainOf('wwother', cipher)).toBeNull()
    expect(cipherOf('wwother', id)).not.toBe(cipher)
    expect(plainOf('wwprovider', id)).toBeNull()
  }
  expect(new Set(ids.map((id) => cipherOf('wwprovider', id))).size).toBe(ids.length)
})

test('row 26: wrong mobiles above a fifth of the accounts bar the look-up until the next day', async () => {
  world.box.control.upsertCorp({ ...company, accountLimit: 10, members: [] })
  see({ departments: [1] })
  const look = (mobile: string) => world.call('user/getuserid', { mobile })
  expect(await look('13800000001')).toMatchObject({ errcode: 0, userid: 'ZhangSan' })
  for (let i = 0; i < 3; i += 1) expect(await look(`1390000000${i}`)).toMatchObject({ errcode: 46004 })
  expect(await look('13800000001')).toMatchObject({ errcode: 45009 })
  world.box.control.advance(14 * 3_600_000)
  expect(await look('13800000001')).toMatchObject({ errcode: 0 })
  const mail = (email: string, more: object = {}) => world.code('user/get_userid_by_email', { email, ...more })
  expect(await mail('LISI@company.example')).toBe(0)
  expect(await mail('lisi@company.example', { email_type: 2 })).toBe(46004)
  expect(await mail('nobody@company.example')).toBe(46004)
})

test('what people change in the console is told to the apps that see it; what an API changes is told to nobody', async () => {
  const keys = { token: 'SANDBOXtoken', encodingAesKey: 'SANDBOX'.padEnd(43, '0') }
  const listener = await startListener(keys)
  await world.box.control.saveCallback({ corpId, ...keys, url: listener.url })
  see({ departments: [2] })
  await until(() => listener.heard.length === 2, 'two who went out of the range')
  listener.heard.length = 0
  const ctl = async (path: string, body: object) =>
    expect([path, (await world.post(`/__ctl/${path}`, { corpId, ...body }))['ok']]).toEqual([path, true])
  const told = async (count: number) => {
    await until(() => listener.heard.length >= count, `${count} events`)
    return listener.heard.splice(0).map(({ plain }) => {
      const { Event, ChangeType, FromUserName, UserID, NewUserID, Department, Id, Name } = fieldsOf(plain)
      const seen = { Event, ChangeType, FromUserName, UserID, NewUserID, Department, Id, Name }
      return Object.fromEntries(Object.entries(seen).filter(([, value]) => value !== undefined))
    })
  }
  const sys = { Event: 'change_contact', FromUserName: 'sys' }
  await ctl('members/QianBa/enter', { name: '钱八', departments: [3] })
  expect(await told(2)).toEqual([
    { Event: 'subscribe', FromUserName: 'QianBa' },
    { ...sys, ChangeType: 'create_user', UserID: 'QianBa', Department: '3' },
  ])
  await ctl('members/qianba/change', { userid: 'qian8', departments: [2] })
  expect(await told(1)).toEqual([
    { ...sys, ChangeType: 'update_user', UserID: 'QianBa', NewUserID: 'qian8', Department: '2' },
  ])
  await ctl('departments', { id: 4, name: '二车间', parentId: 2 })
  expect(await told(1)).toEqual([{ ...sys, ChangeType: 'create_party', Id: '4', Name: '二车间' }])
  await ctl('members/qian8/change', { name: '钱多多', mobile: '13911112222' })
  await ctl('members/outsider/enter', { name: '总部的人', departments: [1] })
  await ctl('departments', { id: 5, name: '总部办公室', parentId: 1 })
  await ctl('members/qian8/change', { departments: [1] })
  expect(await told(2)).toEqual([
    { Event: 'unsubscribe', FromUserName: 'qian8' },
    { ...sys, ChangeType: 'update_user', UserID: 'qian8', Department: '1' },
  ])
  await ctl('members/lisi/leave', {})
  expect(await told(2)).toEqual([
    { Event: 'unsubscribe', FromUserName: 'LiSi' },
    { ...sys, ChangeType: 'delete_user', UserID: 'LiSi' },
  ])
  const made = { userid: 'viaapi', name: '接口', mobile: '13922223333', department: [2] }
  expect(await contact('user/create', made)).toMatchObject({ errcode: 0 })
  expect(await contact('user/update', { userid: 'viaapi', department: [3] })).toMatchObject({ errcode: 0 })
  expect(await world.call('user/get?userid=viaapi')).toMatchObject({ department: [3], status: 4 })
  expect(await contact('user/delete?userid=viaapi')).toMatchObject({ errcode: 0 })
  expect(await world.code('user/create', made)).toBe(48002)
  await ctl('departments/remove', { id: 4 })
  expect(await told(1)).toEqual([{ ...sys, ChangeType: 'delete_party', Id: '4' }])
  await listener.close()
})

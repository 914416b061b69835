import { afterEach, beforeEach, expect, test } from 'vitest'
import { startListener } from '../testing/callback-listener.ts'
import { company, startCompany, type CompanyWorld } from '../testing/company.ts'

let world: CompanyWorld
beforeEach(async () => {
  world = await startCompany()
})
afterEach(() => world.close())

const base = `/admin/${company.corpId}`
const page = async (path: string) => (await fetch(world.box.baseUrl + base + path)).text()
const form = async (path: string, fields: readonly (readonly [string, string])[], from = path) => {
  const body = new URLSearchParams()
  for (const [name, value] of fields) body.append(name, value)
  const headers = { referer: `${world.box.baseUrl}${base}${from}` }
  return (await fetch(world.box.baseUrl + base + path, { method: 'POST', body, headers })).text()
}
const app = `/apps/${company.agentId}`
const person = (userid: string, name: string, department: string) =>
  [
    ['userid', userid],
    ['name', name],
    ['mobile', ''],
    ['email', ''],
    ['status', '1'],
    ['department', department],
  ] as const

test('an admin changes the visible range, the trusted names and the switch of an app by hand', async () => {
  expect(await page('')).toMatch(/福利卡<\/a>[\s\S]*自建应用[\s\S]*全部成员/)
  const fields = [
    ['department', '3'],
    ['userIds', 'SunQi\n'],
  ] as const
  expect(await form(`${app}/range`, fields)).toContain('可见范围已保存')
  expect(await page('')).toContain('一车间、1 人')
  expect(await world.code('user/get?userid=SunQi')).toBe(0)
  expect(await world.code('user/get?userid=LiSi')).toBe(60021)
  expect(await form(`${app}/range`, [['all', '1'], ...fields])).toContain('全部成员')
  expect(await world.code('user/get?userid=LiSi')).toBe(0)
  const trust = [
    ['trustedDomains', 'a.example\nb.example:8443'],
    ['trustedIps', '127.0.0.2'],
  ] as const
  expect(await form(`${app}/trust`, trust)).toMatch(/<textarea[^>]*>a\.example\nb\.example:8443</)
  expect(await form(`${app}/switch`, [['on', '0']])).toContain('启用应用')
  expect((await world.get(`/cgi-bin/gettoken?corpid=${company.corpId}&corpsecret=${company.secret}`))['errcode']).toBe(
    50003,
  )
  await form(`${app}/switch`, [['on', '1']])
  expect(await world.code('user/get?userid=LiSi')).toBe(0)
})

test('members come, move, are renamed and go by hand; what is wrong is said where it was written', async () => {
  expect(await form('/members', person('QianBa', '钱八', '3'))).toContain('钱八已加入企业')
  expect(await world.call('user/get?userid=QianBa')).toMatchObject({ name: '钱八', department: [3] })
  expect(await form('/members', person('lisi', '另一个', '1'))).toContain('这个账号已经有人用了')
  expect(await form('/members', person('-bad', '坏账号', '1'))).toContain('填写有误')
  expect(await form('/members/QianBa', person('qian8', '钱多多', '2'))).toContain('钱多多已保存')
  expect(await world.call('user/get?userid=qian8')).toMatchObject({ name: '钱多多', department: [2] })
  expect(await page('/members/qian8')).toContain('value="钱多多"')
  expect(await form('/members/qian8/leave', [])).toContain('已离开企业')
  expect(await world.code('user/get?userid=qian8')).toBe(60111)
  expect((await fetch(`${world.box.baseUrl}${base}/members/qian8`)).status).toBe(404)
})

test('departments are made, renamed and removed by hand, those in use stay', async () => {
  expect(
    await form('/departments', [
      ['name', '二车间'],
      ['parentId', '2'],
    ]),
  ).toContain('“二车间”已保存')
  expect(await page('/departments')).toContain('工厂 / 二车间')
  expect(
    await form('/departments', [
      ['id', '4'],
      ['name', '三车间'],
      ['parentId', '2'],
    ]),
  ).toContain('工厂 / 三车间')
  const remove = (id: string) => form('/departments/remove', [['id', id]], '/departments')
  expect(await remove('3')).toContain('不能删除')
  expect(await remove('4')).toContain('部门已删除')
  expect(await world.code('department/get?id=4')).toBe(60123)
})

test('contact sync is opened by hand, and a new secret ends the old one', async () => {
  const list = async (token: string) => (await world.post(`/cgi-bin/user/list_id?access_token=${token}`, {}))['errcode']
  const before = await world.token(company.contactSecret)
  expect(await list(before)).toBe(0)
  const secret = /<code>(SANDBOXCONTACT\w+)</.exec(await form('/contact-sync', []))?.[1] ?? ''
  expect([await list(before), await list(await world.token(secret))]).toEqual([40014, 0])
  expect(
    (await world.get(`/cgi-bin/gettoken?corpid=${company.corpId}&corpsecret=${company.contactSecret}`))['errcode'],
  ).toBe(40001)
})

test('the callback of an app that is not the first is set on its own page', async () => {
  world.box.companies.putApp({ corpId: company.corpId, agentId: 7, secret: 'SANDBOXother', name: '考勤' })
  expect(await page('/apps/7')).toContain(`/callback?corp=${company.corpId}&#38;agent=7`.replace('&#38;', '&'))
  const keys = { token: 'SANDBOXtoken', encodingAesKey: 'SANDBOX'.padEnd(43, '0') }
  const listener = await startListener(keys)
  const body = new URLSearchParams({ corpId: company.corpId, agentId: '7', ...keys, url: listener.url })
  const answer = await fetch(`${world.box.baseUrl}/callback`, { method: 'POST', body })
  expect(answer.url).toContain('agent=7')
  expect(await answer.text()).toMatch(new RegExp(`已验证[\\s\\S]*${listener.url}`))
  expect(await page(app)).toContain('未设置')
  await listener.close()
})

test('limits and switches are set on the dials page', async () => {
  const body = new URLSearchParams({ trustedIps: '1', callsPerMinute: '5' })
  const answer = await fetch(`${world.box.baseUrl}/dials/settings`, { method: 'POST', body })
  expect(await answer.text()).toContain('限额和开关已保存')
  expect(await world.code('department/simplelist')).toBe(60020)
  const wrong = new URLSearchParams({ callsPerMinute: '-1' })
  expect(await (await fetch(`${world.box.baseUrl}/dials/settings`, { method: 'POST', body: wrong })).text()).toContain(
    '填写有误',
  )
})

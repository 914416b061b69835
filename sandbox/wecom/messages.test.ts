import { afterEach, beforeEach, expect, test } from 'vitest'
import { company, installSuite, startCompany, type CompanyWorld } from '../testing/company.ts'
import { corp, provider, startProviderWorld } from '../testing/provider.ts'
import { cipherOf } from './cipher.ts'

let world: CompanyWorld
beforeEach(async () => {
  world = await startCompany()
})
afterEach(() => world.close())

const { corpId, agentId } = company
const text = (to: object, more: object = {}) => ({
  ...to,
  msgtype: 'text',
  agentid: agentId,
  text: { content: '节日快乐' },
  ...more,
})
const send = (body: object | string) => world.call('message/send', body)
const said = (msgtype: string, value: object, more: object = {}) =>
  text({ touser: 'ZhangSan' }, { msgtype, [msgtype]: value, ...more })
const inbox = (userid: string) => world.box.control.inbox(corpId, userid)?.length ?? -1
const see = (visible: object | 'all') => world.box.companies.putApp({ corpId, agentId, visible } as never)

test('row 6: who is outside the visible range by department, person or tag is in invaliduser, lower-cased', async () => {
  see({ departments: [3], userIds: ['ZhangSan'] })
  const everybody = 'ZHANGSAN|LiSi|WangWu|ZhaoLiu|SunQi|Nobody'
  expect(await send(text({ touser: everybody }))).toMatchObject({ errcode: 0, invaliduser: 'lisi|sunqi|nobody' })
  expect(['ZhangSan', 'LiSi', 'WangWu', 'ZhaoLiu', 'SunQi'].map(inbox)).toEqual([1, 0, 1, 1, 0])
  expect(await send(text({ touser: 'LiSi|Nobody' }))).toMatchObject({ errcode: 81013 })
  world.box.companies.putTag({ corpId, id: 7, name: '班组长', userIds: ['SunQi'], departments: [2] })
  see({ tags: [7] })
  expect((await send(text({ touser: everybody })))['invaliduser']).toBe('zhangsan|nobody')
  expect(await send(text({ touser: '@all' }))).not.toHaveProperty('invaliduser')
  expect(['ZhangSan', 'LiSi', 'WangWu', 'ZhaoLiu', 'SunQi'].map(inbox)).toEqual([1, 2, 3, 3, 2])
})

test('row 6: departments and tags are spread out, once a person; those that the app does not see are told', async () => {
  world.box.companies.putTag({ corpId, id: 7, name: '班组长', userIds: ['SunQi', 'LiSi'] })
  const answer = await send(text({ touser: 'LiSi', toparty: '2|99|x', totag: '7|8' }))
  expect(answer).toMatchObject({ errcode: 0, invalidparty: '99|x', invalidtag: '8' })
  expect(['ZhangSan', 'LiSi', 'WangWu', 'ZhaoLiu', 'SunQi'].map(inbox)).toEqual([0, 1, 1, 1, 1])
  see({ departments: [3] })
  expect(await send(text({ toparty: '2' }))).toMatchObject({ errcode: 81013 })
  expect(await send(text({ toparty: '1|3', totag: '7' }))).toMatchObject({ invalidparty: '1', invalidtag: '7' })
  expect(['LiSi', 'WangWu', 'ZhaoLiu'].map(inbox)).toEqual([1, 2, 2])
})

test('row 6: named members without a licence are told, those of a department are skipped silently', async () => {
  const members = [{ userid: 'LiSi', name: '李四', departments: [2], licensed: false }]
  world.box.control.upsertCorp({ ...company, members })
  expect(await send(text({ touser: 'LiSi|WangWu' }))).toMatchObject({ errcode: 0, unlicenseduser: 'lisi' })
  expect(await send(text({ toparty: '2' }))).not.toHaveProperty('unlicenseduser')
  expect(['LiSi', 'WangWu', 'ZhaoLiu'].map(inbox)).toEqual([0, 2, 1])
})

test('at most 1,000 people, 100 departments and 100 tags; nobody at all is refused', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1)).join('|')
  expect(await send(text({ touser: many(1_001) }))).toMatchObject({ errcode: 40032 })
  expect(await send(text({ toparty: many(101) }))).toMatchObject({ errcode: 82002 })
  expect(await send(text({ totag: many(101) }))).toMatchObject({ errcode: 82003 })
  expect(await send(text({ touser: '', toparty: '|' }))).toMatchObject({ errcode: 82001 })
  expect(await send(text({ touser: `ZhangSan|${many(999)}` }))).toMatchObject({ errcode: 0 })
  expect(await send(text({ touser: '@all', toparty: many(101) }))).toMatchObject({ errcode: 0 })
})

test('row 6, 20: a provider’s app writes to ciphers; plain userids are invalid, and ciphers come back lower-cased', async () => {
  const providers = await startProviderWorld()
  const app = await installSuite(providers, provider.suites[1].suiteId, corp.corpId)
  const post = (touser: string) =>
    providers.post(`/cgi-bin/message/send?access_token=${app.token}`, text({ touser }, { agentid: app.agentId }))
  const [zhang, nobody] = ['ZhangSan', 'Nobody'].map((userid) => cipherOf(provider.corpId, userid)) as [string, string]
  expect(await post('ZhangSan')).toMatchObject({ errcode: 81013 })
  expect(await post(`${zhang}|${nobody}`)).toMatchObject({ errcode: 0, invaliduser: nobody.toLowerCase() })
  expect(await post(zhang.toLowerCase())).toMatchObject({ errcode: 81013 })
  providers.box.control.set({ lowerCipherIds: false })
  expect((await post(`${zhang}|${nobody}`))['invaliduser']).toBe(nobody)
  expect(providers.box.control.inbox(corp.corpId, 'ZhangSan')).toHaveLength(2)
  await providers.close()
})

test('row 7: above 30 a minute and 1,000 an hour a member gets nothing more, silently; the drops can be looked at', async () => {
  for (let i = 0; i < 31; i += 1) expect((await send(text({ touser: 'ZhangSan|LiSi' })))['errcode']).toBe(0)
  expect([inbox('ZhangSan'), inbox('LiSi')]).toEqual([30, 30])
  expect(await world.get(`/__ctl/drops/${corpId}`)).toMatchObject([
    { userid: 'ZhangSan', why: 'minute' },
    { userid: 'LiSi', why: 'minute' },
  ])
  world.box.companies.putApp({ corpId, agentId: 1000003, secret: 'SANDBOXother' })
  const other = await world.token('SANDBOXother')
  const body = text({ touser: 'LiSi' }, { agentid: 1000003 })
  expect((await world.post(`/cgi-bin/message/send?access_token=${other}`, body))['errcode']).toBe(0)
  expect(inbox('LiSi')).toBe(31)
  world.box.control.upsertCorp({ ...company, accountLimit: 1_000, members: [] })
  const token = await world.token()
  for (let minute = 1; minute < 34; minute += 1) {
    world.box.control.advance(60_000)
    const burst = Array.from({ length: 30 }, () =>
      world.post(`/cgi-bin/message/send?access_token=${token}`, text({ touser: 'ZhangSan' })),
    )
    await Promise.all(burst)
  }
  expect(inbox('ZhangSan')).toBe(1_000)
  expect(world.box.companies.drops(corpId)?.at(-1)).toMatchObject({ userid: 'ZhangSan', why: 'hour' })
})

test('row 7: an app’s day is accounts times 200 person-sends; the next day begins at midnight in China', async () => {
  world.box.control.upsertCorp({ ...company, accountLimit: 1, members: [] })
  for (let i = 0; i < 40; i += 1) expect((await send(text({ touser: '@all' })))['errcode']).toBe(0)
  expect(await send(text({ touser: 'ZhangSan' }))).toMatchObject({ errcode: 45009 })
  world.box.control.advance(14 * 3_600_000 - 1)
  expect(await send(text({ touser: 'ZhangSan' }))).toMatchObject({ errcode: 45009 })
  world.box.control.advance(1)
  expect(await send(text({ touser: 'ZhangSan' }))).toMatchObject({ errcode: 0 })
})

test('row 8: identical JSON inside the interval is not delivered again; other bytes, another time or no check are', async () => {
  const body = JSON.stringify(
    text({ touser: 'ZhangSan' }, { enable_duplicate_check: 1, duplicate_check_interval: 600 }),
  )
  const first = await send(body)
  expect((await send(body))['msgid']).toBe(first['msgid'])
  expect(inbox('ZhangSan')).toBe(1)
  world.box.control.set({ duplicateAnswer: 'bare' })
  expect(await send(body)).toEqual({ errcode: 0, errmsg: 'ok' })
  await send(`${body} `)
  expect(inbox('ZhangSan')).toBe(2)
  world.box.control.advance(600_000)
  await send(body)
  expect(inbox('ZhangSan')).toBe(3)
  const unchecked = text({ touser: 'ZhangSan' })
  await send(unchecked)
  await send(unchecked)
  expect(inbox('ZhangSan')).toBe(5)
})

test('every kind of message is read as WeCom reads it', async () => {
  const url = 'https://cards.example:8443/open'
  const article = { title: '中秋', url }
  const notice = { appid: 'wxmini', title: '中秋福利卡', content_item: [{ key: '金额', value: '100 元' }] }
  const cases: [object, number][] = [
    [said('text', { content: '' }), 44004],
    [said('markdown', { content: '**中秋**' }), 0],
    [said('markdown', { content: '中'.repeat(700) }), 45002],
    [said('textcard', { title: 'a', description: 'b', url }), 0],
    [said('textcard', { title: 'a', url }), 41033],
    [said('textcard', { title: 'a', description: 'b', url: 'cards.example' }), 45034],
    [said('textcard', { title: 'a', description: 'b', url, btntxt: '点开看一看' }), 40035],
    [said('news', { articles: [article] }), 0],
    [said('news', { articles: [] }), 45008],
    [said('news', { articles: Array(9).fill(article) }), 45008],
    [said('news', { articles: [{ title: 'a' }] }), 40035],
    [said('news', { articles: [article] }, { safe: 1 }), 40074],
    [said('image', { media_id: 'none' }), 40007],
    [said('miniprogram_notice', notice), 90207],
    [said('poem', {}), 40008],
    [said('text', { content: 'a' }, { agentid: String(agentId) }), 40056],
    [said('text', { content: 'a' }, { agentid: undefined }), 40056],
    [said('text', { content: 'a' }, { agentid: 7 }), 301002],
  ]
  for (const [body, code] of cases) expect([body, (await send(body))['errcode']]).toEqual([body, code])
  world.box.companies.putApp({ corpId, agentId, miniPrograms: ['wxmini'] })
  expect(await send(said('miniprogram_notice', notice, { agentid: undefined }))).toMatchObject({ errcode: 0 })
  expect(await send(said('miniprogram_notice', { ...notice, title: '卡' }))).toMatchObject({ errcode: 40058 })
  expect(await send(said('miniprogram_notice', notice, { touser: '@all' }))).toMatchObject({ errcode: 40058 })
})

test('letters as backslash-u escapes are refused; a backslash before a u is no escape', async () => {
  const body = JSON.stringify(text({ touser: 'ZhangSan' }))
  expect(await send(body.replace('节', '\\u8282'))).toMatchObject({ errcode: 40033 })
  expect(await send(said('text', { content: 'C:\\users\u0007' }))).toMatchObject({ errcode: 0 })
})

test('long texts are cut at a whole character, and $userName$ stays as it is', async () => {
  await send(said('text', { content: `$userName=ZhangSan$${'中'.repeat(700)}` }, { enable_id_trans: 1 }))
  const body = world.box.control.inbox(corpId, 'ZhangSan')?.[0]?.message.body as { content: string }
  expect(body.content).toMatch(/^\$userName=ZhangSan\$中+$/)
  expect(Buffer.byteLength(body.content)).toBeGreaterThan(2_044)
  expect(Buffer.byteLength(body.content)).toBeLessThanOrEqual(2_048)
})

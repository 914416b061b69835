import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWecomSandbox, type WecomSandbox } from './server.ts'

const HEADS = 200_000
const corp = { corpId: 'wwBig', agentId: 1, secret: 's', accountLimit: HEADS, trustedDomains: [] }
let box: WecomSandbox
let heapBefore = 0
beforeAll(async () => {
  heapBefore = process.memoryUsage().heapUsed
  box = await startWecomSandbox()
  const members = Array.from({ length: HEADS }, (_, index) => ({
    userid: `u${index}`,
    name: `员工${index}`,
    mobile: String(13_000_000_000 + index),
  }))
  const body = JSON.stringify({ ...corp, members })
  expect((await fetch(`${box.baseUrl}/__ctl/corps`, { method: 'POST', body })).status).toBe(200)
  const query = `corpid=${corp.corpId}&corpsecret=${corp.secret}`
  const token = (await (await fetch(`${box.baseUrl}/cgi-bin/gettoken?${query}`)).json()) as { access_token: string }
  for (const title of ['中秋快乐', '春节快乐']) {
    const card = {
      card_type: 'text_notice',
      main_title: { title },
      card_action: { type: 1, url: 'http://127.0.0.1:9/' },
    }
    const message = JSON.stringify({ touser: '@all', msgtype: 'template_card', agentid: 1, template_card: card })
    const answer = await fetch(`${box.baseUrl}/cgi-bin/message/send?access_token=${token.access_token}`, {
      method: 'POST',
      body: message,
    })
    expect(await answer.json()).toMatchObject({ errcode: 0 })
  }
})
afterAll(() => box.close())

const page = async (path: string) => {
  const began = performance.now()
  const answer = await fetch(`${box.baseUrl}/phone/wwBig${path}`)
  const text = await answer.text()
  expect([path, answer.status, text.length < 100_000]).toEqual([path, 200, true])
  expect(performance.now() - began).toBeLessThan(3_000)
  return { text, rows: [...text.matchAll(/<li>/g)].length }
}

test('200,000 people are listed in pages, found by search, and their chats open', async () => {
  expect(await page('')).toMatchObject({ rows: 50, text: expect.stringContaining('第 1 / 4000 页，共 200,000') })
  expect((await page('?page=4000')).text).toContain('u199999')
  expect((await page('?page=9999999')).rows).toBe(0)
  expect((await page('?page=-1')).rows).toBe(50)
  expect(await page('?q=13000123456')).toMatchObject({ rows: 1, text: expect.stringContaining('u123456') })
  expect((await page('?unread=1')).text).toContain('共 200,000')
  expect((await page('/u7')).text.match(/data-message=/g)).toHaveLength(2)
  expect((await page('?unread=1')).text).toContain('共 199,999')
  expect((await page('/u8/messages')).text).toContain('春节快乐')
  expect(box.control.stats('wwBig')).toMatchObject({ members: HEADS, perMember: { '2': HEADS } })
})

test('200,000 ids are listed in pages, one person and one department are found, and the console opens', async () => {
  box.control.upsertCorp({ ...corp, contactSecret: 'c', members: [] })
  const ask = async (secret: string, path: string, body?: object) => {
    const query = `corpid=${corp.corpId}&corpsecret=${secret}`
    const token = (await (await fetch(`${box.baseUrl}/cgi-bin/gettoken?${query}`)).json()) as { access_token: string }
    const address = `${box.baseUrl}/cgi-bin/${path}${path.includes('?') ? '&' : '?'}access_token=${token.access_token}`
    const request = body ? { method: 'POST', body: JSON.stringify(body) } : {}
    return (await (await fetch(address, request)).json()) as Record<string, unknown>
  }
  const seen = new Set<string>()
  for (let cursor = ''; ;) {
    const listed = await ask('c', 'user/list_id', { cursor, limit: 10_000 })
    for (const one of listed['dept_user'] as { userid: string }[]) seen.add(one.userid)
    cursor = String(listed['next_cursor'])
    if (cursor === '') break
  }
  expect(seen.size).toBe(HEADS)
  box.companies.putApp({ corpId: corp.corpId, agentId: 1, visible: { userIds: ['u7'] } })
  expect(await ask('s', 'user/get?userid=u7')).toMatchObject({ errcode: 0 })
  expect(await ask('s', 'user/get?userid=u8')).toMatchObject({ errcode: 60021 })
  box.companies.putApp({ corpId: corp.corpId, agentId: 1, visible: 'all' })
  expect(await ask('s', 'user/list?department_id=1')).toMatchObject({ errcode: 45029 })
  const began = performance.now()
  const console = await (await fetch(`${box.baseUrl}/admin/wwBig/members?q=u199999`)).text()
  expect(console).toContain('u199999')
  expect(performance.now() - began).toBeLessThan(3_000)
})

test('the process stays small', () => {
  // What nobody holds any more says nothing about the sandbox: it is swept before it is counted.
  setFlagsFromString('--expose-gc')
  const sweep = runInNewContext('gc') as () => void
  sweep()
  expect((process.memoryUsage().heapUsed - heapBefore) / 1024 / 1024).toBeLessThan(400)
})

import { afterEach, beforeEach, expect, test } from 'vitest'
import { company, startCompany, type CompanyWorld } from '../testing/company.ts'

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(64, 7)])
const JPG = Buffer.concat([Buffer.from('\xff\xd8\xff\xe0', 'latin1'), Buffer.alloc(64, 7)])
const MB = 1024 * 1024
let world: CompanyWorld
beforeEach(async () => {
  world = await startCompany()
})
afterEach(() => world.close())

type Json = Record<string, unknown>
const { corpId, agentId } = company
async function post(path: string, bytes: Buffer, more: { name?: string; field?: string } = {}): Promise<Json> {
  const form = new FormData()
  form.append(more.field ?? 'media', new Blob([new Uint8Array(bytes)], { type: 'image/png' }), more.name ?? '中秋.png')
  const address = `${world.box.baseUrl}/cgi-bin/media/${path}${path.includes('?') ? '&' : '?'}access_token=${await world.token()}`
  return (await fetch(address, { method: 'POST', body: form })).json() as Promise<Json>
}
const upload = (type: string, bytes: Buffer, more?: { name?: string; field?: string }) =>
  post(`upload?type=${type}`, bytes, more)
const get = async (mediaId: unknown, token?: string) =>
  fetch(
    `${world.box.baseUrl}/cgi-bin/media/get?access_token=${token ?? (await world.token())}&media_id=${String(mediaId)}`,
  )
const sendImage = (mediaId: unknown) =>
  world.code('message/send', { touser: 'LiSi', msgtype: 'image', agentid: agentId, image: { media_id: mediaId } })

test('row 27: a file lives for three days, under its name, for every app of its company and for no other company', async () => {
  const answer = await upload('image', PNG)
  expect(answer).toMatchObject({ errcode: 0, type: 'image', created_at: expect.any(String) as string })
  const { media_id: id } = answer
  const file = await get(id)
  expect(Buffer.from(await file.arrayBuffer())).toEqual(PNG)
  expect(decodeURIComponent(file.headers.get('content-disposition') ?? '')).toContain('中秋.png')
  world.box.companies.putApp({ corpId, agentId: 7, secret: 'SANDBOXother' })
  expect((await get(id, await world.token('SANDBOXother'))).headers.get('content-type')).toBe('image/png')
  world.box.control.upsertCorp({ ...company, corpId: 'wwElsewhere', contactSecret: null })
  const other = await world.get(`/cgi-bin/gettoken?corpid=wwElsewhere&corpsecret=${company.secret}`)
  expect(await (await get(id, String(other['access_token']))).json()).toMatchObject({ errcode: 40007 })
  expect(await sendImage(id)).toBe(0)
  world.box.control.advance(3 * 86_400_000 - 1)
  expect(await sendImage(id)).toBe(0)
  world.box.control.advance(1)
  expect(await sendImage(id)).toBe(40007)
  expect(await (await get(id)).json()).toMatchObject({ errcode: 40007 })
})

test('row 27: size, type and the bytes themselves are looked at', async () => {
  const mp4 = Buffer.concat([Buffer.alloc(4), Buffer.from('ftypisom'), Buffer.alloc(32)])
  const cases: [string, Buffer, number][] = [
    ['poem', PNG, 40004],
    ['image', Buffer.alloc(0), 44001],
    ['image', PNG.subarray(0, 5), 40006],
    ['image', Buffer.alloc(64, 65), 40123],
    ['image', JPG, 0],
    ['image', Buffer.concat([PNG, Buffer.alloc(10 * MB)]), 40009],
    ['file', Buffer.alloc(64, 65), 0],
    ['file', Buffer.alloc(20 * MB + 1, 65), 40006],
    ['voice', PNG, 40005],
    ['voice', Buffer.from('#!AMR\n------'), 0],
    ['video', PNG, 40005],
    ['video', mp4, 0],
  ]
  for (const [type, bytes, code] of cases)
    expect([type, bytes.length, (await upload(type, bytes))['errcode']]).toEqual([type, bytes.length, code])
  expect(await upload('image', PNG, { field: 'file' })).toMatchObject({ errcode: 44001 })
  const file = await upload('file', PNG)
  expect(await sendImage(file['media_id'])).toBe(40007)
})

test('a picture for articles stays for good, up to so many a day', async () => {
  const { url } = await post('uploadimg', PNG, { field: 'anything' })
  world.box.control.advance(30 * 86_400_000)
  const picture = await fetch(String(url))
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/png'])
  expect(await post('uploadimg', Buffer.alloc(64, 65))).toMatchObject({ errcode: 40123 })
  expect(await post('uploadimg', Buffer.concat([PNG, Buffer.alloc(2 * MB)]))).toMatchObject({ errcode: 40009 })
  await world.post('/__ctl/settings', { imagesPerDay: 1 })
  expect(await post('uploadimg', PNG)).toMatchObject({ errcode: 0 })
  expect(await post('uploadimg', PNG)).toMatchObject({ errcode: 45009 })
  world.box.control.advance(86_400_000)
  expect(await post('uploadimg', PNG)).toMatchObject({ errcode: 0 })
})

test('a picture and a file are shown in the chat', async () => {
  const { media_id: image } = await upload('image', PNG)
  const { media_id: file } = await upload('file', Buffer.from('卡片清单'), { name: '清单.txt' })
  await sendImage(image)
  await world.call('message/send', { touser: 'LiSi', msgtype: 'file', agentid: agentId, file: { media_id: file } })
  const page = await (await fetch(`${world.box.baseUrl}/phone/${corpId}/LiSi`)).text()
  const [picture] = /\/phone\/\w+\/LiSi\/media\?id=\w+/.exec(page) ?? []
  expect((await fetch(world.box.baseUrl + String(picture))).headers.get('content-type')).toBe('image/png')
  expect(page).toContain('清单.txt')
})

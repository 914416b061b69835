import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryRows } from '../../kernel/shared-memory.ts'
import { sharedState } from '../../kernel/shared-state.ts'
import { boxApp as app, failureOf, openBox, type Box } from '../../testing/wecom-box.ts'

/** One white pixel. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4////fwAJ+wP9KobjigAAAABJRU5ErkJggg==',
  'base64',
)
const picture = { type: 'image', name: '海报.png', mime: 'image/png', bytes: png } as const
const IN_60_HOURS = 60 * 3_600_000

let it: Box
beforeEach(async () => {
  it = await openBox()
})
afterEach(() => it.close())
const imageTo = (mediaId: string) =>
  JSON.stringify({ touser: 'm1', msgtype: 'image', agentid: app.agentId, image: { media_id: mediaId } })

test('row 27: the same bytes of a company are uploaded once in 60 hours by all processes, and live that long', async () => {
  const rows = memoryRows()
  const ports = [1, 2].map(() => it.adapter({ shared: sharedState(rows, it.now) }))
  const ids = await Promise.all(Array.from({ length: 10 }, (_, i) => ports[i % 2]!.uploadMedia(app, picture)))
  expect(new Set(ids.map((one) => one.mediaId)).size).toBe(1)
  const { mediaId } = ids[0]!
  it.advance(IN_60_HOURS - 1)
  expect((await ports[1]!.uploadMedia(app, picture)).mediaId).toBe(mediaId)
  expect((await ports[1]!.send(app, imageTo(mediaId))).messageId).toBeTypeOf('string')
  it.advance(12 * 3_600_000 + 1)
  expect(await failureOf(ports[1]!.send(app, imageTo(mediaId)))).toMatchObject({ outcome: 'refused', code: '40007' })
  const next = await ports[0]!.uploadMedia(app, picture)
  expect(next.mediaId).not.toBe(mediaId)
  expect((await ports[0]!.send(app, imageTo(next.mediaId))).messageId).toBeTypeOf('string')
})

test('a medium that WeCom no longer knows is uploaded again when it is told so', async () => {
  const { mediaId } = await it.port.uploadMedia(app, picture)
  const again = await it.port.uploadMedia(app, { ...picture, dead: mediaId })
  expect(again.mediaId).not.toBe(mediaId)
  expect(await it.port.uploadMedia(app, picture)).toEqual(again)
})

test('other bytes, another name and another company are other uploads', async () => {
  const { mediaId } = await it.port.uploadMedia(app, picture)
  const others = [
    { ...picture, bytes: Buffer.concat([png, Buffer.from('x')]) },
    { ...picture, name: '另一个.png' },
    { ...picture, type: 'file' as const },
  ]
  for (const file of others) expect((await it.port.uploadMedia(app, file)).mediaId).not.toBe(mediaId)
})

test('a file arrives with its name and its bytes', async () => {
  const file = {
    type: 'file',
    name: '福利 说明（终稿）.pdf',
    mime: 'application/pdf',
    bytes: Buffer.from('%PDF-1.7 …'),
  } as const
  const { mediaId } = await it.port.uploadMedia(app, file)
  await it.port.send(
    app,
    JSON.stringify({ touser: 'm1', msgtype: 'file', agentid: app.agentId, file: { media_id: mediaId } }),
  )
  expect(it.box.control.inbox(app.corpId, 'm1')?.at(-1)?.message.body).toMatchObject({ filename: file.name })
})

test('what WeCom does not take is refused, and a cut connection is merely busy', async () => {
  const text = { ...picture, bytes: Buffer.from('this is no picture') }
  expect(await failureOf(it.port.uploadMedia(app, text))).toMatchObject({ outcome: 'refused' })
  expect(await failureOf(it.port.uploadMedia(app, { ...picture, bytes: Buffer.alloc(3) }))).toMatchObject({
    outcome: 'refused',
  })
  it.box.control.addFault({ path: 'media/upload', kind: 'cut_after' })
  expect(await failureOf(it.port.uploadMedia(app, picture))).toMatchObject({ outcome: 'busy' })
  expect((await it.port.uploadMedia(app, picture)).mediaId).toBeTypeOf('string')
})

test('a picture for welcome messages gets an address, once, and the ration of a day is kept', async () => {
  it.box.control.set({ imagesPerDay: 1 })
  const url = await it.port.uploadImage(app, picture)
  expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(png)
  expect(await it.port.uploadImage(app, picture)).toBe(url)
  const other = { ...picture, bytes: Buffer.concat([png, Buffer.from('y')]) }
  expect(await failureOf(it.port.uploadImage(app, other))).toMatchObject({ outcome: 'busy', code: '45009' })
})

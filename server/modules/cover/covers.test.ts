import { request } from 'node:http'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { limits } from '../../../contract/limits.ts'
import type { ReviewList } from '../../../contract/operator/review.ts'
import { coverSize, type CoverView } from '../../../contract/store/cover.ts'
import { handlers } from '../../../jobs/handlers.ts'
import type { Ports, ReviewPort } from '../../channels/ports.ts'
import { encodeSession } from '../../kernel/cookies.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { aBuyer } from '../../testing/buyers.ts'
import { onBothDatabases, type TestDatabase } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Browser } from '../../testing/web.ts'
import { easyReview, wecomOf } from '../../testing/wecom.ts'
import { createOperator } from '../company/create-operator.ts'
import { sessionCookies } from '../company/open-session.ts'
import { checkGreeting } from './check-greeting.ts'
import { coverEndpoints } from './endpoints.ts'
import { forgetCoversOf } from './forget-covers.ts'
import { makePicture } from './make-picture.ts'
import { readPictureUrls } from './read-cover.ts'
import { useCover } from './use-cover.ts'

const DAY_MS = 86_400_000
const wecom = wecomOf({ baseUrl: 'http://127.0.0.1:1' })
const byPerson: ReviewPort = { ...easyReview, reviewPicture: () => Promise.resolve('person') }

/** A photograph as far as an encoder is concerned. */
const photo = (width = 1600, height = 1200) => {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const
  return sharp({ create: { width, height, channels: 3, noise, background: '#808080' } })
}

/** One that is quick to make. */
const plain = () => sharp({ create: { width: 700, height: 500, channels: 3, background: '#c00' } })

async function open(database: TestDatabase, review: ReviewPort = easyReview) {
  const clock = { nowMs: Date.now() }
  const now = () => clock.nowMs
  const web = await startWeb(database, { endpoints: coverEndpoints, ports: { wecom, review }, now })
  return { web, clock, edge: () => database.edge({ review } as Ports, undefined, now) }
}

let keys = 0
const upload = (phone: Browser, bytes: Buffer, key = `cover-${(keys += 1)}`) =>
  phone.send('POST', '/store/covers', bytes, { 'idempotency-key': key })
const viewOf = async (answer: Response): Promise<CoverView> => {
  expect([200, 201]).toContain(answer.status)
  return (await answer.json()) as CoverView
}
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code

/** The browser of somebody of the platform. */
async function aDesk(database: TestDatabase, base: string): Promise<Browser> {
  const key = Buffer.alloc(32, (keys += 1)).toString('base64url')
  const operatorId = await database.tx((tx) => createOperator(tx, { name: '审核', roles: ['risk'], key }))
  const { name, path } = sessionCookies.operator
  const desk = aBrowser(base)
  const session = { kind: 'operator', ids: { operatorId }, expiresAtMs: Date.now() + 400 * DAY_MS } as const
  const host = new URL(base).host
  desk.cookies.set(name, { value: encodeSession(session, database.house.sessionKey), path, host })
  return desk
}

/** A PNG that says it is as large as told, of one colour: it weighs next to nothing until it is decoded. */
function bomb(width: number, height: number): Buffer {
  const chunk = (name: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 0, 0, 0, 0], 8)
  const data = deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))))
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}

describe('what becomes of a picture', () => {
  test.each(['jpeg', 'png', 'webp'] as const)('%s becomes a JPEG of a card’s shape', async (format) => {
    const made = await makePicture(await photo().toFormat(format).toBuffer())
    const facts = await sharp(made).metadata()
    expect(facts).toMatchObject({ format: 'jpeg', ...coverSize })
    expect(made.length).toBeLessThanOrEqual(300 * 1024)
  })

  test('what a camera wrote beside it is gone, and it stands upright', async () => {
    const exif = { IFD0: { Copyright: 'CANARY-OWNER' }, IFD3: { GPSLatitudeRef: 'N' } }
    // Lying on its side: the left half red, the right half blue; upright the red one is above.
    const half = await sharp({ create: { width: 600, height: 1600, channels: 3, background: '#00f' } })
      .png()
      .toBuffer()
    const lying = sharp({ create: { width: 1200, height: 1600, channels: 3, background: '#f00' } })
      .composite([{ input: half, left: 600, top: 0 }])
      .withExif(exif)
    const given = await lying.jpeg().withMetadata({ orientation: 6, exif }).toBuffer()
    expect(given.includes('CANARY-OWNER')).toBe(true)
    const made = await makePicture(given)
    const facts = await sharp(made).metadata()
    expect([facts.exif, facts.orientation, facts.icc]).toEqual([undefined, undefined, undefined])
    expect(made.includes('CANARY')).toBe(false)
    const piece = await sharp(made).extract({ left: 500, top: 50, width: 200, height: 50 }).toBuffer()
    const above = await sharp(piece).stats()
    expect(above.dominant.r).toBeGreaterThan(200)
    expect(above.dominant.b).toBeLessThan(60)
  })

  test('what shines through is white', async () => {
    const clear = await sharp({ create: { width: 1200, height: 756, channels: 4, background: '#ff000000' } })
      .png()
      .toBuffer()
    const { dominant } = await sharp(await makePicture(clear)).stats()
    expect(Math.min(dominant.r, dominant.g, dominant.b)).toBeGreaterThan(240)
  })
})

describe('what is no cover', () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800"><rect/></svg>')
  const refused: readonly (readonly [string, () => Promise<Buffer> | Buffer, RegExp])[] = [
    ['nothing', () => Buffer.alloc(0), /JPEG/],
    ['a text', () => Buffer.from('hello'), /JPEG/],
    ['an SVG', () => svg, /JPEG/],
    ['a page that calls itself a picture', () => Buffer.from('<html><script>alert(1)</script>'), /JPEG/],
    ['a GIF', () => photo(700, 500).gif().toBuffer(), /JPEG/],
    ['a TIFF', () => photo(700, 500).tiff().toBuffer(), /JPEG/],
    ['an SVG behind the first bytes of a PNG', () => Buffer.concat([bomb(8, 8).subarray(0, 8), svg]), /damaged/],
    ['the first bytes of a JPEG', () => Buffer.from('ffd8ff', 'hex'), /damaged/],
    ['a JPEG that breaks off', async () => (await photo().jpeg().toBuffer()).subarray(0, 20_000), /damaged/],
    ['a PNG that breaks off', async () => (await photo().png().toBuffer()).subarray(0, 200_000), /damaged/],
    ['a small one', () => photo(599, 800).jpeg().toBuffer(), /600 × 378/],
    ['a bomb of a billion pixels', () => bomb(40_000, 25_000), /50 million/],
    ['one that says it is the largest there is', () => bomb(2_147_483_647, 1), /50 million|damaged/],
    [
      'a moving one',
      async () => {
        const frames = await Promise.all([0, 1].map(() => photo(700, 500).png().toBuffer()))
        return sharp(frames, { join: { animated: true } })
          .webp()
          .toBuffer()
      },
      /Moving/,
    ],
  ]
  test.each(refused)('%s', async (_name, make, says) => {
    const bytes = await make()
    const begun = performance.now()
    const refusal = makePicture(bytes)
    await expect(refusal).rejects.toMatchObject({ code: 'picture_refused' })
    await expect(refusal).rejects.toThrow(says)
    // A bomb is told by its header: nobody waits for it.
    expect(performance.now() - begun).toBeLessThan(2_000)
  })
})

onBothDatabases('covers of a buyer’s own', (database) => {
  test('is uploaded once, seen by its address, and by nobody else’s session', async () => {
    const { web, clock } = await open(database)
    const [buyer, stranger] = [await aBuyer(database), await aBuyer(database)]
    const phone = buyer.phone(web.base)
    const bytes = await plain().jpeg().toBuffer()
    const first = await viewOf(await upload(phone, bytes, 'same'))
    expect(first.state).toBe('passed')
    expect((await viewOf(await upload(phone, bytes, 'same'))).id).toBe(first.id)
    expect(await codeOf(await upload(phone, await plain().png().toBuffer(), 'same'))).toBe('idempotency_conflict')
    const picture = await aBrowser(web.base).get(first.url!)
    expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    expect(picture.headers.get('cache-control')).toBe('private, max-age=3600')
    expect(await sharp(Buffer.from(await picture.arrayBuffer())).metadata()).toMatchObject(coverSize)

    expect((await phone.get(`/store/covers/${first.id}`)).status).toBe(200)
    expect(await codeOf(await stranger.phone(web.base).get(`/store/covers/${first.id}`))).toBe('not_found')
    expect((await aBrowser(web.base).get(`/store/covers/${first.id}`)).status).toBe(401)
    const link = new URL(first.url!, web.base)
    const changed = (name: string, value: string): string => {
      const other = new URL(link)
      other.searchParams.set(name, value)
      return other.href
    }
    const until = Number(link.searchParams.get('until'))
    for (const bad of [changed('until', String(until + 1)), changed('sign', '0'.repeat(64))])
      expect(await codeOf(await phone.get(bad))).toBe('not_found')
    expect((await phone.get(changed('sign', 'x'))).status).toBe(422)
    clock.nowMs = until - 1
    expect((await phone.get(link.href)).status).toBe(200)
    clock.nowMs = until
    expect(await codeOf(await phone.get(link.href))).toBe('not_found')
    await web.close()
  })

  test('is refused by the length it states, and by the length that it has', async () => {
    const { web } = await open(database)
    const buyer = await aBuyer(database)
    const phone = buyer.phone(web.base)
    const large = Buffer.alloc(limits.coverBytes + 1, 0xff)
    expect((await upload(phone, large)).status).toBe(413)
    const cookie = [...phone.cookies].map(([name, one]) => `${name}=${one.value}`).join('; ')
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { cookie, origin: web.base, 'idempotency-key': 'chunked', 'transfer-encoding': 'chunked' }
      const sent = request(`${web.base}/store/covers`, { method: 'POST', headers }, (answer) => {
        resolve(answer.statusCode ?? 0)
        answer.resume()
      })
      sent.on('error', reject)
      sent.end(large)
    })
    expect(status).toBe(413)
    expect(await codeOf(await upload(phone, Buffer.from('GIF89a')))).toBe('picture_refused')
    expect(await database.tx((tx) => sql(tx.em, 'select id from cover'))).toEqual([])
    await web.close()
  })

  test('no more than so many a day', async () => {
    const { web, clock } = await open(database)
    const phone = (await aBuyer(database)).phone(web.base)
    const bytes = await plain().jpeg().toBuffer()
    for (let made = 0; made < limits.coversPerDay; made += 1) expect((await upload(phone, bytes)).status).toBe(200)
    const more = await upload(phone, bytes)
    expect([more.status, Number(more.headers.get('retry-after')) > 0]).toEqual([429, true])
    clock.nowMs += DAY_MS
    expect((await upload(phone, bytes)).status).toBe(200)
    await web.close()
  })

  test('waits for a person of the platform, who lets it pass or refuses it', async () => {
    const { web } = await open(database, byPerson)
    const buyer = await aBuyer(database)
    const phone = buyer.phone(web.base)
    const desk = await aDesk(database, web.base)
    const bytes = await plain().jpeg().toBuffer()
    const [good, bad] = [await viewOf(await upload(phone, bytes)), await viewOf(await upload(phone, bytes))]
    expect([good.state, good.url === null]).toEqual(['in_review', false])
    const urls = (whom: 'owner' | 'others') =>
      database.tx(async (tx) => [...(await readPictureUrls(tx, [good.id, bad.id], whom)).keys()].toSorted())
    expect(await urls('others')).toEqual([])
    expect(await urls('owner')).toEqual([good.id, bad.id].toSorted())
    const list = async (which: string) =>
      (await (await desk.get(`/operator/covers?which=${which}`)).json()) as ReviewList
    const waiting = await list('in_review')
    expect([waiting.waiting, waiting.covers.map((one) => one.id)]).toEqual([2, [good.id, bad.id]])
    expect((await desk.get(waiting.covers[0]!.url!)).status).toBe(200)

    const decide = (id: string, decision: string) => desk.send('POST', `/operator/covers/${id}/decide`, { decision })
    expect((await decide(good.id, 'pass')).status).toBe(204)
    expect((await decide(good.id, 'pass')).status).toBe(204)
    expect((await decide(bad.id, 'refuse')).status).toBe(204)
    expect(await codeOf(await decide(bad.id, 'pass'))).toBe('state_conflict')
    expect(await codeOf(await decide('cvr_0000000000000', 'pass'))).toBe('not_found')
    expect(await urls('others')).toEqual([good.id])
    expect((await list('decided')).covers.map((one) => one.state)).toEqual(['refused', 'passed'])
    expect(await viewOf(await phone.get(`/store/covers/${bad.id}`))).toMatchObject({ state: 'refused', url: null })

    // One that passed is taken down when somebody complains: an address that was given out opens nothing any more.
    const shown = await database.tx(async (tx) => (await readPictureUrls(tx, [good.id], 'others')).get(good.id)!)
    expect((await phone.get(shown)).status).toBe(200)
    expect((await decide(good.id, 'refuse')).status).toBe(204)
    expect((await phone.get(shown)).status).toBe(404)
    expect((await phone.send('POST', `/operator/covers/${good.id}/decide`, { decision: 'pass' })).status).toBe(401)
    await web.close()
  })

  test('goes to a person where the service that judges does not answer, and is not kept where it refuses', async () => {
    const answers: (() => ReturnType<ReviewPort['reviewPicture']>)[] = [
      () => Promise.reject(new OutsideError('unknown', 'timeout', 'no answer')),
      () => Promise.resolve('refuse'),
      () => Promise.reject(new TypeError('a mistake of ours')),
    ]
    const { web } = await open(database, { ...easyReview, reviewPicture: () => answers.shift()!() })
    const phone = (await aBuyer(database)).phone(web.base)
    const bytes = await plain().jpeg().toBuffer()
    expect((await viewOf(await upload(phone, bytes))).state).toBe('in_review')
    expect(await codeOf(await upload(phone, bytes))).toBe('picture_refused')
    expect((await upload(phone, bytes)).status).toBe(500)
    expect(await database.tx((tx) => sql(tx.em, 'select id from cover'))).toHaveLength(1)
    await web.close()
  })

  test('is bought with by its owner alone, and kept for as long as it is of use', async () => {
    const { web, clock, edge } = await open(database, byPerson)
    const [buyer, stranger] = [await aBuyer(database), await aBuyer(database)]
    const phone = buyer.phone(web.base, Date.now() + 400 * DAY_MS)
    const desk = await aDesk(database, web.base)
    const bytes = await plain().jpeg().toBuffer()
    const make = async () => (await viewOf(await upload(phone, bytes))).id
    const [used, unused, refused, erased] = [await make(), await make(), await make(), await make()]
    const use = (id: typeof used, by = buyer) => edge().tx((tx) => useCover(tx, id, by.id))
    await use(used)
    await use(used)
    await expect(use(used, stranger)).rejects.toMatchObject({ code: 'not_found' })
    await desk.send('POST', `/operator/covers/${refused}/decide`, { decision: 'refuse' })
    await expect(use(refused)).rejects.toMatchObject({ code: 'cover_refused' })

    const left = async () => {
      await handlers['covers.forget']!(edge(), {})
      const rows = await database.tx((tx) =>
        sql<{ id: string }>(tx.em, 'select id from cover where picture_sealed is not null'),
      )
      return rows.map(({ id }) => id).toSorted()
    }
    expect(await left()).toEqual([used, unused, refused, erased].toSorted())
    clock.nowMs += 7 * DAY_MS + 1
    expect(await left()).toEqual([used, unused, erased].toSorted())
    clock.nowMs += 23 * DAY_MS
    expect(await left()).toEqual([used])
    await expect(use(unused)).rejects.toMatchObject({ code: 'cover_refused' })
    clock.nowMs += limits.wordsKeptMs - 30 * DAY_MS
    expect(await left()).toEqual([])
    expect(await viewOf(await phone.get(`/store/covers/${used}`))).toMatchObject({ url: null })
    await web.close()
  })

  test('goes with a buyer who is forgotten', async () => {
    const { web } = await open(database)
    const [buyer, other] = [await aBuyer(database), await aBuyer(database)]
    const bytes = await plain().jpeg().toBuffer()
    const { id } = await viewOf(await upload(buyer.phone(web.base), bytes))
    const kept = await viewOf(await upload(other.phone(web.base), bytes))
    await database.tx((tx) => forgetCoversOf(tx, buyer.id))
    await database.tx((tx) => forgetCoversOf(tx, buyer.id))
    const urls = await database.tx((tx) => readPictureUrls(tx, [id, kept.id], 'owner'))
    expect([...urls.keys()]).toEqual([kept.id])
    await web.close()
  })

  test('a greeting is looked at before anybody sees it', async () => {
    const edge = database.edge({ review: easyReview } as Ports)
    await checkGreeting(edge, '')
    await checkGreeting(edge, '生日快乐！<b>永远</b><script>alert(1)</script>')
    await checkGreeting(edge, '🎂'.repeat(limits.giftGreetingCharacters))
    const refusal = (text: string) => expect(checkGreeting(edge, text)).rejects
    await refusal('一起赌 博').toMatchObject({ code: 'greeting_refused', more: { field: 'greeting' } })
    await refusal('一起赌 博').not.toThrow(/赌/)
    await refusal('好'.repeat(limits.giftGreetingCharacters + 1)).toThrow(/300/)
  })
})

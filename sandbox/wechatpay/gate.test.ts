import { createDecipheriv, X509Certificate } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { apiV3KeyOf, brand, notifyUrl, openPayBox, platform, signedBy, type PayBox } from '../testing/pay-box.ts'

const base = '/v3/pay/transactions'
let box: PayBox
beforeEach(async () => {
  box = await openPayBox()
})

const place = (no: string, more: Parameters<PayBox['call']>[4] = {}) =>
  box.call(
    brand,
    'POST',
    `${base}/native`,
    {
      appid: 'wx1',
      mchid: brand,
      description: '福利卡',
      out_trade_no: no,
      notify_url: notifyUrl,
      amount: { total: 100 },
    },
    more,
  )
const query = (no: string, more: Parameters<PayBox['call']>[4] = {}) =>
  box.call(brand, 'GET', `${base}/out-trade-no/${no}?mchid=${brand}`, undefined, more)
const certificates = (more: Parameters<PayBox['call']>[4] = {}) =>
  box.call(brand, 'GET', '/v3/certificates', undefined, { headers: { 'user-agent': 'test', ...more.headers } })
const verifyBy = (how: 'public_key' | 'certificate' | 'both') =>
  box.world.merchants.set(brand, { ...box.world.merchants.get(brand)!, verifyBy: how })
const serialOf = (answer: { headers: Headers }) => answer.headers.get('wechatpay-serial')

describe('who asks', () => {
  test('each way to be refused has its own message, and no refusal carries a signature', async () => {
    const messages: unknown[] = []
    const refused = async (more: Parameters<PayBox['call']>[4]) => {
      const answer = await query('ORDER-0001', more)
      expect([answer.status, answer.json['code']]).toEqual([401, 'SIGN_ERROR'])
      expect([...answer.headers.keys()].filter((name) => name.startsWith('wechatpay-'))).toEqual([])
      messages.push(answer.json['message'])
    }
    const own = (over: string) => `WECHATPAY2-SHA256-RSA2048 ${over}`
    const pairs = `mchid="${brand}",nonce_str="N",timestamp="${box.clock.wall() / 1000}",serial_no="AA${brand}"`
    await refused({ headers: { authorization: '' } })
    await refused({ headers: { authorization: own('mchid=unquoted') } })
    await refused({ atMs: box.clock.wall() - 301_000 })
    await refused({ headers: { authorization: own(`${pairs.replace('AA', 'BB')},signature="x"`) } })
    await refused({ headers: { authorization: own(`${pairs},signature="x"`) } })
    expect(new Set(messages).size).toBe(5)
    await refused({ atMs: box.clock.wall() + 301_000 })
    expect((await query('ORDER-0001', { atMs: box.clock.wall() - 299_000 })).status).toBe(404)
  })

  test('the clock is looked at before the signature, and a platform whose clock is wrong refuses everybody', async () => {
    const late = {
      authorization: `WECHATPAY2-SHA256-RSA2048 mchid="x",nonce_str="N",timestamp="1",serial_no="x",signature="x"`,
    }
    expect((await query('ORDER-0001', { headers: late })).json['message']).toContain('时间戳')
    await box.ctl('clock', { skewMs: 400_000 })
    expect((await query('ORDER-0001')).json['message']).toContain('时间戳')
    await box.ctl('clock', { skewMs: -200_000 })
    const answer = await place('ORDER-0001')
    expect(answer.status).toBe(200)
    expect(Number(answer.headers.get('wechatpay-timestamp'))).toBe((box.clock.wall() - 200_000) / 1000)
  })

  test('without a User-Agent, certificates and refunds are refused before the signature; orders are not', async () => {
    const nameless = { headers: { 'user-agent': '', authorization: 'x' } }
    for (const path of ['/v3/certificates', '/v3/refund/domestic/refunds/R1']) {
      const answer = await box.call(brand, 'GET', path, undefined, nameless)
      expect([answer.status, answer.json['code']]).toEqual([400, 'INVALID_REQUEST'])
      expect(answer.headers.get('wechatpay-signature')).toBeNull()
    }
    expect((await query('ORDER-0001', { headers: { 'user-agent': '' } })).status).toBe(404)
  })

  test('an answer that says no is not signed, whatever its status', async () => {
    const answers = [await query('ORDER-0001'), await box.call(brand, 'POST', `${base}/native`, {})]
    for (const answer of answers) expect(answer.headers.get('wechatpay-signature')).toBeNull()
  })
})

describe('the public key', () => {
  test('signs 200 and 204, whether it is named or not; a serial that is not known is refused before the effect', async () => {
    for (const headers of [{}, { 'wechatpay-serial': box.world.key.id }]) {
      const answer = await place('ORDER-0001', { headers })
      expect(serialOf(answer)).toBe(box.world.key.id)
      expect(signedBy((name) => answer.headers.get(name), answer.text, box.world.key.publicPem)).toBe(true)
    }
    const closed = await box.call(brand, 'POST', `${base}/out-trade-no/ORDER-0001/close`, { mchid: brand })
    expect([closed.status, closed.text]).toEqual([204, ''])
    expect(signedBy((name) => closed.headers.get(name), '', box.world.key.publicPem)).toBe(true)
    const wrong = await place('ORDER-0002', { headers: { 'wechatpay-serial': 'PUB_KEY_ID_0' } })
    expect([wrong.status, wrong.json['code']]).toEqual([400, 'PARAM_ERROR'])
    expect((await query('ORDER-0002')).status).toBe(404)
  })

  test('a merchant that has only the public key gets no certificates', async () => {
    const answer = await certificates()
    expect([answer.status, answer.json['code']]).toEqual([404, 'RESOURCE_NOT_EXISTS'])
  })
})

describe('platform certificates', () => {
  interface Listed {
    serial_no: string
    effective_time: string
    expire_time: string
    encrypt_certificate: { nonce: string; associated_data: string; ciphertext: string }
  }
  const open = ({ encrypt_certificate: sealed }: Listed) => {
    const bytes = Buffer.from(sealed.ciphertext, 'base64')
    const key = createDecipheriv('aes-256-gcm', Buffer.from(apiV3KeyOf(brand)), Buffer.from(sealed.nonce))
    key.setAAD(Buffer.from(sealed.associated_data)).setAuthTag(bytes.subarray(-16))
    return new X509Certificate(Buffer.concat([key.update(bytes.subarray(0, -16)), key.final()]))
  }
  const listed = async () => ((await certificates()).json['data'] as Listed[]).map((one) => ({ ...one, x: open(one) }))

  test('are real certificates under their serial, and what they sign can be verified with them', async () => {
    verifyBy('certificate')
    const [only] = await listed()
    expect(only!.serial_no).toMatch(/^[0-9A-F]{40}$/)
    expect(only!.x.serialNumber).toBe(only!.serial_no)
    expect(only!.x.verify(only!.x.publicKey)).toBe(true)
    expect([only!.effective_time, only!.expire_time]).toEqual([
      '2026-01-05T10:00:00+08:00',
      '2031-01-04T10:00:00+08:00',
    ])
    expect(new Date(only!.x.validTo).getTime()).toBe(Date.parse(only!.expire_time))
    const answer = await place('ORDER-0001')
    expect(serialOf(answer)).toBe(only!.serial_no)
    const pem = only!.x.publicKey.export({ type: 'spki', format: 'pem' }) as string
    expect(signedBy((name) => answer.headers.get(name), answer.text, pem)).toBe(true)
    const byKey = await place('ORDER-0002', { headers: { 'wechatpay-serial': box.world.key.id } })
    expect(byKey.status).toBe(400)
  })

  test('in a rotation two stand side by side and both sign notices; the old one then goes', async () => {
    verifyBy('certificate')
    const [old] = await listed()
    await box.ctl('keys', { certificates: 'rotate' })
    const both = await listed()
    expect(both.map((one) => one.serial_no)).toEqual([old!.serial_no, expect.stringMatching(/^[0-9A-F]{40}$/)])
    expect(serialOf(await place('ORDER-0001'))).toBe(both[1]!.serial_no)
    expect(serialOf(await place('ORDER-0001', { headers: { 'wechatpay-serial': old!.serial_no } }))).toBe(
      old!.serial_no,
    )
    const signers = async () => {
      box.heard.length = 0
      await box.ctl('notice', { mchid: brand, outTradeNo: 'ORDER-0001' })
      return box.heard[0]?.headers['Wechatpay-Serial']
    }
    await box.pay(brand, 'ORDER-0001')
    const seen = new Set<unknown>()
    for (let i = 0; i < 60; i += 1) seen.add(await signers())
    expect(seen).toEqual(new Set(both.map((one) => one.serial_no)))
    await box.ctl('keys', { certificates: 'retire' })
    expect((await listed()).map((one) => one.serial_no)).toEqual([both[1]!.serial_no])
    const gone = await place('ORDER-0002', { headers: { 'wechatpay-serial': old!.serial_no } })
    expect([gone.status, gone.json['code']]).toEqual([400, 'PARAM_ERROR'])
  })

  test('on the way to the public key both kinds of notice arrive, in the share that is set; answers go by what is named', async () => {
    verifyBy('both')
    await place('ORDER-0001')
    await box.pay(brand, 'ORDER-0001')
    const [certificate] = await listed()
    const kinds = async (publicKeyPermille: number) => {
      await box.ctl('keys', { publicKeyPermille })
      box.heard.length = 0
      for (let i = 0; i < 200; i += 1) await box.ctl('notice', { mchid: brand, outTradeNo: 'ORDER-0001' })
      return box.heard.filter((one) => one.headers['Wechatpay-Serial'] === box.world.key.id).length
    }
    expect([await kinds(0), await kinds(1000)]).toEqual([0, 200])
    const half = await kinds(500)
    expect([half > 50, half < 150]).toEqual([true, true])
    expect(serialOf(await place('ORDER-0002'))).toBe(certificate!.serial_no)
    expect(serialOf(await place('ORDER-0002', { headers: { 'wechatpay-serial': box.world.key.id } }))).toBe(
      box.world.key.id,
    )
  })

  test('another merchant opens them with its own key alone', async () => {
    verifyBy('certificate')
    const answer = await certificates()
    const listedNow = (answer.json['data'] as Listed[])[0]!
    expect(open(listedNow).serialNumber).toBe(listedNow.serial_no)
    box.world.merchants.set(platform, { ...box.world.merchants.get(platform)!, verifyBy: 'certificate' })
    const other = await box.call(platform, 'GET', '/v3/certificates?algorithm_type=RSA')
    expect(() => open((other.json['data'] as Listed[])[0]!)).toThrow()
    const sm2 = await box.call(platform, 'GET', '/v3/certificates?algorithm_type=SM2')
    expect(sm2.json).toEqual({ data: [] })
  })
})

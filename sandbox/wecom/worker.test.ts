import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldsOf, startListener, until, type Listener } from '../testing/callback-listener.ts'
import { startWecomSandbox, type WecomSandbox } from './server.ts'

const keys = { token: 'SANDBOXtoken', encodingAesKey: 'SANDBOX'.padEnd(43, '0') }
const corp = {
  corpId: 'wwFactory',
  agentId: 1000002,
  secret: 'SANDBOXself',
  accountLimit: 5_000,
  trustedDomains: ['cards.example'],
  members: [{ userid: 'ZhangSan', name: '张三' }],
}
const mobile = '13912345678'
let box: WecomSandbox
let listener: Listener
beforeEach(async () => {
  box = await startWecomSandbox()
  listener = await startListener(keys)
  box.control.upsertCorp(corp)
  box.customers.setSmsKey({ key: 'SANDBOXkey' })
  await box.control.saveCallback({ corpId: corp.corpId, url: listener.url, ...keys })
})
afterEach(async () => {
  await Promise.all([box.close(), listener.close()])
})

type Json = Record<string, unknown>
const api = async (path: string, body: unknown): Promise<Json> => {
  const asked = await fetch(`${box.baseUrl}/cgi-bin/gettoken?corpid=${corp.corpId}&corpsecret=${corp.secret}`)
  const { access_token: token } = (await asked.json()) as Json
  const url = `${box.baseUrl}/cgi-bin/externalcontact/${path}?access_token=${String(token)}`
  return (await (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).json()) as Json
}
const submit = (path: string, fields: Record<string, string>) =>
  fetch(box.baseUrl + path, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })
const page = async (path: string) => (await fetch(box.baseUrl + path)).text()
/** A new phone: the address of its first screen. */
const newPhone = async () => (await submit('/worker', { name: '刘师傅', mobile })).headers.get('location') ?? ''
const wall = async () =>
  String(
    (await api('add_contact_way', { type: 1, scene: 2, user: ['ZhangSan'], state: 'c1', remark: '三号车间' }))[
      'qr_code'
    ],
  )

const sms = (form: object, more: { readonly key?: string; readonly ageS?: number } = {}) => {
  const body = JSON.stringify(form)
  const timestamp = String(Math.floor(Date.now() / 1_000) - (more.ageS ?? 0))
  const signature = createHmac('sha256', more.key ?? 'SANDBOXkey')
    .update(`${timestamp}.${body}`)
    .digest('hex')
  const headers = { 'x-sms-timestamp': timestamp, 'x-sms-signature': signature }
  return fetch(`${box.baseUrl}/sms/messages`, { method: 'POST', body, headers })
}
const told = async (answer: Promise<Response>) => [
  (await answer).status,
  ((await (await answer).json()) as Json)['code'],
]
const text = { mobile, text: '【福利卡】482913 是您的验证码', reference: 'r1' }

test('an outside worker scans the wall, is greeted, confirms nothing, and opens the claim page as themselves', async () => {
  const phone = await newPhone()
  const qr = await wall()
  expect(await page(`${phone}/scan`)).toContain('三号车间')
  const browser = await fetch(qr, { headers: { accept: 'text/html' }, redirect: 'manual' })
  expect(browser.headers.get('location')).toContain('/worker?scan=')
  const chat = (await submit(`${phone}/scan`, { url: qr })).headers.get('location') ?? ''
  await until(() => listener.heard.length === 1, 'the added contact')
  const { WelcomeCode: code } = fieldsOf(listener.heard[0]!.plain)
  const link = { title: '领取福利', desc: '凭手机号', url: 'https://cards.example/claim' }
  const welcome = { welcome_code: code, text: { content: '刘师傅您好' }, attachments: [{ msgtype: 'link', link }] }
  expect(await api('send_welcome_msg', welcome)).toMatchObject({ errcode: 0 })
  const shown = await page(chat)
  for (const words of ['刘师傅您好', '领取福利', '沙箱']) expect(shown).toContain(words)
  const open = /href="([^"]*\/open\?url=[^"]+)"/.exec(shown)?.[1]?.replaceAll('&#38;', '&') ?? ''
  const tapped = await fetch(box.baseUrl + open, { redirect: 'manual' })
  expect(tapped.headers.get('location')).toBe(link.url)
  const query = new URLSearchParams({
    appid: corp.corpId,
    agentid: String(corp.agentId),
    redirect_uri: 'https://cards.example/back',
    response_type: 'code',
    scope: 'snsapi_base',
  })
  const cookie = tapped.headers.get('set-cookie')?.split(';')[0] ?? ''
  const back = await fetch(`${box.baseUrl}/connect/oauth2/authorize?${query.toString()}`, {
    headers: { cookie },
    redirect: 'manual',
  })
  expect(new URL(back.headers.get('location') ?? '').searchParams.get('code')).toMatch(/^SANDBOXCODE/)
  await submit(`${chat}`, { text: '谢谢' })
  expect(await page(chat)).toContain('谢谢')
  await submit(`${chat}/leave`, {})
  await until(() => listener.heard.length === 2, 'the removed member')
  expect(fieldsOf(listener.heard[1]!.plain)).toMatchObject({ ChangeType: 'del_follow_user' })
})

test('a scanned address that is no contact code is opened; a dead or odd one is not', async () => {
  const phone = await newPhone()
  const opened = await submit(`${phone}/scan`, { url: 'https://cards.example/claim?k=1' })
  expect(opened.headers.get('location')).toBe('https://cards.example/claim?k=1')
  for (const url of ['javascript:alert(1)', 'nonsense', `${box.baseUrl}/qr/SANDBOXQRnone`]) {
    const refused = (await submit(`${phone}/scan`, { url })).headers.get('location') ?? ''
    expect(refused).toContain('wrong=')
  }
  expect((await fetch(`${box.baseUrl}/worker/nobody`)).status).toBe(404)
  expect((await fetch(`${box.baseUrl}/qr/SANDBOXQRnone`)).status).toBe(404)
  expect(await page(`/worker?q=${encodeURIComponent('<script>alert')}`)).not.toContain('<script>alert')
})

test('the member confirms a mass message on the page, and it comes to the phone', async () => {
  const phone = await newPhone()
  const chat = (await submit(`${phone}/scan`, { url: await wall() })).headers.get('location') ?? ''
  await api('add_msg_template', { sender: 'ZhangSan', text: { content: '记得领取' } })
  expect(await page(chat)).not.toContain('记得领取')
  const tasks = await page('/contacts')
  const msgid = /name="msgid"\s+value="(\w+)"/.exec(tasks)?.[1] ?? ''
  await submit('/contacts/confirm', { corpId: corp.corpId, msgid, userid: 'ZhangSan' })
  expect(await page(chat)).toContain('记得领取')
})

test('a short message lies in the phone with its mobile; the same reference again sends nothing', async () => {
  const phone = await newPhone()
  expect(await told(sms(text))).toEqual([200, 'OK'])
  expect(await told(sms(text))).toEqual([200, 'OK'])
  expect(await page(`${phone}/texts`)).toContain('482913')
  expect((await page(`${phone}/texts`)).split('482913')).toHaveLength(2)
  expect(await told(sms({ ...text, text: 'anders' }))).toEqual([409, 'REFERENCE_USED'])
  expect(await told(sms({ ...text, reference: 'r2' }, { key: 'no' }))).toEqual([401, 'SIGNATURE_WRONG'])
  expect(await told(sms({ ...text, reference: 'r2' }, { ageS: 301 }))).toEqual([401, 'STALE'])
  expect(await told(sms({ ...text, reference: 'r2', mobile: '12' }))).toEqual([400, 'MOBILE_INVALID'])
})

test('the dials of short messages: lost, refused, busy, and 5xx after the effect', async () => {
  const phone = await newPhone()
  const [first, second, third, fourth] = ['r1', 'r2', 'r3', 'r4'].map((reference) => ({
    ...text,
    text: `码 ${reference}`,
    reference,
  }))
  box.control.addFault({ kind: 'sms_lose' })
  expect(await told(sms(first!))).toEqual([200, 'OK'])
  box.control.addFault({ kind: 'sms_refuse' })
  expect(await told(sms(second!))).toEqual([400, 'MOBILE_REFUSED'])
  box.control.addFault({ kind: 'sms_busy' })
  const busy = await sms(third!)
  expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '2'])
  box.control.addFault({ kind: 'status500_after', path: '/sms/messages' })
  expect((await sms(fourth!)).status).toBe(500)
  expect(await told(sms(fourth!))).toEqual([200, 'OK'])
  const shown = await page(`${phone}/texts`)
  expect(['r1', 'r2', 'r3', 'r4'].map((one) => shown.split(`码 ${one}`).length - 1)).toEqual([0, 0, 0, 1])
})

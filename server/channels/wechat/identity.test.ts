import { afterAll, beforeAll, expect, test } from 'vitest'
import { boxAccount, failureOf, boxHost, openWechatBox, type WechatBox } from '../../testing/wechat-box.ts'

let world: WechatBox
beforeAll(async () => {
  world = await openWechatBox()
})
afterAll(() => world.close())

const back = `http://${boxHost}/store/sign-in`
const refusedOf = async (run: Promise<unknown>) => {
  const { outcome, code } = await failureOf(run)
  return [outcome, code]
}
/** A browser with somebody's phone, or nobody's. */
const visit = (url: string, phone: string | null) =>
  fetch(url.split('#')[0] ?? '', {
    redirect: 'manual',
    headers: phone === null ? {} : { cookie: `sandbox_wechat_phone=${phone}` },
  })

test('the authorise address keeps its order, its fragment and one encoding', () => {
  const url = world.port.authoriseUrl('snsapi_base', `${back}?from=menu&x=1`, 'a1b2')
  expect(url.slice(world.box.baseUrl.length)).toBe(
    `/connect/oauth2/authorize?appid=wxsandbox0001&redirect_uri=http%3A%2F%2Fshop.example%3A8443%2Fstore%2Fsign-in%3Ffrom%3Dmenu%26x%3D1&response_type=code&scope=snsapi_base&state=a1b2#wechat_redirect`,
  )
  for (const state of ['a'.repeat(129), '', 'a-b', 'a b'])
    expect(() => world.port.authoriseUrl('snsapi_base', back, state)).toThrow(RangeError)
})

test('a silent sign-in brings a code back for a chosen phone, and the code says who it is without a unionid', async () => {
  const answer = await visit(world.port.authoriseUrl('snsapi_base', back, 's1'), 'chenyu')
  const location = new URL(answer.headers.get('location') ?? '')
  expect([location.origin + location.pathname, location.searchParams.get('state')]).toEqual([back, 's1'])
  const { openids } = await world.person('chenyu')
  const identity = await world.port.identityByCode(location.searchParams.get('code') ?? '')
  expect(identity).toEqual({ openid: openids[boxAccount.appid], unionid: null, snapshot: false })
})

test('nobody is signed in where no phone was chosen, and a pick is remembered', async () => {
  const url = world.port.authoriseUrl('snsapi_base', back, 's2').split('#')[0] ?? ''
  const picker = await visit(url, null)
  expect([picker.status, picker.headers.get('location')]).toEqual([200, null])
  expect(await picker.text()).toContain('陈雨')
  const picked = await visit(`${url}&as=lina`, null)
  expect(picked.status).toBe(302)
  expect(picked.headers.get('set-cookie')).toContain('sandbox_wechat_phone=lina')
})

test('userinfo asks once, a refusal comes back without a code, and a yes brings the unionid', async () => {
  const url = world.port.authoriseUrl('snsapi_userinfo', back, 's3').split('#')[0] ?? ''
  expect(await (await visit(url, 'wangfang')).text()).toContain('获取王芳的昵称、头像')
  const refused = new URL((await visit(`${url}&consent=no`, 'wangfang')).headers.get('location') ?? '')
  expect([refused.searchParams.has('code'), refused.searchParams.get('state')]).toEqual([false, 's3'])
  await visit(`${url}&consent=yes`, 'wangfang')
  const again = new URL((await visit(url, 'wangfang')).headers.get('location') ?? '')
  const { unionid } = await world.person('wangfang')
  expect((await world.port.identityByCode(again.searchParams.get('code') ?? '')).unionid).toBe(unionid)
})

test.each([
  ['another host', 'http://other.example/store', 10003],
  ['a sub-domain', `http://a.${boxHost}/`, 10003],
  ['another port', 'http://shop.example/', 10003],
  ['no web address', 'javascript:alert(1)', 10003],
])('the authorise page leads back to no other host: %s', async (_name, redirect, code) => {
  const url = world.port.authoriseUrl('snsapi_base', redirect, 's').split('#')[0] ?? ''
  const answer = await visit(url, 'chenyu')
  expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  expect(await answer.text()).toContain(String(code))
})

test('the authorise page refuses a state beyond 128 letters and digits', async () => {
  const url = world.port.authoriseUrl('snsapi_base', back, 'a'.repeat(128)).split('#')[0] ?? ''
  expect((await visit(url, 'chenyu')).status).toBe(302)
  for (const state of [`${'a'.repeat(129)}`, 'a%2Fb'])
    expect((await visit(url.replace('a'.repeat(128), state), 'chenyu')).status).toBe(400)
})

test('a code is good once, for its own app, for five minutes', async () => {
  const code = await world.code('lina')
  await world.port.identityByCode(code)
  expect(await refusedOf(world.port.identityByCode(code))).toEqual(['refused', '40163'])
  expect(await refusedOf(world.port.identityByCode('nobody'))).toEqual(['refused', '40029'])
  expect(await refusedOf(world.port.identityByCode(''))).toEqual(['refused', '41008'])
  await world.ctl('apps', { appid: 'wxother00000001', secret: 'SANDBOXsecretofanother' })
  const { code: foreign } = await world.ctl<{ code: string }>('code', { appid: 'wxother00000001', personId: 'lina' })
  expect(await refusedOf(world.port.identityByCode(foreign))).toEqual(['refused', '40029'])
  const old = await world.code('lina')
  world.advance(5 * 60_000 - 1)
  await world.port.identityByCode(await world.code('lina'))
  world.advance(1)
  expect(await refusedOf(world.port.identityByCode(old))).toEqual(['refused', '42003'])
})

test('a snapshot page tells that it is one and shows ids that are nobody’s; a forgotten flag is not seen', async () => {
  const own = (await world.person('sunmei')).openids[boxAccount.appid]
  const by = async (snapshot: string) => world.port.identityByCode(await world.code('sunmei', { snapshot }))
  const [on, again, missing, real] = [await by('on'), await by('on'), await by('flag_missing'), await by('real_id')]
  expect(on).toMatchObject({ snapshot: true, openid: again.openid })
  expect(on.openid).not.toBe(own)
  expect(missing).toMatchObject({ snapshot: false, openid: on.openid })
  expect(real).toEqual({ snapshot: true, openid: own, unionid: null })
})

test('the same code comes twice where WeChat asks for a page twice', async () => {
  await world.ctl('faults', { kind: 'double_redirect' })
  const url = world.port.authoriseUrl('snsapi_base', back, 's9')
  const page = await (await visit(url, 'chenyu')).text()
  const [, href = ''] = /href="([^"]+)"/.exec(page) ?? []
  const code = new URL(href.replaceAll('&#38;', '&')).searchParams.get('code') ?? ''
  await world.port.identityByCode(code)
  expect(await refusedOf(world.port.identityByCode(code))).toEqual(['refused', '40163'])
})

test('a mini program’s code gives its own openid and the same unionid, and nobody’s whom WeChat blocks', async () => {
  const mini = boxAccount.miniProgram!.appid
  const codeOf = async (personId: string) => (await world.ctl<{ code: string }>('code', { appid: mini, personId })).code
  const { openids, unionid } = await world.person('zhouqi')
  const code = await codeOf('zhouqi')
  const identity = await world.port.identityByMiniProgramCode(code)
  expect(identity).toEqual({ appid: mini, openid: openids[mini], unionid })
  expect(identity.openid).not.toBe(openids[boxAccount.appid])
  expect(await refusedOf(world.port.identityByMiniProgramCode(code))).toEqual(['refused', '40163'])
  expect(await refusedOf(world.port.identityByMiniProgramCode(await world.code('zhouqi')))).toEqual([
    'refused',
    '40029',
  ])
  await world.ctl('persons', { id: 'zhouqi', blocked: true })
  expect(await refusedOf(world.port.identityByMiniProgramCode(await codeOf('zhouqi')))).toEqual(['refused', '40226'])
})

test('silence leaves a spent code unknown, and no error tells a code or a secret', async () => {
  const code = await world.code('chenyu')
  const path = 'sns/oauth2/access_token'
  await world.ctl('faults', { kind: 'cut_after', path })
  const silent = await failureOf(world.port.identityByCode(code))
  expect([silent.outcome, silent.message.includes(code), silent.message.includes(boxAccount.secret)]).toEqual([
    'unknown',
    false,
    false,
  ])
  expect(await refusedOf(world.port.identityByCode(code))).toEqual(['refused', '40163'])
  await world.ctl('faults', { kind: 'delay', path, delayMs: 500 })
  const impatient = world.adapter({ timeoutMs: 50 })
  expect(await refusedOf(impatient.identityByCode(await world.code('chenyu')))).toEqual(['unknown', 'timeout'])
  await world.ctl('faults', { kind: 'status500_before', path })
  expect(await refusedOf(world.port.identityByCode(await world.code('chenyu')))).toEqual(['unknown', 'http_500'])
  const wrong = world.adapter({ account: { ...boxAccount, secret: 'SANDBOXsecretthatiswrong' } })
  expect(await refusedOf(wrong.identityByCode(await world.code('chenyu')))).toEqual(['broken', '40125'])
})

test('without a service account every call is broken', async () => {
  const nobody = world.adapter({ account: null })
  expect(() => nobody.authoriseUrl('snsapi_base', back, 's')).toThrow('no service account')
  for (const run of [nobody.identityByCode('c'), nobody.jsTicket(), nobody.identityByMiniProgramCode('c')])
    expect(await refusedOf(run)).toEqual(['broken', 'not_configured'])
  const alone = world.adapter({ account: { ...boxAccount, miniProgram: null } })
  expect(await refusedOf(alone.identityByMiniProgramCode('c'))).toEqual(['broken', 'not_configured'])
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { companyRoles } from '../contract/hr/session.ts'
import { encodeId } from '../contract/ids.ts'
import { merchantRoles } from '../contract/merchant/till.ts'
import { platformRoles } from '../contract/operator/platform.ts'
import { endpoints } from './app.ts'
import type { Actor, Edge } from './kernel/context.ts'
import { AppError } from './kernel/errors.ts'
import { createHttpApp, serve } from './kernel/http.ts'
import { silentLog } from './kernel/log.ts'

const everybody = 'hr approver finance admin'
const platform = 'ops risk finance admin'

/**
 * Who gets in, written by hand beside contract/abilities.ts, so that a door which opens wider is seen here: roles of a
 * company below /hr, roles of the platform below /operator, of a merchant below /merchant, `employee` below /employee, `all`
 * without a sign-in.
 */
const doors: Readonly<Record<string, string>> = {
  'GET /hr/sign-in/:code': 'all',
  'GET /hr/sign-in-callback': 'all',
  'POST /hr/first-sign-in': 'all',
  'DELETE /hr/session': 'all',
  'GET /hr/session': everybody,
  'GET /hr/settings': everybody,
  'PUT /hr/settings/time-zone': 'admin',
  'PUT /hr/settings/gift-depth': 'admin',
  'POST /hr/js/signature': everybody,
  'GET /hr/recurring': everybody,
  'POST /hr/recurring': 'hr admin',
  'GET /hr/recurring/:id': everybody,
  'PUT /hr/recurring/:id': 'hr admin',
  'GET /hr/recurring/:id/preview': everybody,
  'POST /hr/recurring/:id/submit': 'hr admin',
  'POST /hr/recurring/:id/approve': 'approver admin',
  'POST /hr/recurring/:id/return': 'approver admin',
  'POST /hr/recurring/:id/pause': 'hr approver admin',
  'POST /hr/recurring/:id/resume': 'approver admin',
  'POST /hr/recurring/:id/end': 'hr approver admin',
  'POST /employee/js/signature': 'employee',
  'GET /hr/home': everybody,
  'GET /hr/report': everybody,
  'GET /hr/report/rows': everybody,
  'GET /hr/report.xlsx': everybody,
  'GET /hr/templates': everybody,
  'GET /hr/wallet': 'hr finance admin',
  'PUT /hr/wallet/low-balance': 'finance admin',
  'GET /hr/budgets': everybody,
  'POST /hr/budgets': 'finance admin',
  'PUT /hr/budgets/:id': 'finance admin',
  'DELETE /hr/budgets/:id': 'finance admin',
  'GET /hr/budgets/:id/campaigns': everybody,
  'GET /hr/rosters': 'hr approver admin',
  'POST /hr/rosters': 'hr admin',
  'GET /hr/roster-template.xlsx': 'hr approver admin',
  'GET /hr/roster-uses': 'hr approver admin',
  'GET /hr/rosters/:id': 'hr approver admin',
  'GET /hr/rosters/:id/events': 'hr approver admin',
  'PUT /hr/rosters/:id/columns': 'hr admin',
  'GET /hr/rosters/:id/rows': 'hr approver admin',
  'PATCH /hr/rosters/:id/rows': 'hr admin',
  'POST /hr/rosters/:id/replace': 'hr admin',
  'POST /hr/rosters/:id/remove': 'hr admin',
  'GET /hr/rosters/:id/faulty.xlsx': 'hr approver admin',
  'GET /hr/rosters/:id/changes': 'hr approver admin',
  'POST /hr/rosters/:id/apply': 'hr admin',
  'GET /hr/directory': 'hr approver admin',
  'POST /hr/directory/sync': 'hr admin',
  'POST /hr/directory/leavers': 'hr admin',
  'GET /hr/directory/changes': 'hr approver admin',
  'POST /hr/directory/changes/take-back': 'hr approver admin',
  'POST /hr/directory/changes/decide': 'hr admin',
  'POST /hr/campaigns/:id/top-up': 'hr admin',
  'GET /hr/people': 'hr approver admin',
  'GET /hr/campaigns': everybody,
  'POST /hr/campaigns': 'hr admin',
  'GET /hr/campaigns/:id': everybody,
  'PUT /hr/campaigns/:id': 'hr admin',
  'POST /hr/campaigns/:id/copy': 'hr admin',
  'GET /hr/campaigns/:id/dry-run': everybody,
  'POST /hr/campaigns/:id/submit': 'hr admin',
  'POST /hr/campaigns/:id/approve': 'approver admin',
  'POST /hr/campaigns/:id/reject': 'approver admin',
  'POST /hr/campaigns/:id/cancel': 'hr approver admin',
  'GET /hr/campaigns/:id/people': everybody,
  'GET /hr/campaigns/:id/progress': everybody,
  'GET /hr/campaigns/:id/progress/events': everybody,
  'GET /hr/campaigns/:id/people.xlsx': 'hr admin',
  'POST /hr/campaigns/:id/resend': 'hr admin',
  'POST /hr/campaigns/:id/recall': 'hr admin',
  'POST /hr/deliveries/:id/correct': 'hr admin',
  'GET /hr/campaigns/:id/outside': everybody,
  'GET /hr/contact-members': 'hr admin',
  'POST /hr/campaigns/:id/contact-ways': 'hr admin',
  'POST /hr/contact-ways/:id/retry': 'hr admin',
  'POST /hr/contact-ways/:id/remove': 'hr admin',
  'GET /hr/contact-ways/:id/qr': everybody,
  'POST /hr/deliveries/:id/claim-link': 'hr admin',
  'POST /hr/campaigns/:id/mass-sends': 'hr admin',
  'POST /hr/mass-sends/:id/remind': 'hr admin',
  'POST /hr/mass-sends/:id/cancel': 'hr admin',
  'POST /hr/campaigns/:id/contacts/refresh': 'hr admin',
  'GET /hr/orders/:id': everybody,
  'GET /hr/orders/:id/events': everybody,
  'GET /hr/payments': everybody,
  'POST /hr/orders/:id/payments': 'hr finance admin',
  'POST /hr/orders/:id/payments/split': 'hr finance admin',
  'POST /hr/payments/:id/close': 'hr finance admin',
  'POST /hr/payments/:id/query': 'hr finance admin',
  'GET /hr/wecom': everybody,
  'PUT /hr/wecom': 'admin',
  'POST /hr/wecom/callback-keys': 'admin',
  'POST /hr/wecom/checks/:point': 'admin',
  'POST /hr/wecom/refresh': 'admin',
  'POST /hr/wecom/install': 'admin',
  'GET /hr/wecom/licences': everybody,
  'POST /hr/wecom/licences': 'admin',
  'GET /hr/wecom/install-callback': 'admin',
  'GET /operator/keys': platform,
  'GET /operator/covers': 'ops risk admin',
  'POST /operator/covers/:id/decide': 'ops risk admin',
  'POST /store/covers': 'buyer',
  'GET /store/covers/:id': 'buyer',
  'GET /store/covers/:id/picture': 'all',
  'GET /store/trust/:brandId': 'all',
  'DELETE /store/session': 'all',
  'GET /store/session': 'all',
  'GET /store/setting': 'all',
  'GET /store/sign-in': 'all',
  'GET /store/sign-in-callback': 'all',
  'POST /store/js/signature': 'all',
  'GET /store/gift-links/:token': 'all',
  'POST /store/gift-links/:token/opened': 'all',
  'POST /store/device-links/open': 'all',
  'GET /store/cards/:id': 'buyer',
  'GET /store/cards/:id/choices': 'buyer',
  'GET /store/cards/:id/pass': 'buyer',
  'GET /store/cards/:id/reminder': 'buyer',
  'GET /store/gifts': 'buyer',
  'GET /store/gifts/:id': 'buyer',
  'GET /store/orders': 'buyer',
  'GET /store/orders/:id': 'buyer',
  'GET /store/orders/:id/events': 'buyer',
  'GET /store/pack': 'buyer',
  'GET /store/purchases/latest': 'buyer',
  'POST /store/cards/:id/device-links': 'buyer',
  'POST /store/cards/:id/extend': 'buyer',
  'POST /store/cards/:id/found': 'buyer',
  'POST /store/cards/:id/gifts': 'buyer',
  'POST /store/cards/:id/lost': 'buyer',
  'POST /store/cards/:id/pay-code': 'buyer',
  'POST /store/cards/:id/reissue': 'buyer',
  'POST /store/cards/:id/secret': 'buyer',
  'POST /store/cards/:id/shops': 'buyer',
  'POST /store/cards/:id/thanks': 'buyer',
  'POST /store/cards/bind': 'buyer',
  'POST /store/gift-links/:token/claim': 'buyer',
  'POST /store/gifts/:id/withdraw': 'buyer',
  'POST /store/orders': 'buyer',
  'POST /store/orders/:id/cancel': 'buyer',
  'POST /store/orders/:id/pay': 'buyer',
  'POST /store/orders/:id/refund': 'buyer',
  'POST /store/orders/:id/use-now': 'buyer',
  'POST /store/pay-code': 'buyer',
  'GET /store/notices': 'buyer',
  'POST /store/events': 'all',
  'GET /operator/funnel': platform,
  'GET /store/orders/:id/invoice': 'buyer',
  'POST /store/orders/:id/invoice': 'buyer',
  'POST /store/orders/:id/invoice/cancel': 'buyer',
  'GET /store/orders/:id/invoice.pdf': 'buyer',
  'POST /store/notices': 'buyer',
  'GET /store/inbox': 'buyer',
  'POST /store/inbox/read': 'buyer',
  'GET /notify/wechat': 'all',
  'POST /notify/wechat': 'all',
  'GET /operator/wecom': platform,
  'POST /operator/wecom/events/:id/revive': 'ops admin',
  'POST /operator/session': 'all',
  'DELETE /operator/session': 'all',
  'GET /operator/session': platform,
  'GET /operator/companies': platform,
  'PUT /operator/companies/:id/credit-line': 'finance admin',
  'POST /operator/companies/:id/first-sign-in': 'ops admin',
  'GET /operator/jobs': platform,
  'POST /operator/jobs/:id/revive': 'ops admin',
  'GET /hr/campaigns/:id/take-back': 'hr finance admin',
  'POST /hr/campaigns/:id/take-back': 'hr finance admin',
  'GET /hr/invoices': 'finance admin',
  'GET /hr/invoice-orders': 'finance admin',
  'GET /hr/invoice-fields.xlsx': 'finance admin',
  'GET /hr/orders/:id/invoice-preview': 'finance admin',
  'POST /hr/orders/:id/invoices': 'finance admin',
  'GET /hr/invoices/:id': 'finance admin',
  'GET /hr/invoices/:id/pdf': 'finance admin',
  'POST /hr/invoices/:id/cancel': 'finance admin',
  'POST /hr/invoices/:id/reverse': 'finance admin',
  'GET /operator/invoices': 'finance admin',
  'POST /operator/invoices/:id/decide': 'finance admin',
  'POST /hr/orders/:id/refund-preview': 'hr finance admin',
  'GET /hr/orders/:id/surplus': everybody,
  'GET /hr/refunds': everybody,
  'GET /hr/refunds/:id': everybody,
  'POST /hr/orders/:id/give-up': 'hr finance admin',
  'POST /hr/orders/:id/refunds': 'hr finance admin',
  'POST /hr/payments/:id/refund-surplus': 'hr finance admin',
  'GET /operator/refund-parts': 'finance admin',
  'POST /operator/refund-parts/:id/decide': 'finance admin',
  'GET /operator/bills': 'risk finance admin',
  'GET /operator/differences': 'risk finance admin',
  'POST /operator/bills/:id/compare': 'finance admin',
  'POST /operator/differences/:id/take': 'finance admin',
  'POST /operator/differences/:id/close': 'finance admin',
  'GET /operator/brands': platform,
  'PUT /operator/brands/:id/filing': 'finance admin',
  'GET /operator/custody': platform,
  'GET /operator/custody/:id': platform,
  'POST /operator/custody/:id/balances': 'finance admin',
  'POST /operator/custody/:id/guarantees': 'finance admin',
  'POST /operator/custody-guarantees/:id/end': 'finance admin',
  'GET /operator/custody-quarters/:quarter': platform,
  'POST /operator/prove': 'risk finance admin',
  'GET /operator/brands/:id/terms': platform,
  'POST /operator/brands/:id/terms': 'finance admin',
  'GET /operator/settlement': platform,
  'GET /operator/splits': platform,
  'GET /operator/splits/:id': platform,
  'POST /operator/splits/:id/retry': 'finance admin',
  'POST /operator/splits/:id/payout': 'finance admin',
  'GET /operator/payouts': platform,
  'GET /operator/payouts/:id': platform,
  'POST /operator/payouts/draft': 'finance admin',
  'POST /operator/payouts/export': 'finance admin',
  'GET /operator/payout-files/:id': 'finance admin',
  'POST /operator/payouts/:id/paid': 'finance admin',
  'POST /operator/payouts/:id/failed': 'finance admin',
  'POST /operator/payouts/:id/again': 'finance admin',
  'POST /operator/payouts/:id/cancel': 'finance admin',
  'PUT /operator/payees/:payee/account': 'finance admin',
  'POST /operator/bank-statements': 'finance admin',
  'GET /operator/statement-lines': 'finance admin',
  'POST /operator/statement-lines/:id/assign': 'finance admin',
  'POST /operator/statement-lines/:id/undo': 'finance admin',
  'GET /employee/sign-in/:code': 'all',
  'GET /employee/sign-in-callback': 'all',
  'GET /employee/consent/:code': 'all',
  'GET /employee/consent-callback': 'all',
  'DELETE /employee/session': 'all',
  'GET /employee/session': 'employee',
  'GET /employee/pack': 'employee',
  'GET /employee/cards/:id': 'employee',
  'POST /employee/cards/:id/pay-code': 'employee',
  'POST /employee/pay-code': 'employee',
  'GET /employee/purchases/latest': 'employee',
  'POST /employee/cards/:id/shops': 'employee',
  'GET /employee/cards/:id/reminder': 'employee',
  'GET /employee/cards/:id/pass': 'employee',
  'POST /employee/campaigns/:id/opened': 'employee',
  'GET /employee/claims/:token': 'all',
  'POST /employee/claims/:token/code': 'all',
  'POST /employee/claims/:token': 'all',
  'GET /employee/claim-links/:token': 'all',
  'POST /employee/claim-links/:token/code': 'all',
  'POST /employee/claim-links/:token': 'all',
  'POST /employee/campaigns/:id/claimed': 'employee',
  'GET /employee/cards/:id/choices': 'employee',
  'POST /employee/cards/:id/secret': 'employee',
  'POST /employee/cards/:id/lost': 'employee',
  'POST /employee/cards/:id/found': 'employee',
  'POST /employee/cards/:id/reissue': 'employee',
  'POST /employee/cards/:id/extend': 'employee',
  'POST /employee/cards/:id/thanks': 'employee',
  'POST /employee/cards/:id/device-links': 'employee',
  'POST /employee/device-links/open': 'all',
  'POST /employee/cards/bind': 'employee',
  'POST /employee/cards/:id/gifts': 'employee',
  'GET /employee/gifts': 'employee',
  'GET /employee/gifts/:id': 'employee',
  'POST /employee/gifts/:id/withdraw': 'employee',
  'GET /employee/gift-links/:token': 'all',
  'POST /employee/gift-links/:token/opened': 'all',
  'POST /employee/gift-links/:token/claim': 'employee',
  'GET /hr/campaigns/:id/thanks': everybody,
  'GET /callback/wecom/:companyId': 'all',
  'POST /callback/wecom/:companyId': 'all',
  'GET /callback/wecom-suite/:suiteId/command': 'all',
  'POST /callback/wecom-suite/:suiteId/command': 'all',
  'GET /callback/wecom-suite/:suiteId/data/:corpId': 'all',
  'POST /callback/wecom-suite/:suiteId/data/:corpId': 'all',
  'POST /notify/wechatpay': 'all',
  'GET /store/shelf': 'all',
  'GET /store/listings/:id': 'all',
  'GET /operator/listings': platform,
  'POST /operator/listings': 'ops admin',
  'GET /operator/listings/:id': platform,
  'PUT /operator/listings/:id': 'ops admin',
  'GET /operator/unlisted-templates': platform,
  'GET /operator/segments': platform,
  'POST /operator/segments/:segment/buyers': 'ops admin',
  'GET /operator/merchants': platform,
  'POST /operator/merchants': 'ops admin',
  'GET /operator/merchants/:id': platform,
  'PUT /operator/merchants/:id': 'ops admin',
  'POST /operator/merchants/:id/shops': 'ops admin',
  'PUT /operator/shops/:id': 'ops admin',
  'POST /operator/shops/:id/clerks': 'ops admin',
  'PUT /operator/clerks/:id': 'ops admin',
  'POST /operator/clerks/:id/remove': 'ops admin',
  'POST /operator/clerks/:id/link': 'ops admin',
  'GET /operator/merchants/:id/terminals': platform,
  'POST /operator/shops/:id/terminals': 'ops admin',
  'POST /operator/terminals/:id/rotate': 'ops admin',
  'POST /operator/terminals/:id/revoke': 'ops admin',
  'GET /operator/merchants/:id/webhooks': platform,
  'POST /operator/merchants/:id/webhooks': 'ops admin',
  'POST /operator/webhooks/:id/pause': 'ops admin',
  'POST /operator/webhooks/:id/resume': 'ops admin',
  'POST /merchant/sign-in': 'all',
  'DELETE /merchant/session': 'all',
  'GET /operator/merchants/:id/webhook-deliveries': platform,
  'POST /operator/merchants/:id/webhook-deliveries/resend': 'ops admin',
  'POST /operator/webhook-deliveries/:id/resend': 'ops admin',
  'POST /pos/v1/authorisations': 'terminal',
  'GET /pos/v1/authorisations': 'terminal',
  'GET /pos/v1/authorisations/:id': 'terminal',
  'POST /pos/v1/authorisations/:id/captures': 'terminal',
  'POST /pos/v1/authorisations/:id/voids': 'terminal',
  'POST /pos/v1/authorisations/:id/refunds': 'terminal',
  'POST /pos/v1/balances': 'terminal',
  'GET /pos/v1/days/:day/file': 'terminal',
  'GET /merchant/session': 'clerk manager',
  'GET /merchant/shifts': 'clerk manager',
  'POST /merchant/shifts': 'clerk manager',
  'POST /merchant/shifts/:id/close': 'clerk manager',
  'GET /merchant/purchases': 'clerk manager',
  'GET /merchant/purchases/:id': 'clerk manager',
  'POST /merchant/scans': 'clerk manager',
  'POST /merchant/purchases/:id/redeem': 'clerk manager',
  'POST /merchant/purchases/:id/void': 'clerk manager',
  'POST /merchant/purchases/:id/undo': 'clerk manager',
  'POST /merchant/purchases/:id/refund': 'manager',
}

const companyId = encodeId('company', 1n)
const actors: Readonly<Record<string, Actor>> = {
  anybody: { kind: 'anybody' },
  'employee employee': { kind: 'employee', companyId, personId: encodeId('person', 1n) },
  ...Object.fromEntries(
    companyRoles.map((role) => [
      `hr ${role}`,
      { kind: 'member', companyId, memberId: encodeId('member', 1n), roles: [role] },
    ]),
  ),
  'store buyer': { kind: 'buyer', buyerId: encodeId('buyer', 1n) },
  'pos terminal': {
    kind: 'terminal',
    merchantId: encodeId('merchant', 1n),
    shopId: encodeId('shop', 1n),
    terminalId: encodeId('terminal', 1n),
  },
  ...Object.fromEntries(
    merchantRoles.map((role) => [
      `merchant ${role}`,
      {
        kind: 'clerk',
        merchantId: encodeId('merchant', 1n),
        shopId: encodeId('shop', 1n),
        clerkId: encodeId('clerk', 1n),
        roles: [role],
      },
    ]),
  ),
  ...Object.fromEntries(
    platformRoles.map((role) => [
      `operator ${role}`,
      { kind: 'operator', operatorId: encodeId('operator', 1n), roles: [role] },
    ]),
  ),
}

/** What is behind the doors answers 503, so that 401 and 403 are said at the door or not at all. */
const behind = (): never => {
  throw new AppError('busy')
}
const edge = { tx: behind, read: behind, ports: new Proxy({}, { get: behind }), log: silentLog() } as unknown as Edge

describe('the doors', () => {
  let base: string
  let close: () => Promise<void>
  beforeAll(async () => {
    const app = createHttpApp({
      endpoints,
      edgeFor: () => edge,
      // As the real one does it: the path decides whose session counts.
      authenticate: async ({ path, headers }) => {
        const name = headers['x-as'] ?? 'anybody'
        const actor = actors[name]
        return actor !== undefined && path.startsWith(`/${name.split(' ')[0]}/`) ? actor : { kind: 'anybody' }
      },
      origins: ['https://fulika.test'],
      log: silentLog(),
      rate: { points: 1_000_000, seconds: 60 },
    })
    const server = await serve(app, 0, '127.0.0.1')
    base = `http://127.0.0.1:${server.port}`
    close = () => server.close(1_000)
  })
  afterAll(() => close())

  const knock = async (name: string, headers: Record<string, string>): Promise<[number, string]> => {
    const [method = '', path = ''] = name.split(' ')
    const write = method !== 'GET' && method !== 'DELETE'
    const answer = await fetch(base + path.replaceAll(/:\w+/g, 'x'), {
      method,
      redirect: 'manual',
      headers: { 'idempotency-key': 'k', ...(write ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(write ? { body: '{}' } : {}),
    })
    const text = await answer.text()
    return [answer.status, text.startsWith('{') ? ((JSON.parse(text) as { code?: string }).code ?? '') : '']
  }

  test('every endpoint has its line, and no line is left over', () => {
    const names = endpoints.map((one) => `${one.method} ${one.path}`)
    expect(names.toSorted()).toEqual(Object.keys(doors).toSorted())
  })

  test.each(Object.entries(doors))('%s opens for: %s', async (name, who) => {
    const area = /^\w+ \/(\w+)/.exec(name)?.[1] ?? ''
    for (const actor of Object.keys(actors)) {
      const [kind = '', role = ''] = actor.split(' ')
      const [, code] = await knock(name, { 'x-as': actor })
      const mayEnter = who === 'all' || (kind === area && who.split(' ').includes(role))
      const said = code === 'forbidden' || code === 'unauthenticated' ? code : 'opened'
      const shut = kind === area ? 'forbidden' : 'unauthenticated'
      expect([actor, said]).toEqual([actor, mayEnter ? 'opened' : shut])
    }
  })

  const writes = endpoints.filter((one) => one.method !== 'GET' && one.may !== 'notice')
  test.each(writes.map((one) => `${one.method} ${one.path}`))('%s takes nothing from a foreign page', async (name) => {
    const area = /^\w+ \/(\w+)/.exec(name)?.[1] ?? ''
    const others = {
      employee: 'employee employee',
      store: 'store buyer',
      merchant: 'merchant manager',
      pos: 'pos terminal',
    }
    const as = area in others ? others[area as keyof typeof others] : `${area} admin`
    const cookie = 'fulika_hr=x; fulika_ops=x; fulika_pack=x; fulika_till=x; fulika_store=x'
    const foreign = ['https://evil.test', 'null', 'https://fulika.test.evil.test', 'http://fulika.test']
    for (const headers of [{ cookie }, ...foreign.flatMap((origin) => [{ cookie, origin }, { origin }])])
      expect(await knock(name, { 'x-as': as, ...headers })).toEqual([403, 'origin_refused'])
    const [, own] = await knock(name, { 'x-as': as, cookie, origin: 'https://fulika.test' })
    expect(own).not.toBe('origin_refused')
  })

  test('a path in other letters, or with other signs, opens nothing', async () => {
    for (const path of [
      '/HR/home',
      '/Hr/home',
      '/hr/HOME/..',
      '/%68r/home',
      '/hr%2Fhome',
      '/employee/%2e%2e/hr/home',
      '/hr;/home',
    ]) {
      const answer = await fetch(base + path, { headers: { 'x-as': 'employee employee' } })
      expect([401, 404], path).toContain(answer.status)
    }
  })

  test('what is personal or moves money is behind a sign-in', () => {
    const open = endpoints.filter((one) => one.may === 'public').map((one) => `${one.method} ${one.path}`)
    expect(
      open.every((name) =>
        /\/(sign-in\/:code|sign-in-callback|consent\/:code|consent-callback|session|hr\/first-sign-in|merchant\/sign-in|claims\/:token(\/code)?|claim-links\/:token(\/code)?|gift-links\/:token(\/opened)?|device-links\/open|covers\/:id\/picture|trust\/:brandId|store\/(events|setting|sign-in|js\/signature|shelf|listings\/:id))$/.test(
          name,
        ),
      ),
    ).toBe(true)
    // The storefront says only whether somebody is signed in.
    expect(open.filter((name) => name.startsWith('GET') && name.endsWith('/session'))).toEqual(['GET /store/session'])
  })
})

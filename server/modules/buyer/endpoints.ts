import { z } from 'zod'
import { SignPageInput } from '../../../contract/page-signature.ts'
import {
  StorePageSignature,
  StoreSession,
  StoreSetting,
  StoreSignInBackInput,
  StoreSignInInput,
} from '../../../contract/store/session.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { AppError } from '../../kernel/errors.ts'
import type { WechatHouse } from '../../kernel/house.ts'
import { closeSession } from '../company/open-session.ts'
import { beginStoreSignIn, completeStoreSignIn, pageToTell, STORE_HOME } from './sign-in.ts'
import { signStorePage } from './sign-store-page.ts'

const none = z.object({})

/** A phone that was sent back to us sees a page of the storefront with the sentence; a program sees the problem. */
async function orStorePage(http: Http, work: () => Promise<void> | void, pageOf = () => STORE_HOME): Promise<void> {
  try {
    await work()
  } catch (error) {
    const page = http.headers['accept']?.includes('text/html') === true
    if (!(error instanceof AppError) || !page) throw error
    const told = new URL(pageOf(), 'http://here.invalid')
    told.searchParams.set('problem', error.code)
    http.redirect(`${told.pathname}${told.search}${told.hash}`)
  }
}

const mapTemplates = (wechat: WechatHouse | null): Record<string, string> =>
  Object.fromEntries(Object.entries(wechat?.templates ?? {}).map(([kind, { id }]) => [kind, id]))

export const buyerEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/store/setting', may: 'public', scope: 'read' } as const),
    input: none,
    output: StoreSetting,
    run: async ({ house, clock }) => ({
      appid: house.wechat?.appid ?? null,
      jsSdkUrl: house.wechat?.jsSdkUrl ?? null,
      clientScriptUrl: house.wechat?.clientScriptUrl ?? null,
      noticeTemplates: mapTemplates(house.wechat),
      sandbox: house.sandbox,
      nowMs: clock.now(),
    }),
  }),
  endpoint({
    ...({ method: 'GET', path: '/store/session', may: 'public', scope: 'read' } as const),
    input: none,
    output: StoreSession,
    run: async ({ actor, clock, house }) => ({
      signedIn: actor.kind === 'buyer',
      passes: (house.passesUntilMs ?? 0) > clock.now(),
      nowMs: clock.now(),
    }),
  }),
  endpoint({
    ...({ method: 'DELETE', path: '/store/session', may: 'public', scope: 'read', output: 'stream' } as const),
    input: none,
    run: async (tx, _input, http) => closeSession(tx, http, 'buyer'),
  }),
  endpoint({
    ...({ method: 'GET', path: '/store/sign-in', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: StoreSignInInput,
    run: (edge, { return: returnPath }, http) => orStorePage(http, () => beginStoreSignIn(edge, http, returnPath)),
  }),
  endpoint({
    ...({ method: 'GET', path: '/store/sign-in-callback', may: 'public', scope: 'edge', output: 'stream' } as const),
    input: StoreSignInBackInput,
    run: (edge, { code, state }, http) =>
      orStorePage(
        http,
        () => completeStoreSignIn(edge, http, { code, state }),
        () => pageToTell(edge, http, state),
      ),
  }),
  endpoint({
    ...({ method: 'POST', path: '/store/js/signature', may: 'public', scope: 'edge', body: 'json' } as const),
    input: SignPageInput,
    output: StorePageSignature,
    run: (edge, { url }) => signStorePage(edge, url),
  }),
]

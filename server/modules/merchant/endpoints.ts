import { z } from 'zod'
import { ClerkSignInInput } from '../../../contract/merchant/till.ts'
import {
  ChangeClerkInput,
  ChangeMerchantInput,
  ChangeShopInput,
  ClerkInput,
  ClerkLinkMade,
  ClerkMade,
  MerchantDetail,
  MerchantInput,
  MerchantMade,
  Merchants,
  MerchantsInput,
  NewClerkInput,
  NewMerchantInput,
  NewShopInput,
  ShopMade,
  Versioned,
} from '../../../contract/operator/merchant.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { closeSession, openSession } from '../company/open-session.ts'
import { addClerk } from './add-clerk.ts'
import { changeClerk } from './change-clerk.ts'
import { changeMerchant } from './change-merchant.ts'
import { changeShop } from './change-shop.ts'
import { createMerchant } from './create-merchant.ts'
import { createShop } from './create-shop.ts'
import { makeClerkLink } from './make-clerk-link.ts'
import { readClerks } from './read-clerks.ts'
import { readMerchant, readMerchants } from './read-merchants.ts'
import { readShops } from './read-shops.ts'
import { removeClerk } from './remove-clerk.ts'
import { takeClerkLink } from './take-clerk-link.ts'

const reads = { method: 'GET', may: 'merchant.read', scope: 'read' } as const
const makes = { method: 'POST', may: 'merchant.manage', scope: 'tx', body: 'json', idempotent: true } as const
const changes = { method: 'PUT', may: 'merchant.manage', scope: 'tx', body: 'json' } as const

const onceFor = <T>(tx: Tx, http: Http, scope: string, input: object, work: () => Promise<T>): Promise<T> =>
  once(tx, scope, http.idempotencyKey ?? refuse('idempotency_key_missing'), input, work)

async function presentMerchant(tx: Tx, id: Id<'merchant'>): Promise<z.input<typeof MerchantDetail>> {
  const merchant = await readMerchant(tx, id)
  const shops = await readShops(tx, id)
  return {
    ...merchant,
    shopList: shops.map(({ merchantId: _own, brandId: _brand, createdAtMs: _at, ...shop }) => ({
      ...shop,
      latitudeE6: shop.latitudeE6 ?? null,
      longitudeE6: shop.longitudeE6 ?? null,
      phone: shop.phone ?? null,
      hours: shop.hours ?? null,
    })),
    clerkList: await readClerks(tx, id),
  }
}

const merchantPages = [
  endpoint({
    ...reads,
    path: '/operator/merchants',
    input: MerchantsInput,
    output: Merchants,
    run: (tx, page) => readMerchants(tx, page),
  }),
  endpoint({
    ...makes,
    path: '/operator/merchants',
    input: NewMerchantInput,
    output: MerchantMade,
    run: (tx, input, http) =>
      onceFor(tx, http, 'merchant.create', input, async () => ({ id: await createMerchant(tx, input) })),
  }),
  endpoint({
    ...reads,
    path: '/operator/merchants/:id',
    input: MerchantInput,
    output: MerchantDetail,
    run: (tx, { id }) => presentMerchant(tx, id),
  }),
  endpoint({
    ...changes,
    path: '/operator/merchants/:id',
    input: ChangeMerchantInput,
    output: Versioned,
    run: async (tx, input) => ({ version: await changeMerchant(tx, input) }),
  }),
]

const shopPages = [
  endpoint({
    ...makes,
    path: '/operator/merchants/:id/shops',
    input: NewShopInput,
    output: ShopMade,
    run: (tx, { id, ...facts }, http) =>
      onceFor(tx, http, `shop.create:${id}`, facts, async () => ({ id: await createShop(tx, id, facts) })),
  }),
  endpoint({
    ...changes,
    path: '/operator/shops/:id',
    input: ChangeShopInput,
    output: Versioned,
    run: async (tx, input) => ({ version: await changeShop(tx, input) }),
  }),
]

const clerkPages = [
  endpoint({
    ...makes,
    path: '/operator/shops/:id/clerks',
    input: NewClerkInput,
    output: ClerkMade,
    run: (tx, { id: shopId, name, role }, http) => {
      // What a key keeps is not sealed: a name stands there as its fingerprint.
      const said = { role, nameIndex: tx.house.seal.blindIndex('clerk.name', name) }
      return onceFor(tx, http, `clerk.add:${shopId}`, said, async () => ({
        id: await addClerk(tx, { shopId, name, role }),
      }))
    },
  }),
  endpoint({
    ...changes,
    path: '/operator/clerks/:id',
    input: ChangeClerkInput,
    output: Versioned,
    run: async (tx, input) => ({ version: await changeClerk(tx, input) }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/clerks/:id/remove', may: 'merchant.manage', scope: 'tx' } as const),
    input: ClerkInput,
    output: 'stream',
    run: (tx, { id }) => removeClerk(tx, id),
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/clerks/:id/link', may: 'merchant.manage', scope: 'tx' } as const),
    input: ClerkInput,
    output: ClerkLinkMade,
    run: (tx, { id }) => makeClerkLink(tx, id),
  }),
]

const signInEndpoints = [
  endpoint({
    ...({ method: 'POST', path: '/merchant/sign-in', may: 'public', scope: 'edge', body: 'json' } as const),
    input: ClerkSignInInput,
    output: 'stream',
    run: async (edge, { token }, http) => {
      const clerkId = await edge.tx((tx) => takeClerkLink(tx, token))
      openSession(edge, http, { kind: 'clerk', clerkId })
    },
  }),
  endpoint({
    ...({ method: 'DELETE', path: '/merchant/session', may: 'public', scope: 'read', output: 'stream' } as const),
    input: z.object({}),
    run: async (tx, _input, http) => closeSession(tx, http, 'clerk'),
  }),
]

/** Merchants, shops and clerks for the platform's operators; and how a clerk comes in and leaves. */
export const merchantEndpoints: readonly Endpoint[] = [
  ...merchantPages,
  ...shopPages,
  ...clerkPages,
  ...signInEndpoints,
]

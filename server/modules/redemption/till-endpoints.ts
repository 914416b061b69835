import { z } from 'zod'
import {
  ClerkSession,
  PurchaseDetail,
  PurchaseInput,
  Purchases,
  PurchasesInput,
  RedeemInput,
  RefundPurchaseInput,
  ScanInput,
  ShiftInput,
  Shifts,
  ShiftView,
} from '../../../contract/merchant/till.ts'
import { RedemptionView } from '../../../contract/till.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { readBrands } from '../catalog/read-template.ts'
import { readClerkNames } from '../merchant/read-clerks.ts'
import { findMerchant } from '../merchant/read-merchants.ts'
import { findShop } from '../merchant/read-shops.ts'
import { closeShift } from './close-shift.ts'
import { clerkOf, findTill } from './find-till.ts'
import { openShift } from './open-shift.ts'
import { readOpenShift, readPurchase, readPurchases, readShift, readShifts } from './read-till-day.ts'
import type { TillAct } from './till-acts.ts'
import { tillDeskOf } from './till-desk.ts'

const none = z.object({})
const keyOf = (http: Http): string => http.idempotencyKey ?? refuse('idempotency_key_missing')

async function presentSession(tx: Tx): Promise<ClerkSession> {
  const { clerkId, merchantId, shopId, roles } = clerkOf(tx)
  const merchant = (await findMerchant(tx, merchantId)) ?? refuse('unauthenticated')
  const shop = (await findShop(tx, shopId)) ?? refuse('unauthenticated')
  const [brand] = await readBrands(tx, [merchant.brandId])
  return {
    clerk: {
      id: clerkId,
      name: (await readClerkNames(tx, [clerkId])).get(clerkId) ?? '',
      role: roles.includes('manager') ? 'manager' : 'clerk',
    },
    merchantName: merchant.name,
    brandName: brand?.name ?? '',
    shop: { id: shopId, name: shop.name, city: shop.city },
    shift: await readOpenShift(tx),
    sandbox: tx.house.sandbox,
  }
}

/** Does one act at the till of the clerk who asks: by the same desk as all tills, once a key. */
async function actAt(
  edge: Edge,
  http: Http,
  act: TillAct['act'],
  shift: 'must' | 'may' = 'must',
): Promise<RedemptionView> {
  const key = keyOf(http)
  const till = await edge.read((tx) => findTill(tx, shift))
  return tillDeskOf(edge)({ till, key, act })
}

const reads = { method: 'GET', may: 'till.use', scope: 'read' } as const
const acts = { method: 'POST', may: 'till.use', scope: 'edge', idempotent: true } as const

const shiftEndpoints = [
  endpoint({
    ...({ method: 'GET', path: '/merchant/session', may: 'session.read', scope: 'read' } as const),
    input: none,
    output: ClerkSession,
    run: presentSession,
  }),
  endpoint({
    ...reads,
    path: '/merchant/shifts',
    input: none,
    output: Shifts,
    run: async (tx) => ({ shifts: await readShifts(tx) }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/merchant/shifts', may: 'till.use', scope: 'tx', idempotent: true } as const),
    input: none,
    output: ShiftView,
    run: async (tx, _input, http) => {
      const scope = `shift.open:${clerkOf(tx).clerkId}`
      return readShift(tx, await once(tx, scope, keyOf(http), {}, () => openShift(tx)))
    },
  }),
  endpoint({
    ...({ method: 'POST', path: '/merchant/shifts/:id/close', may: 'till.use', scope: 'tx' } as const),
    idempotent: true,
    input: ShiftInput,
    output: ShiftView,
    run: async (tx, { id }, http) => {
      await once(tx, `shift.close:${clerkOf(tx).clerkId}`, keyOf(http), { id }, () => closeShift(tx, id))
      return readShift(tx, id)
    },
  }),
]

const purchaseEndpoints = [
  endpoint({
    ...reads,
    path: '/merchant/purchases',
    input: PurchasesInput,
    output: Purchases,
    run: readPurchases,
  }),
  endpoint({
    ...reads,
    path: '/merchant/purchases/:id',
    input: PurchaseInput,
    output: PurchaseDetail,
    run: (tx, { id }) => readPurchase(tx, id),
  }),
  endpoint({
    ...acts,
    path: '/merchant/scans',
    body: 'json',
    input: ScanInput,
    output: RedemptionView,
    run: (edge, { codes }, http) => actAt(edge, http, { kind: 'scan', codes }),
  }),
  endpoint({
    ...acts,
    path: '/merchant/purchases/:id/redeem',
    body: 'json',
    input: RedeemInput,
    output: RedemptionView,
    run: (edge, { id: redemptionId, billFen, partial }, http) =>
      actAt(edge, http, { kind: 'authorise', on: { redemptionId }, billFen, capture: true, partial, ref: null }),
  }),
  endpoint({
    ...acts,
    path: '/merchant/purchases/:id/void',
    input: PurchaseInput,
    output: RedemptionView,
    run: (edge, { id: redemptionId }, http) => actAt(edge, http, { kind: 'void', redemptionId }, 'may'),
  }),
  endpoint({
    ...acts,
    path: '/merchant/purchases/:id/undo',
    input: PurchaseInput,
    output: RedemptionView,
    run: (edge, { id: redemptionId }, http) => actAt(edge, http, { kind: 'undo', redemptionId }, 'may'),
  }),
  endpoint({
    ...acts,
    path: '/merchant/purchases/:id/refund',
    may: 'till.manage',
    body: 'json',
    input: RefundPurchaseInput,
    output: RedemptionView,
    run: (edge, { id: redemptionId, amountFen }, http) =>
      actAt(edge, http, { kind: 'refund', redemptionId, amountFen }, 'may'),
  }),
]

/** The phone of a clerk: their shift, what they took today, and taking, undoing and giving back. */
export const tillEndpoints: readonly Endpoint[] = [...shiftEndpoints, ...purchaseEndpoints]

import { randomUUID } from 'node:crypto'
import type { Id } from '../../contract/ids.ts'
import type { Ports } from '../channels/ports.ts'
import type { Tx } from '../kernel/context.ts'
import { sql } from '../kernel/sql.ts'
import { addClerk } from '../modules/merchant/add-clerk.ts'
import { createMerchant } from '../modules/merchant/create-merchant.ts'
import { createShop } from '../modules/merchant/create-shop.ts'
import { actAtTill } from '../modules/redemption/act-at-till.ts'
import { openShift } from '../modules/redemption/open-shift.ts'
import { makePayCode } from '../modules/redemption/pay-code.ts'
import type { Till, TillAct, TillOutcome } from '../modules/redemption/till-acts.ts'
import type { TestDatabase } from './databases.ts'

/** A till of a new shop of a brand: a terminal, or with `shift` a clerk whose shift is open. */
export async function aTill(
  database: TestDatabase,
  brandId: Id<'brand'>,
  how: { readonly shift?: boolean } = {},
): Promise<Till> {
  return database.tx(async (tx) => {
    const merchantId = await createMerchant(tx, { brandId, name: `商户 ${randomUUID().slice(0, 8)}` })
    const place = { latitudeE6: null, longitudeE6: null, phone: null, hours: null }
    const shopId = await createShop(tx, merchantId, { name: '一店', city: '苏州', address: '平江路 1 号', ...place })
    const terminal = { merchantId, brandId, shopId, tillId: tx.newId('terminal'), shiftId: null }
    if (how.shift !== true) return terminal
    const clerkId = await addClerk(tx, { name: '王芳', shopId, role: 'clerk' })
    const actor = { kind: 'clerk' as const, merchantId, shopId, clerkId, roles: ['clerk'] }
    return { ...terminal, tillId: clerkId, shiftId: await openShift({ ...tx, actor }) }
  })
}

/** One act with a key of its own. */
export const actOf = (till: Till, act: TillAct['act'], key: string = randomUUID()): TillAct => ({ till, key, act })

/** Does acts in one transaction of their own. */
export const act = (database: TestDatabase, acts: readonly TillAct[], now?: () => number): Promise<TillOutcome[]> =>
  database.edge({} as Ports, undefined, now).tx((tx) => actAtTill(tx, acts))

/** A code of a card, made now. */
export const codeOf = (tx: Tx, cardId: Id<'card'>): string => makePayCode(tx, { kind: 'card', cardId }).code

/** The cards of a database, oldest first. */
export const allCards = (database: TestDatabase): Promise<Id<'card'>[]> =>
  database.tx(async (tx) =>
    (await sql<{ id: Id<'card'> }>(tx.em, 'select id from card order by id')).map(({ id }) => id),
  )

import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import { Brand } from './tables.ts'

export interface BrandFacts {
  readonly name: string
  readonly wechatPay: { readonly mchid: string; readonly appid: string } | null
}

/** The brand whose card numbers begin with a prefix, or null. */
export async function findBrandByPrefix(tx: Tx, issuerPrefix: string) {
  return tx.em.findOne(Brand, { issuerPrefix }, { disableIdentityMap: true })
}

/** Changes a brand's name and who collects for it; payments that are open keep their merchant. False when nothing differs. */
export async function changeBrand(tx: Tx, id: Id<'brand'>, facts: BrandFacts): Promise<boolean> {
  const brand = await tx.em.findOneOrFail(Brand, { id }, { disableIdentityMap: true })
  const { mchid = null, appid = null } = facts.wechatPay ?? {}
  if (brand.name === facts.name && brand.mchid === mchid && brand.appid === appid) return false
  await tx.em.nativeUpdate(Brand, { id }, { name: facts.name, mchid, appid })
  await trail(tx, { objectId: id, act: 'brand.changed' })
  return true
}

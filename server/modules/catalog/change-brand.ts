import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { canonical } from '../../kernel/once.ts'
import { trail } from '../../kernel/trail.ts'
import { Brand } from './tables.ts'

export interface BrandFacts {
  readonly name: string
  readonly wechatPay: { readonly mchid: string; readonly appid: string } | null
}

/** What the cards of a brand may do; what is left out stays as it is. */
export interface CardLimits {
  /** What one card may spend on one day of China, and in how many purchases; null: as much as is on it. */
  readonly cardDayFen?: Fen | null | undefined
  readonly cardDayTimes?: number | null | undefined
  /** By how many days its holder may make a card valid again that has expired. */
  readonly extendDays?: number | undefined
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

/** Sets what a brand's cards may do, from the next purchase or extension on. False when nothing differs. */
export async function setCardLimits(tx: Tx, id: Id<'brand'>, limits: CardLimits): Promise<boolean> {
  const brand = await tx.em.findOneOrFail(Brand, { id }, { disableIdentityMap: true })
  const stands = {
    cardDayFen: brand.cardDayFen ?? null,
    cardDayTimes: brand.cardDayTimes ?? null,
    extendDays: brand.extendDays,
  }
  const { cardDayFen = stands.cardDayFen, cardDayTimes = stands.cardDayTimes, extendDays = stands.extendDays } = limits
  const wanted = { cardDayFen, cardDayTimes, extendDays }
  if (canonical(wanted) === canonical(stands)) return false
  await tx.em.nativeUpdate(Brand, { id }, wanted)
  await trail(tx, {
    objectId: id,
    act: 'brand.limits',
    note: `${cardDayFen} fen, ${cardDayTimes} times, ${extendDays} days`,
  })
  return true
}

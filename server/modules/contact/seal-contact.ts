import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Id } from '../../../contract/ids.ts'
import type { House } from '../../kernel/house.ts'
import { indexesOf } from '../staff/seal-person.ts'

const CodeToSend = z.object({ mobile: z.string(), code: z.string() })
export type CodeToSend = z.infer<typeof CodeToSend>
const ContactIds = z.object({ externalUserId: z.string(), follower: z.string() })
export type ContactIds = z.infer<typeof ContactIds>

const place = (table: string, column: string, rowId: string) => ({ table, column, rowId })

/** The fingerprint of a mobile as the staff list has it, so that the two can be compared. */
export const phoneIndexOf = (house: House, mobile: string): string =>
  indexesOf(house, 'folded', { name: '', phone: mobile, staffNo: null, userid: null }).phoneIndex ?? ''

/** The fingerprint of a code, bound to its row: equal codes of two people look different. */
export const codeIndexOf = (house: House, id: Id<'smsCode'>, code: string): string =>
  house.seal.blindIndex('claim.code', `${id}:${code}`)

/** What stands in a code's place once a request has used it: that very request, and no other, may come again. */
export const usedIndexOf = (house: House, id: Id<'smsCode'>, code: string, key: string): string =>
  house.seal.blindIndex('claim.used', `${id}:${code}:${key}`)

/** Compares two fingerprints in a time that tells nothing. */
export const sameIndex = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))

/** The fingerprint under which a personal link is found. */
export const linkIndexOf = (house: House, token: string): string => house.seal.blindIndex('claim.link', token)

/** An address, for counting wrong guesses only. */
export const addressIndexOf = (house: House, ip: string): string =>
  house.seal.blindIndex('claim.address', ip).slice(0, 32)

/** The text that a welcome message puts into its link: which contact it was sent to. It names no person. */
export const contactTicketOf = (house: House, id: Id<'externalContact'>): string =>
  `${id}.${house.seal.blindIndex('claim.contact', id).slice(0, 24)}`

export function sealCode(house: House, id: Id<'smsCode'>, message: CodeToSend): Buffer {
  return house.seal.seal(place('sms_code', 'phone_sealed', id), JSON.stringify(message))
}
/** Opens what `sealCode` sealed; throws SealBroken. */
export function openCode(house: House, id: Id<'smsCode'>, sealed: Uint8Array): CodeToSend {
  return CodeToSend.parse(JSON.parse(house.seal.open(place('sms_code', 'phone_sealed', id), sealed)))
}

export const externalIndexOf = (house: House, externalUserId: string): string =>
  house.seal.blindIndex('contact.external', externalUserId)
/** As it came: provider apps tell members apart by case (protocols wecom 8.7). */
export const followerIndexOf = (house: House, userid: string): string =>
  house.seal.blindIndex('contact.follower', userid)

export function sealContact(house: House, id: Id<'externalContact'>, ids: ContactIds): Buffer {
  return house.seal.seal(place('external_contact', 'sealed', id), JSON.stringify(ids))
}
/** Opens what `sealContact` sealed; throws SealBroken. */
export function openContact(house: House, row: { readonly id: string; readonly sealed: Uint8Array }): ContactIds {
  return ContactIds.parse(JSON.parse(house.seal.open(place('external_contact', 'sealed', row.id), row.sealed)))
}

export function sealServing(house: House, id: Id<'contactWay'>, userIds: readonly string[]): Buffer {
  return house.seal.seal(place('contact_way', 'members_sealed', id), JSON.stringify(userIds))
}
/** Opens what `sealServing` sealed; throws SealBroken. */
export function openServing(
  house: House,
  row: { readonly id: string; readonly membersSealed?: Uint8Array | null | undefined },
) {
  if (!row.membersSealed) return []
  const text = house.seal.open(place('contact_way', 'members_sealed', row.id), row.membersSealed)
  return z.array(z.string()).parse(JSON.parse(text))
}

export function sealMassSend(house: House, id: Id<'massSend'>, body: string): Buffer {
  return house.seal.seal(place('mass_send', 'body_sealed', id), body)
}
/** Opens what `sealMassSend` sealed; throws SealBroken. */
export function openMassSend(house: House, row: { readonly id: string; readonly bodySealed: Uint8Array }): string {
  return house.seal.open(place('mass_send', 'body_sealed', row.id), row.bodySealed)
}

import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { addDays } from '../../../contract/wall-clock.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change, insertIgnore } from '../../kernel/sql.ts'
import { actorName, trail } from '../../kernel/trail.ts'
import { readBrands } from '../catalog/read-template.ts'
import { noteShortfalls } from './note-shortfalls.ts'
import { CustodyBalance, CustodyGuarantee } from './tables.ts'

export interface NewBalance {
  readonly brandId: Id<'brand'>
  readonly day: string
  readonly fen: Fen
  readonly document: string
}

/**
 * Enters what a custody bank confirmed to lie on a brand's account when a day of China ended, 0 included. The same
 * document with the same content answers with the row that stands; with another it is refused (`custody_document_used`,
 * the field named). A correction is another document. Refuses with `custody_day_future` a day that has not begun.
 */
export async function enterBalance(tx: Tx, balance: NewBalance): Promise<Id<'custodyBalance'>> {
  const { brandId, day, document } = balance
  const [brand] = await readBrands(tx, [brandId])
  if (brand === undefined) refuse('not_found')
  if (day > dayOf(tx.clock.now(), CHINA)) refuse('custody_day_future', { field: 'day' })
  const id = tx.newId('custodyBalance')
  const entered = { entered_by: actorName(tx.actor), entered_at_ms: tx.clock.now() }
  const row = { id, brand_id: brandId, day, fen: balance.fen, document }
  await insertIgnore(tx.em, 'custody_balance', [{ ...row, ...entered }])
  const stands = await tx.em.findOneOrFail(CustodyBalance, { brandId, document }, { disableIdentityMap: true })
  refuseOther(balance, stands, ['day', 'fen'])
  if (stands.id !== id) return stands.id
  await trail(tx, { objectId: brandId, act: 'custody.balance_entered', note: `${day} ${balance.fen}` })
  await noteShortfalls(tx, [brand])
  return id
}

export interface NewGuarantee {
  readonly brandId: Id<'brand'>
  readonly kind: 'insurance' | 'bank_guarantee'
  readonly fen: Fen
  readonly fromDay: string
  readonly toDay: string
  readonly document: string
}

/**
 * Enters insurance or a bank's guarantee that stands in for custody from one day to another, both included. The same
 * document counts once, as with balances. Refuses with `custody_span_backwards` one that ends before it begins.
 */
export async function enterGuarantee(tx: Tx, guarantee: NewGuarantee): Promise<Id<'custodyGuarantee'>> {
  const { brandId, kind, fromDay, toDay, document } = guarantee
  const [brand] = await readBrands(tx, [brandId])
  if (brand === undefined) refuse('not_found')
  if (toDay < fromDay) refuse('custody_span_backwards', { field: 'toDay' })
  const id = tx.newId('custodyGuarantee')
  const row = { id, brand_id: brandId, kind, fen: guarantee.fen, from_day: fromDay, to_day: toDay, ended_day: null }
  const entered = { document, entered_by: actorName(tx.actor), entered_at_ms: tx.clock.now() }
  await insertIgnore(tx.em, 'custody_guarantee', [{ ...row, ...entered }])
  const stands = await tx.em.findOneOrFail(CustodyGuarantee, { brandId, document }, { disableIdentityMap: true })
  refuseOther(guarantee, stands, ['kind', 'fen', 'fromDay', 'toDay'])
  if (stands.id !== id) return stands.id
  await trail(tx, { objectId: brandId, act: 'custody.guarantee_entered', note: `${fromDay} ${toDay} ${guarantee.fen}` })
  await noteShortfalls(tx, [brand])
  return id
}

/**
 * Ends a guarantee before its time: `day` is the last on which it counts, the day before it began where it never should
 * have counted. Once only; the same again is answered alike. Refuses with `custody_span_backwards` another day outside
 * of its time, `state_conflict` when it was ended on another day.
 */
export async function endGuarantee(tx: Tx, id: Id<'custodyGuarantee'>, day: string): Promise<string> {
  const found = (await tx.em.findOne(CustodyGuarantee, { id }, { disableIdentityMap: true })) ?? refuse('not_found')
  if (found.endedDay === day) return day
  if (day >= found.toDay || day < addDays(found.fromDay, -1)) refuse('custody_span_backwards', { field: 'day' })
  const end = 'update custody_guarantee set ended_day = ? where id = ? and ended_day is null'
  if ((await change(tx.em, end, [day, id])) === 0) refuse('state_conflict')
  await trail(tx, { objectId: found.brandId, act: 'custody.guarantee_ended', note: day })
  await noteShortfalls(tx, await readBrands(tx, [found.brandId]))
  return day
}

function refuseOther<T extends object>(given: T, stands: object, fields: readonly (keyof T & string)[]): void {
  const known = stands as Readonly<Record<string, unknown>>
  const differs = fields.find((field) => known[field] !== given[field])
  if (differs !== undefined) refuse('custody_document_used', { field: differs })
}

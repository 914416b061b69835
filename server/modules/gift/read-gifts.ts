import type { GiftDoor, GivenGift } from '../../../contract/employee/gift.ts'
import { fen } from '../../../contract/fen.ts'
import { covers } from '../../../contract/hr/campaign.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { actorName } from '../../kernel/trail.ts'
import type { Holder } from '../card/read-card.ts'
import { readCompany } from '../company/read-company.ts'
import { coverLink } from '../cover/cover-link.ts'
import { openPeople } from '../staff/read-people.ts'
import { findGift } from './find-gift.ts'
import { isNamed } from './is-named.ts'
import { openGreeting, openToken } from './seal-gift.ts'
import { Gift, type GiftRow } from './tables.ts'
import { readThanksFor } from './read-thanks.ts'

/** More than anybody gives; a page never grows without end. */
const MOST_GIFTS = 200

/** What somebody has given, newest first. */
export async function readGivenGifts(tx: Tx, giver: Holder): Promise<GivenGift[]> {
  const where = { fromId: giver.holderId, companyId: giver.companyId }
  const rows = await tx.em.find(Gift, where, { orderBy: { id: 'desc' }, limit: MOST_GIFTS, disableIdentityMap: true })
  return presentGiven(tx, rows)
}

/** One gift of the one who gave it. Anybody else's is `not_found`. */
export async function readGivenGift(tx: Tx, giver: Holder, id: Id<'gift'>): Promise<GivenGift> {
  const where = { id, fromId: giver.holderId, companyId: giver.companyId }
  const row = await tx.em.findOne(Gift, where, { disableIdentityMap: true })
  const [shown] = row === null ? [] : await presentGiven(tx, [row])
  return shown ?? refuse('not_found')
}

/** The open gift of a card that this person gave; null when there is none. */
export async function readOpenGift(tx: Tx, giver: Holder, cardId: Id<'card'>): Promise<Id<'gift'> | null> {
  const where = { cardId, fromId: giver.holderId, companyId: giver.companyId, state: 'offered' as const }
  return (await tx.em.findOne(Gift, where, { disableIdentityMap: true }))?.id ?? null
}

/**
 * A gift as whoever has its link sees it; never the card's number. Refuses with `not_found` for a link that is none, and
 * with `gift_closed` when it is over and the one who looks neither gave nor got it.
 */
export async function readGiftDoor(tx: Tx, token: string): Promise<GiftDoor> {
  const gift = (await findGift(tx, token)) ?? refuse('not_found')
  const you = await whoLooks(tx, gift)
  const over = gift.state !== 'offered' || gift.endsAtMs <= tx.clock.now()
  if (over && you !== 'giver' && you !== 'receiver') refuse('gift_closed')
  const { companyId = null } = gift
  const company = companyId === null ? null : await readCompany(tx, companyId)
  const [giver] = isId('person', gift.fromId) ? await openPeople(tx, [gift.fromId]) : []
  const facts = (await readFacts(tx, [gift])).get(gift.id)
  return {
    state: gift.state,
    fromName: giver?.name ?? '',
    companyName: company?.name ?? null,
    companyCode: company?.code ?? null,
    brandName: facts?.brandName ?? '',
    amountFen: fen(Number(facts?.amount ?? 0)),
    cover: coverOf(gift),
    pictureUrl: gift.pictureId == null ? null : coverLink(tx, gift.pictureId, you === 'giver' ? 'owner' : 'others'),
    greeting: openGreeting(tx, gift.id, gift.greetingSealed),
    endsAtMs: gift.endsAtMs,
    you,
    cardId: you === 'receiver' ? gift.cardId : null,
    sandbox: tx.house.sandbox,
  }
}

async function whoLooks(tx: Tx, gift: GiftRow): Promise<GiftDoor['you']> {
  const { actor } = tx
  if (actor.kind !== 'employee' && actor.kind !== 'buyer') return 'nobody'
  const name = actorName(actor)
  if (name === gift.fromId) return 'giver'
  if (name === gift.toId) return 'receiver'
  if (actor.kind === 'employee') return actor.companyId === gift.companyId ? 'colleague' : 'stranger'
  return gift.companyId == null || !(await isNamed(tx, gift.cardId)) ? 'friend' : 'stranger'
}

const coverOf = (gift: GiftRow) => covers.find((cover) => cover === gift.cover) ?? 'plain'

interface Facts {
  readonly id: Id<'gift'>
  readonly amount: unknown
  readonly brandName: string
  readonly number: string
}

async function readFacts(tx: Tx, gifts: readonly GiftRow[]): Promise<Map<string, Facts>> {
  if (gifts.length === 0) return new Map()
  const rows = await sql<Facts>(
    tx.em,
    `select gift.id as id, hold.amount_fen as amount, brand.name as brandName, card.number as number
      from gift join hold on hold.id = gift.hold_id join card on card.id = gift.card_id
        join brand on brand.id = card.brand_id
      where gift.id in (${gifts.map(() => '?').join(',')})`,
    gifts.map((gift) => gift.id),
  )
  return new Map(rows.map((row) => [row.id, row]))
}

async function presentGiven(tx: Tx, gifts: readonly GiftRow[]): Promise<GivenGift[]> {
  const facts = await readFacts(tx, gifts)
  const receivers = gifts.flatMap(({ toId }) => (isId('person', toId) ? [toId] : []))
  const names = new Map((await openPeople(tx, [...new Set(receivers)])).map(({ id, name }) => [id, name]))
  const thanks = await readThanksFor(
    tx,
    gifts.map((gift) => gift.id),
  )
  return gifts.map((gift) => {
    const own = facts.get(gift.id)
    const open = gift.state === 'offered' && gift.endsAtMs > tx.clock.now()
    return {
      id: gift.id,
      cardId: gift.cardId,
      brandName: own?.brandName ?? '',
      numberTail: own?.number.slice(-4) ?? '',
      amountFen: fen(Number(own?.amount ?? 0)),
      cover: coverOf(gift),
      pictureUrl: gift.pictureId == null ? null : coverLink(tx, gift.pictureId, 'owner'),
      greeting: openGreeting(tx, gift.id, gift.greetingSealed),
      state: gift.state,
      path: open
        ? `${gift.companyId == null ? '/mine' : '/pack'}/gift/${openToken(tx, gift.id, gift.tokenSealed)}`
        : null,
      createdAtMs: gift.createdAtMs,
      endsAtMs: gift.endsAtMs,
      openedAtMs: gift.openedAtMs ?? null,
      claimedAtMs: gift.claimedAtMs ?? null,
      toName: gift.toId == null ? null : (names.get(gift.toId as Id<'person'>) ?? ''),
      thanks: thanks.get(gift.id) ?? null,
    }
  })
}

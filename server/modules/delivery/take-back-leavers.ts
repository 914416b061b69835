import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { DeliveryState } from '../../../contract/states.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { sql } from '../../kernel/sql.ts'
import { freezeUnused, type Frozen } from '../card/freeze-cards.ts'
import { holdPerson } from '../staff/hold-person.ts'
import { moveDeliveries } from './move-deliveries.ts'

/** Before these nobody has looked at the card. */
const unopened = ['planned', 'sending', 'sent', 'failed'] as const satisfies readonly DeliveryState[]
type Unopened = (typeof unopened)[number]

interface HeldDelivery {
  readonly id: Id<'delivery'>
  readonly campaign: Id<'campaign'>
  readonly state: DeliveryState
}

/**
 * Takes back what a company gave to somebody who left and never looked at it: their messages count as withdrawn, the
 * cards of those campaigns that nobody used are frozen. What was opened, claimed or used stays theirs, and so do cards
 * that no campaign of the company gave. Nothing for somebody who is back. Harmless to repeat.
 */
export async function takeBack(tx: Tx, companyId: Id<'company'>, personId: Id<'person'>): Promise<Frozen> {
  if ((await holdPerson(tx, personId)) !== 'left') return { cards: 0, fen: fen(0) }
  const kept = new Set<Id<'campaign'>>()
  for (const delivery of await readHeld(tx, companyId, personId)) {
    if (delivery.state === 'revoked') continue
    if (!isUnopened(delivery.state) || !(await revoke(tx, delivery.id, delivery.state))) kept.add(delivery.campaign)
  }
  const cards = await readGiven(tx, companyId, personId)
  const unread = cards.filter((card) => !kept.has(card.campaign))
  await endGifts(tx, companyId, personId, cards)
  return freezeUnused(
    tx,
    unread.map((card) => card.id),
    'person_left',
  )
}

/** What they offered to somebody returns to them first, by a job: gifts stand above deliveries. */
async function endGifts(
  tx: Tx,
  companyId: Id<'company'>,
  personId: Id<'person'>,
  cards: readonly GivenCard[],
): Promise<void> {
  if (cards.every((card) => Number(card.held) === 0)) return
  const key = `gifts.of-leaver:${personId}:${tx.clock.now()}`
  await enqueue(tx, [{ kind: 'gifts.of-leaver', key, args: { companyId, personId } }])
}

const isUnopened = (state: DeliveryState): state is Unopened => (unopened as readonly string[]).includes(state)

/** False when the person was faster, or the message is just being recorded: then the state moved under our feet. */
async function revoke(tx: Tx, id: Id<'delivery'>, seen: Unopened): Promise<boolean> {
  const after: readonly Unopened[] = [seen, ...unopened.filter((state) => state !== seen)]
  for (const from of after)
    if ((await moveDeliveries(tx, { objectId: id, ids: [id], from, to: 'revoked', reason: 'person_left' })) === 1)
      return true
  return false
}

const readHeld = (tx: Tx, companyId: Id<'company'>, personId: Id<'person'>) =>
  sql<HeldDelivery>(
    tx.em,
    'select id, campaign_id as campaign, state from delivery where person_id = ? and company_id = ? order by id',
    [personId, companyId],
  )

interface GivenCard {
  readonly id: Id<'card'>
  readonly campaign: Id<'campaign'>
  readonly face: number
  readonly whole: number
  readonly held: number
}

/**
 * Active cards that campaigns of the company gave to a person; `whole`: nothing of it was used or is held. What a colleague
 * passed on to them is theirs: it is not among these.
 */
const readGiven = (tx: Tx, companyId: Id<'company'>, personId: Id<'person'>) =>
  sql<GivenCard>(
    tx.em,
    `select card.id, campaign.id as campaign, card.face_fen as face,
       case when card.balance_fen = card.face_fen and card.held_fen = 0 then 1 else 0 end as whole,
       card.held_fen as held
     from card join order_item on order_item.id = card.order_item_id
       join campaign on campaign.order_id = order_item.order_id
     where card.holder_id = ? and order_item.holder_id = card.holder_id and card.company_id = ? and card.state = 'active'
     order by card.id`,
    [personId, companyId],
  )

export interface Takable {
  readonly deliveries: number
  readonly cards: number
  readonly faceFen: Fen
  readonly keptCards: number
}

/** What `takeBack` would do for a person, as things stand now. */
export async function readTakable(tx: Tx, companyId: Id<'company'>, personId: Id<'person'>): Promise<Takable> {
  const held = await readHeld(tx, companyId, personId)
  const kept = new Set(
    held.filter((one) => one.state === 'opened' || one.state === 'claimed').map((one) => one.campaign),
  )
  const cards = await readGiven(tx, companyId, personId)
  const free = cards.filter((card) => !kept.has(card.campaign) && Number(card.whole) === 1)
  return {
    deliveries: held.filter((one) => isUnopened(one.state)).length,
    cards: free.length,
    faceFen: fen(free.reduce((sum, card) => sum + readSum(card.face), 0)),
    keptCards: cards.length - free.length,
  }
}

const LATE_PER_RUN = 100

/**
 * Job `leavers.take-back`, nightly: cards that were made after somebody had left and was settled by HR. Says how many
 * people it found; a person counts once, for nothing of theirs is left to fail afterwards.
 */
export async function takeBackLate(tx: Tx): Promise<number> {
  const people = await sql<{ company: Id<'company'>; person: Id<'person'> }>(
    tx.em,
    `select distinct delivery.company_id as company, delivery.person_id as person from directory_change
       join person on person.id = directory_change.person_id and person.state = 'left'
       join delivery on delivery.person_id = person.id
     where directory_change.kind = 'left' and directory_change.state = 'done'
       and delivery.state = 'failed' and delivery.reason = 'person_left' limit ${LATE_PER_RUN}`,
  )
  for (const { company, person } of people) await takeBack(tx, company, person)
  return people.length
}

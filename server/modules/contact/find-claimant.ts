import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import type { Door } from './find-door.ts'

/** Somebody whose card waits behind a door. */
export interface Claimant {
  readonly personId: Id<'person'>
  readonly cardId: Id<'card'>
}

/**
 * Whose mobile this is at a door: an active person of the campaign with a card, whose time has come; at a personal link
 * that person only. Null for everybody else. A number that two people of the list share names nobody: they get links of
 * their own.
 */
export async function findClaimant(tx: Tx, door: Door, phoneIndex: string): Promise<Claimant | null> {
  // One step after the other: asked at once, a database may begin with everybody of the campaign.
  const people = await sql<{ id: Id<'person'> }>(
    tx.em,
    "select id from person where company_id = ? and phone_index = ? and state = 'active' order by id limit ?",
    [door.companyId, phoneIndex, MOST_SHARING],
  )
  const found: Claimant[] = []
  for (const { id } of people) {
    const cardId = door.personId === null || door.personId === id ? await findCard(tx, door, id) : null
    if (cardId !== null) found.push({ personId: id, cardId })
  }
  return found.length === 1 ? found[0]! : null
}

/** People of one number who are looked at: more than one of a campaign is too many. */
const MOST_SHARING = 10

/** The card that somebody may claim at a door, once its time has come. */
async function findCard(tx: Tx, door: Door, personId: Id<'person'>): Promise<Id<'card'> | null> {
  const [due] = await sql(
    tx.em,
    'select 1 from campaign where id = ? and company_id = ? and (send_at_ms is null or send_at_ms <= ?)',
    [door.campaignId, door.companyId, tx.clock.now()],
  )
  return due === undefined ? null : findClaimable(tx, { campaignId: door.campaignId, personId })
}

/**
 * The newest card that a campaign gave to somebody who is on the staff, while it may be claimed: it is theirs and not
 * frozen. A message that was recalled took no card away, so the message's own state says nothing here. Null without one.
 */
export async function findClaimable(
  tx: Tx,
  { campaignId, personId }: { readonly campaignId: Id<'campaign'>; readonly personId: Id<'person'> },
): Promise<Id<'card'> | null> {
  const [head] = await sql<{ orderId: string }>(
    tx.em,
    `select campaign.order_id as orderId from delivery join campaign on campaign.id = delivery.campaign_id
        join person on person.id = delivery.person_id and person.state = 'active'
      where delivery.campaign_id = ? and delivery.person_id = ?`,
    [campaignId, personId],
  )
  if (head === undefined) return null
  const cards = await sql<{ id: Id<'card'>; orderId: string }>(
    tx.em,
    `select card.id as id, order_item.order_id as orderId from card join order_item on order_item.id = card.order_item_id
      where card.holder_id = ? and card.state not in ('void', 'refunded', 'frozen') order by card.id desc`,
    [personId],
  )
  return cards.find(({ orderId }) => orderId === head.orderId)?.id ?? null
}

/** Holds people until the end of the transaction, in the order of their ids: two requests for one number stand in line. */
export async function lockClaimants(tx: Tx, claimants: readonly (Claimant | null)[]): Promise<void> {
  const ids = [...new Set(claimants.flatMap((one) => (one === null ? [] : one.personId)))].sort()
  // A write takes the lock and changes nothing: SQLite drops `for update` without a word.
  for (const id of ids) await sql(tx.em, 'update person set changed_at_ms = changed_at_ms where id = ?', [id])
}

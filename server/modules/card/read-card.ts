import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { Activity, Card } from './tables.ts'

export interface Holder {
  readonly companyId: Id<'company'>
  readonly holderId: Id<'person'>
}
/** More cards than anybody holds; a page never grows without end. */
const MOST_CARDS = 500
const MOST_ACTIVITIES = 200

/** The cards that a person of a company holds, newest first. */
export async function readHeldCards(tx: Tx, { companyId, holderId }: Holder) {
  return tx.em.find(
    Card,
    { holderId, companyId },
    { orderBy: { id: 'desc' }, limit: MOST_CARDS, disableIdentityMap: true },
  )
}

/** One card, if this person holds it; else null, whoever else does. */
export async function readHeldCard(tx: Tx, { companyId, holderId }: Holder, cardId: Id<'card'>) {
  return tx.em.findOne(Card, { id: cardId, holderId, companyId }, { disableIdentityMap: true })
}

/** What moved on a card, newest first. */
export async function readActivities(tx: Tx, cardId: Id<'card'>) {
  return tx.em.find(
    Activity,
    { cardId },
    { orderBy: { seq: 'desc' }, limit: MOST_ACTIVITIES, disableIdentityMap: true },
  )
}

import type { HolderId, Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { Activity, Card, type CardRow } from './tables.ts'

/** Who holds a card: a person of a company, or a buyer, who is of none. */
export interface Holder {
  readonly companyId: Id<'company'> | null
  readonly holderId: HolderId
}
/** More cards than anybody holds; a page never grows without end. */
const MOST_CARDS = 500
const MOST_ACTIVITIES = 200

/**
 * Which cards are a holder's. People see those of their company; to a buyer whoever gave it may have passed a card of
 * whatever company on.
 */
const heldBy = ({ companyId, holderId }: Holder) => (companyId === null ? { holderId } : { holderId, companyId })

/** The same of a card that was read. */
export const holds = (holder: Holder, card: Pick<CardRow, 'holderId' | 'companyId'>): boolean =>
  card.holderId === holder.holderId && (holder.companyId === null || card.companyId === holder.companyId)

/** The cards that somebody holds, newest first. */
export async function readHeldCards(tx: Tx, holder: Holder) {
  return tx.em.find(Card, heldBy(holder), { orderBy: { id: 'desc' }, limit: MOST_CARDS, disableIdentityMap: true })
}

/** One card, if they hold it; else null, whoever else does. */
export async function readHeldCard(tx: Tx, holder: Holder, cardId: Id<'card'>) {
  return tx.em.findOne(Card, { id: cardId, ...heldBy(holder) }, { disableIdentityMap: true })
}

/** What moved on a card, newest first. */
export async function readActivities(tx: Tx, cardId: Id<'card'>) {
  return tx.em.find(
    Activity,
    { cardId },
    { orderBy: { seq: 'desc' }, limit: MOST_ACTIVITIES, disableIdentityMap: true },
  )
}

import { readCardInput, type CardInput } from '../../../contract/card-input.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { lockCard } from '../card/change-held-card.ts'
import { bindCard } from '../card/pass-on-card.ts'
import type { Holder } from '../card/read-card.ts'
import { markClaimed } from '../delivery/mark-claimed.ts'
import { countAttempt, uncountAttempt, type Binder } from './count-binds.ts'

/** A card as somebody typed it. */
export interface TypedCard {
  readonly number: string
  readonly secret: string
}

/**
 * Takes a card without a name into the pack of whoever has its number and secret; it gets a new secret. Null for every
 * reason alike: a wrong number, a wrong secret, a card with a name, of another company, frozen, locked, ended, empty or
 * partly set aside, and too many attempts by this person, device or network. The holder themselves gets it named again.
 * An employee binds cards of their company; a buyer any card without a name, whoever gave it first.
 */
export async function bindBySecret(tx: Tx, holder: Holder, binder: Binder, typed: TypedCard) {
  const input = readCardInput(typed.number, typed.secret)
  if (input === null) return null
  if (!(await countAttempt(tx, binder))) return null
  const cardId = await bindFound(tx, holder, input)
  if (cardId !== null) await uncountAttempt(tx, binder)
  return cardId
}

interface Found {
  readonly id: Id<'card'>
  readonly campaignId: Id<'campaign'> | null
  readonly givenTo: Id<'person'>
}

async function bindFound(tx: Tx, holder: Holder, input: CardInput): Promise<Id<'card'> | null> {
  const secretIndex = tx.house.seal.blindIndex('card.secret', input.secret)
  const [found] = await sql<Found>(
    tx.em,
    `select card.id as id, campaign.id as campaignId, order_item.holder_id as givenTo
      from card join template_version on template_version.id = card.template_version_id
        join order_item on order_item.id = card.order_item_id
        left join campaign on campaign.order_id = order_item.order_id
      where card.secret_index = ? and card.number = ? and template_version.named = 0
        ${holder.companyId === null ? '' : 'and card.company_id = ?'}`,
    [secretIndex, input.number, ...(holder.companyId === null ? [] : [holder.companyId])],
  )
  if (found === undefined) return null
  // Whoever has its secret has taken the card: the message that brought it is not open any more.
  if (found.campaignId !== null) await markClaimed(tx, { campaignId: found.campaignId, personId: found.givenTo })
  const card = await lockCard(tx, found.id)
  if (card === null || card.secretIndex !== secretIndex || card.number !== input.number) return null
  if (card.holderId === holder.holderId) return card.id
  return (await bindCard(tx, card, holder.holderId)) ? card.id : null
}

import { SECRET_LENGTH } from '../../../contract/card-input.ts'
import type { Id } from '../../../contract/ids.ts'
import { cardMoves, type CardState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { change, insertRows, type Cells } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import { makeSecret } from './make-secret.ts'
import { holds, type Holder } from './read-card.ts'
import { Card, type CardRow } from './tables.ts'

/**
 * Holds a card until the end of the transaction and reads it as it stands then. Whoever does several things holds the card
 * first, then what hangs on it (a gift, a hold). Null when there is none.
 */
export async function lockCard(tx: Tx, cardId: Id<'card'>): Promise<CardRow | null> {
  // A write that changes nothing holds the row: it is the same on both databases.
  await change(tx.em, 'update card set held_fen = held_fen where id = ?', [cardId])
  return tx.em.findOne(Card, { id: cardId }, { disableIdentityMap: true })
}

/** The card, held, if this person holds it. Refuses with `not_found`, whoever else does. */
export async function lockHeldCard(tx: Tx, holder: Holder, cardId: Id<'card'>): Promise<CardRow> {
  const card = await lockCard(tx, cardId)
  return card !== null && holds(holder, card) ? card : refuse('not_found')
}

export interface HeldCardChange {
  /** What it is for the trail: `card.reissued`. */
  readonly act: string
  readonly note?: string
  /** Its line in the card's own history. None: the history does not tell of it. */
  readonly activity?: { readonly kind: 'gift' | 'bind' | 'reissue' | 'extend'; readonly ref: string }
  readonly state?: CardState
  readonly set?: Cells
  /** Whose card it is counts only once it is unlocked. */
  readonly unlocked?: boolean
  /** Only while it is valid. */
  readonly valid?: boolean
}

/**
 * Changes a card that this transaction holds, but never its balance. The guard stands in the statement again: state,
 * version, and where it is asked for the lock and the end at this very instant. Throws when the card is another by now, or
 * when its state may not follow.
 */
export async function changeHeldCard(tx: Tx, card: CardRow, step: HeldCardChange): Promise<void> {
  const to = step.state ?? card.state
  if (to !== card.state && !(cardMoves[card.state] as readonly CardState[]).includes(to))
    throw new Error(`card: no move ${card.state} -> ${to}`)
  const now = tx.clock.now()
  const seq = card.activities + 1
  const set: Cells = { ...step.set, state: to, activities: step.activity === undefined ? card.activities : seq }
  const guards = [
    'id = ? and version = ? and state = ?',
    ...(step.unlocked === true ? [`locked_until_ms <= ${now}`] : []),
    ...(step.valid === true ? [`(expires_at_ms is null or expires_at_ms > ${now})`] : []),
  ]
  const columns = Object.keys(set).map((column) => `${column} = ?`)
  const changed = await change(
    tx.em,
    `update card set ${columns.join(', ')}, version = version + 1 where ${guards.join(' and ')}`,
    [...Object.values(set), card.id, card.version, card.state],
  )
  if (changed !== 1) throw new Error(`card ${card.id} changed while it was held`)
  if (step.activity !== undefined)
    await insertRows(tx.em, 'activity', [
      {
        card_id: card.id,
        seq,
        kind: step.activity.kind,
        amount_fen: 0,
        balance_fen: card.balanceFen,
        ref: step.activity.ref,
        at_ms: now,
      },
    ])
  await trail(tx, {
    objectId: card.id,
    act: step.act,
    ...(to === card.state ? {} : { fromState: card.state, toState: to }),
    ...(step.note === undefined ? {} : { note: step.note }),
  })
}

/** A new secret for a card: whoever knew the old one knows nothing any more. */
export function newSecretOf(tx: Tx, cardId: Id<'card'>): Cells {
  const secret = makeSecret(tx, SECRET_LENGTH)
  const { seal } = tx.house
  return {
    secret_sealed: seal.seal({ table: 'card', column: 'secret_sealed', rowId: cardId }, secret),
    secret_index: seal.blindIndex('card.secret', secret),
    hand_since_ms: tx.clock.now(),
  }
}

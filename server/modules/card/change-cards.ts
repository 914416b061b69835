import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { cardMoves, type CardState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { insertRows, updateRows } from '../../kernel/sql.ts'
import { trailMany } from '../../kernel/trail.ts'
import type { LockedCard } from './lock-cards.ts'

/** One movement on a card, with the balance after it. */
export interface NewActivity {
  readonly kind: 'capture' | 'capture_refund' | 'capture_undo'
  /** Less than 0: it left the card. */
  readonly amountFen: number
  readonly balanceFen: Fen
  readonly ref: string
}

/** What a locked card is to become. */
export interface CardChange {
  readonly card: LockedCard
  readonly balanceFen: Fen
  readonly heldFen: Fen
  readonly state: CardState
  readonly spentDay: number
  readonly spentDayFen: Fen
  readonly spentDayTimes: number
  /** Value was set aside anew: it must be unlocked and valid at this instant. */
  readonly spends: boolean
  readonly activities: readonly NewActivity[]
}

/**
 * Writes what became of cards that this transaction holds: one statement for the cards, one for their activities. The
 * guard stands in the statement again (version, state, held within the balance; and where value is newly set aside, the
 * lock and the end at this very instant): when one card does not fit, all of it is undone. Throws when a state may not
 * follow, or when an activity's sum is not the change of the balance.
 */
export async function changeCards(tx: Tx, changes: readonly CardChange[]): Promise<void> {
  const sorted = changes.toSorted((a, b) => (a.card.id < b.card.id ? -1 : 1))
  sorted.forEach(mustFit)
  const now = tx.clock.now()
  const changed = await updateRows(
    tx.em,
    'card',
    sorted.map((change) => ({
      id: change.card.id,
      version: change.card.version,
      from_state: change.card.state,
      state: change.state,
      balance_fen: change.balanceFen,
      held_fen: change.heldFen,
      activities: change.card.activities + change.activities.length,
      spent_day: change.spentDay,
      spent_day_fen: change.spentDayFen,
      spent_day_times: change.spentDayTimes,
      spends_at_ms: change.spends ? now : 0,
    })),
    {
      set: `balance_fen = new_balance_fen, held_fen = new_held_fen, state = new_state, version = version + 1,
        activities = new_activities, spent_day = new_spent_day, spent_day_fen = new_spent_day_fen,
        spent_day_times = new_spent_day_times`,
      where: `card.version = new_version and card.state = new_from_state and new_held_fen <= new_balance_fen
        and (new_spends_at_ms = 0 or (card.state = 'active' and card.locked_until_ms <= new_spends_at_ms
          and (card.expires_at_ms is null or card.expires_at_ms > new_spends_at_ms)))`,
    },
  )
  if (changed !== sorted.length) throw new Error(`${sorted.length - changed} cards changed while they were held`)
  await insertRows(
    tx.em,
    'activity',
    sorted.flatMap(({ card, activities }) =>
      activities.map(({ kind, amountFen, balanceFen, ref }, index) => ({
        card_id: card.id,
        seq: card.activities + 1 + index,
        kind,
        amount_fen: amountFen,
        balance_fen: balanceFen,
        ref,
        at_ms: now,
      })),
    ),
  )
  await trailMany(tx, sorted.filter(({ card, state }) => state !== card.state).map(noteOf))
}

function mustFit({ card, state, balanceFen, activities }: CardChange): void {
  if (state !== card.state && !(cardMoves[card.state] as readonly CardState[]).includes(state))
    throw new Error(`card: no move ${card.state} -> ${state}`)
  const moved = activities.reduce((sum, activity) => sum + activity.amountFen, 0)
  if (card.balanceFen + moved !== balanceFen) throw new Error(`card ${card.id}: its activities are not its change`)
}

const noteOf = ({ card, state, activities }: CardChange) => ({
  objectId: card.id satisfies Id<'card'>,
  act: `card.${state}`,
  fromState: card.state,
  toState: state,
  ...(activities.length > 0 ? { note: activities.at(-1)!.ref } : {}),
})

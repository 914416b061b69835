import { cardStateAt, type CardView } from '../../../contract/states.ts'
import type { Scope } from '../../kernel/context.ts'
import type { CardRow } from './tables.ts'

/** What somebody sees of a card at this instant. */
export const viewOf = (scope: Pick<Scope, 'clock'>, card: CardRow): CardView =>
  cardStateAt({ ...card, expiresAtMs: card.expiresAtMs ?? null }, scope.clock.now())

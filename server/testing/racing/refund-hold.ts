import { fen } from '../../../contract/fen.ts'
import type { Edge } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { placeHold } from '../../modules/redemption/place-hold.ts'
import { requestRefund } from '../../modules/refund/request-refund.ts'
import type { Contest, RacingPair } from './contest.ts'
import { makeRunners, type Runner } from './stage.ts'

/** Asks for a card's money; false where the card is not to be had. `inRight`: only until cooling-off ends. */
export async function takeBack(edge: Edge, { orderId, cardId }: Runner, inRight: boolean): Promise<boolean> {
  try {
    await edge.tx((tx) => requestRefund(tx, { kind: 'cards', orderId, cardIds: [cardId], inRight }))
    return true
  } catch (error) {
    if (error instanceof AppError && ['refund_right_over', 'card_not_refundable'].includes(error.code)) return false
    throw error
  }
}

/** Sets one fen of a card aside at a shop; false where the card does not give it. */
export const holdFen = async (edge: Edge, { cardId }: Runner): Promise<boolean> =>
  (await edge.tx((tx) => placeHold(tx, { cardId, amount: fen(1), ref: 'race', endsAtMs: Number.MAX_SAFE_INTEGER }))) !==
  null

/** A refund against a shop's hold: whoever comes first has the card. */
export const refundAndHold: RacingPair = {
  coolingOffMs: 0,
  mostBehindMs: 50,
  prepare: (stage, count) => makeRunners(stage, 'wallet', count),
  contest: async (_stage, runner): Promise<Contest> => ({
    of: runner.cardId,
    first: (edge) => takeBack(edge, runner, false),
    second: (edge) => holdFen(edge, runner),
    wrong: ({ first, second }) => (first || second ? [] : ['neither']),
  }),
}

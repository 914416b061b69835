import type { Id } from '../../../contract/ids.ts'
import type { Scope } from '../../kernel/context.ts'

/** A tenth of all buyers, always the same ones: nobody can tell from an id who they are. */
export const isHeldOut = ({ house }: Pick<Scope, 'house'>, buyerId: Id<'buyer'>): boolean =>
  Number.parseInt(house.seal.blindIndex('notice.holdout', buyerId).slice(0, 8), 16) % 10 === 0

/** A holder hears of a card's end this many days before; the most pressing comes first. */
export const expiryStages = [1, 7, 30] as const

/** Little is left on a card: ten yuan, or a tenth of what it was made with. */
export const LOW_FEN = 1_000
export const LOW_PART = 10

/** The page tells of an acceptance at once, WeChat within minutes: told within this time of each other they are one. */
export const SAME_MS = 5 * 60_000

/** More permissions of one kind than anybody gives: a page that makes them up gets nothing out of it. */
export const MOST_OPEN = 10

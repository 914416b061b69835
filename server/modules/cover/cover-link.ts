import { timingSafeEqual } from 'node:crypto'
import type { Id } from '../../../contract/ids.ts'
import type { Scope } from '../../kernel/context.ts'

const HOUR_MS = 3_600_000

/** Who sees a picture: its owner and the platform while it is there, everybody else once it has passed. */
export type Whom = 'owner' | 'others'

/**
 * The address of a picture, for somebody who was just shown what carries it: it needs no sign-in, works for an hour at least and two
 * at most, and stays the same within the hour, so that a browser keeps the picture.
 */
export function coverLink(scope: Pick<Scope, 'house' | 'clock'>, id: Id<'cover'>, whom: Whom): string {
  const until = Math.floor(scope.clock.now() / HOUR_MS) * HOUR_MS + 2 * HOUR_MS
  return `/store/covers/${id}/picture?until=${until}&sign=${signOf(scope, id, until, whom)}`
}

/** For whom an address was made; null when it was not made here, or is too old. */
export function readCoverLink(
  scope: Pick<Scope, 'house' | 'clock'>,
  { id, until, sign }: { readonly id: Id<'cover'>; readonly until: number; readonly sign: string },
): Whom | null {
  if (until <= scope.clock.now()) return null
  const made = (['owner', 'others'] as const).find((whom) =>
    timingSafeEqual(Buffer.from(signOf(scope, id, until, whom)), Buffer.from(sign)),
  )
  return made ?? null
}

const signOf = ({ house }: Pick<Scope, 'house'>, id: string, until: number, whom: Whom): string =>
  house.seal.blindIndex('cover.link', `${id}.${until}.${whom}`)

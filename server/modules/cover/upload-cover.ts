import { createHash } from 'node:crypto'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { CoverState } from '../../../contract/states.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { buyerOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { makePicture } from './make-picture.ts'
import { sealPicture } from './seal-picture.ts'
import { Cover } from './tables.ts'

const DAY_MS = 86_400_000

/**
 * Makes a cover of the bytes that a buyer uploaded, has it judged, and keeps it; the same key gives the same cover. Where nobody can
 * judge it now, somebody of the platform will. Refuses with `picture_refused`, `too_many_requests`, `busy`.
 */
export async function uploadCover(edge: Edge, key: string, bytes: Buffer): Promise<Id<'cover'>> {
  const buyerId = buyerOf(edge.actor)
  await edge.read((tx) => checkRate(tx, buyerId))
  const picture = await makePicture(bytes)
  const verdict = await edge.ports.review.reviewPicture(picture).catch((error: unknown) => {
    if (error instanceof OutsideError) return 'person' as const
    throw error
  })
  if (verdict === 'refuse')
    refuse('picture_refused', { detail: { zh: '图片内容不适合作封面。', en: 'What it shows is not fit for a cover.' } })
  const state = verdict === 'pass' ? 'passed' : 'in_review'
  const digest = createHash('sha256').update(bytes).digest('hex')
  return edge.tx((tx) => {
    const asked = { contentIndex: tx.house.seal.blindIndex('cover.content', digest) }
    return once(tx, `cover:${buyerId}`, key, asked, () => insertCover(tx, buyerId, state, picture))
  })
}

async function checkRate(tx: Tx, buyerId: Id<'buyer'>): Promise<void> {
  const since = tx.clock.now() - DAY_MS
  const [row] = await sql<{ found: unknown; first: unknown }>(
    tx.em,
    'select count(*) as found, min(created_at_ms) as first from cover where buyer_id = ? and created_at_ms > ?',
    [buyerId, since],
  )
  if (Number(row?.found) >= limits.coversPerDay)
    refuse('too_many_requests', { retryAfterMs: Number(row?.first) - since })
}

async function insertCover(tx: Tx, buyerId: Id<'buyer'>, state: CoverState, picture: Buffer): Promise<Id<'cover'>> {
  await checkRate(tx, buyerId)
  const id = tx.newId('cover')
  await tx.em.insert(Cover, {
    id,
    buyerId,
    state,
    version: 1,
    pictureSealed: sealPicture(tx, id, picture),
    createdAtMs: tx.clock.now(),
    decidedAtMs: null,
    usedAtMs: null,
  })
  await trail(tx, { objectId: id, act: 'cover.uploaded', toState: state })
  return id
}

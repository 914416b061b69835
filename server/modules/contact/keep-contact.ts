import type { Id } from '../../../contract/ids.ts'
import { externalContactMoves, type ExternalContactState } from '../../../contract/states.ts'
import type { Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { change, insertIgnore } from '../../kernel/sql.ts'
import { externalIndexOf, followerIndexOf, sealContact, type ContactIds } from './seal-contact.ts'
import { ExternalContact } from './tables.ts'

export interface ContactNews extends ContactIds {
  readonly companyId: Id<'company'>
  readonly state: ExternalContactState
  /** Which QR code brought them; null where WeCom does not say. */
  readonly contactWayId: Id<'contactWay'> | null
  /** When it happened, by WeCom: older news than we have change nothing. */
  readonly atMs: number
}
export type ContactRow = NonNullable<Awaited<ReturnType<typeof readContact>>>

/**
 * Keeps what WeCom tells of a member's outside contact: a row the first time, a move afterwards. Only contacts of our own
 * QR codes are kept: others of the company are none of our business, and news of them give null. Added anew, a contact
 * is greeted and tagged anew.
 */
export async function keepContact(tx: Tx, news: ContactNews): Promise<ContactRow | null> {
  const indexes = indexesOf(tx, news)
  const key = { companyId: news.companyId, ...indexes }
  const known = await readContact(tx, key)
  if (known === null) {
    if (news.contactWayId === null || news.state === 'removed' || news.state === 'moved') return null
    await insertContact(tx, news, indexes)
    return readContact(tx, key)
  }
  if (news.atMs < known.changedAtMs) return known
  await takeNews(tx, known, news)
  return readContact(tx, key)
}

const indexesOf = (tx: Tx, ids: ContactIds) => ({
  externalIdIndex: externalIndexOf(tx.house, ids.externalUserId),
  followerIndex: followerIndexOf(tx.house, ids.follower),
})

/** A contact by what WeCom calls the two; null where it is none of ours. */
export const findContact = (tx: Tx, companyId: Id<'company'>, ids: ContactIds): Promise<ContactRow | null> =>
  readContact(tx, { companyId, ...indexesOf(tx, ids) })

/** One contact as it stands. */
export function readContact(
  tx: Tx,
  where:
    | { readonly id: Id<'externalContact'> }
    | { readonly companyId: Id<'company'>; readonly externalIdIndex: string; readonly followerIndex: string },
) {
  return tx.em.findOne(ExternalContact, where, { disableIdentityMap: true })
}

async function insertContact(
  tx: Tx,
  news: ContactNews,
  indexes: { readonly externalIdIndex: string; readonly followerIndex: string },
): Promise<void> {
  const id = tx.newId('externalContact')
  const { externalUserId, follower } = news
  await insertIgnore(tx.em, 'external_contact', [
    {
      id,
      company_id: news.companyId,
      external_id_index: indexes.externalIdIndex,
      follower_index: indexes.followerIndex,
      sealed: sealContact(tx.house, id, { externalUserId, follower }),
      state: news.state,
      version: 1,
      contact_way_id: news.contactWayId,
      added_at_ms: news.atMs,
      changed_at_ms: news.atMs,
    },
  ])
}

async function takeNews(tx: Tx, known: ContactRow, news: ContactNews): Promise<void> {
  const added = news.state === 'added' || news.state === 'half'
  // The same telling again is nothing new; a later one of somebody who was there means that we missed how they left.
  const anew = added && news.atMs > known.addedAtMs && !(known.state === 'half' && news.state === 'added')
  const set = {
    changed_at_ms: news.atMs,
    ...(anew
      ? {
          added_at_ms: news.atMs,
          welcome: null,
          tag: null,
          contact_way_id: news.contactWayId ?? known.contactWayId ?? null,
        }
      : {}),
  }
  if (known.state !== news.state && externalContactMoves[known.state].some((next) => next === news.state)) {
    const step = { table: 'external_contact', id: known.id, from: known.state, to: news.state }
    await move(tx, { ...step, moves: externalContactMoves, set })
  } else if (known.state === news.state && news.atMs > known.changedAtMs) {
    const columns = Object.keys(set)
    await change(
      tx.em,
      `update external_contact set version = version + 1, ${columns.map((one) => `${one} = ?`).join(', ')} where id = ?`,
      [...Object.values(set), known.id],
    )
  }
}

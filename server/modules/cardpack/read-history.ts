import type { CardDetail } from '../../../contract/employee/pack.ts'
import { covers } from '../../../contract/hr/campaign.ts'
import { isId, type HolderId, type Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { coverLink } from '../cover/cover-link.ts'
import { readActivities } from '../card/read-card.ts'
import { openGreeting } from '../gift/seal-gift.ts'
import { openPeople } from '../staff/read-people.ts'

/** A card came into other hands. */
const handed: readonly string[] = ['gift', 'bind']

/**
 * What moved on a card, newest first, with the shop where it was spent; from the moment on when it came to whoever holds it:
 * where somebody shopped before is nobody else's business.
 */
export async function readHistory(tx: Tx, cardId: Id<'card'>): Promise<CardDetail['activities']> {
  const all = await readActivities(tx, cardId)
  const came = all.findIndex(({ kind }) => handed.includes(kind))
  const activities = came === -1 ? all : all.slice(0, came + 1)
  const shops = await readShopsOf(tx, [...new Set(activities.map(({ ref }) => ref))])
  return activities.map(({ kind, amountFen, balanceFen, atMs, ref }) => {
    return { kind, amountFen, balanceFen, atMs, shopName: shops.get(ref) ?? null }
  })
}

/** The names of the shops of purchases, by the purchase; of other references none. */
async function readShopsOf(tx: Tx, refs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const purchases = refs.filter((ref) => isId('redemption', ref))
  if (purchases.length === 0) return new Map()
  const rows = await sql<{ id: string; name: string }>(
    tx.em,
    `select redemption.id as id, shop.name as name from redemption join shop on shop.id = redemption.shop_id
      where redemption.id in (${purchases.map(() => '?').join(',')})`,
    purchases,
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}

interface PassedOn {
  readonly giverName: string
  readonly greeting: string
  readonly cover: (typeof covers)[number]
  readonly pictureUrl: string | null
}

/** The colleague from whom the holder has a card, with their words and cover; null when nobody passed it on to them. */
export async function readPassedOn(
  tx: Tx,
  card: { readonly id: Id<'card'>; readonly holderId: string },
): Promise<PassedOn | null> {
  const [row] = await sql<{
    id: Id<'gift'>
    fromId: HolderId
    cover: string
    pictureId: Id<'cover'> | null
    greeting: Uint8Array
  }>(
    tx.em,
    `select id, from_id as fromId, cover, picture_id as pictureId, greeting_sealed as greeting from gift
      where card_id = ? and to_id = ? and state = 'claimed' order by id desc limit 1`,
    [card.id, card.holderId],
  )
  if (row === undefined) return null
  const [giver] = isId('person', row.fromId) ? await openPeople(tx, [row.fromId]) : []
  return {
    giverName: giver?.name ?? '',
    greeting: openGreeting(tx, row.id, row.greeting),
    cover: covers.find((cover) => cover === row.cover) ?? 'plain',
    pictureUrl: row.pictureId === null ? null : coverLink(tx, row.pictureId, 'others'),
  }
}

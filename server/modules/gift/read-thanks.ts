import type { CampaignThanks } from '../../../contract/hr/thanks.ts'
import { isId, type HolderId, type Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { openPeople } from '../staff/read-people.ts'
import { openThanks } from './seal-gift.ts'
import { Thanks } from './tables.ts'

/** The words of thanks for gifts, by gift: each has one receiver. */
export async function readThanksFor(tx: Tx, giftIds: readonly Id<'gift'>[]): Promise<Map<string, string>> {
  if (giftIds.length === 0) return new Map()
  const rows = await tx.em.find(Thanks, { subjectId: { $in: [...giftIds] } }, { disableIdentityMap: true })
  return new Map(rows.map((row) => [row.subjectId, openThanks(tx, row.id, row.textSealed)]))
}

/** What people wrote back to a campaign, newest first. The caller has made sure whose campaign it is. */
export async function readCampaignThanks(
  tx: Tx,
  campaignId: Id<'campaign'>,
  page: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<CampaignThanks> {
  const before = page.cursor === undefined ? {} : { id: { $lt: page.cursor as Id<'thanks'> } }
  const rows = await tx.em.find(
    Thanks,
    { subjectId: campaignId, ...before },
    { orderBy: { id: 'desc' }, limit: page.limit + 1, disableIdentityMap: true },
  )
  const shown = rows.slice(0, page.limit)
  const people = new Map(
    (await openPeople(tx, [...new Set(shown.flatMap(({ fromId }) => (isId('person', fromId) ? [fromId] : [])))])).map(
      (one) => [one.id as string, one],
    ),
  )
  return {
    thanks: shown.map((row) => ({
      id: row.id,
      name: people.get(row.fromId)?.name ?? '',
      department: people.get(row.fromId)?.department ?? null,
      text: openThanks(tx, row.id, row.textSealed),
      atMs: row.createdAtMs,
    })),
    nextCursor: rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null,
  }
}

/** Whom somebody would thank for a card: the giver of the gift by which they got it, or the campaign. */
export interface ThanksSubject {
  readonly subjectId: Id<'gift'> | Id<'campaign'>
  readonly to: 'company' | 'colleague'
  readonly thankedAtMs: number | null
}

/**
 * Who gave a card to the one who holds it: a colleague, if the last hand it went through was a gift; nobody, if they bound
 * it themselves; else the campaign that made it for them.
 */
export async function findThanksSubject(
  tx: Tx,
  card: { readonly id: Id<'card'>; readonly holderId: string },
): Promise<ThanksSubject | null> {
  const [hand] = await sql<{ kind: string; ref: string }>(
    tx.em,
    "select kind, ref from activity where card_id = ? and kind in ('gift', 'bind') order by seq desc limit 1",
    [card.id],
  )
  if (hand?.kind === 'bind') return null
  const subjectId = hand === undefined ? await findCampaign(tx, card) : (hand.ref as Id<'gift'>)
  if (subjectId === null) return null
  const where = { fromId: card.holderId as HolderId, subjectId }
  const thanks = await tx.em.findOne(Thanks, where, { disableIdentityMap: true })
  return { subjectId, to: hand === undefined ? 'company' : 'colleague', thankedAtMs: thanks?.createdAtMs ?? null }
}

async function findCampaign(
  tx: Tx,
  card: { readonly id: Id<'card'>; readonly holderId: string },
): Promise<Id<'campaign'> | null> {
  const [row] = await sql<{ id: Id<'campaign'> }>(
    tx.em,
    `select campaign.id as id from card join order_item on order_item.id = card.order_item_id
        join campaign on campaign.order_id = order_item.order_id
      where card.id = ? and order_item.holder_id = ?`,
    [card.id, card.holderId],
  )
  return row?.id ?? null
}

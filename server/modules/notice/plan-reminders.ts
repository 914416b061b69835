import type { Id } from '../../../contract/ids.ts'
import { CHINA, dayOf, startOfDay } from '../../kernel/company-day.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readExpiringOfBuyers, readLowOfBuyers, type BuyersCard } from '../card/read-buyers-cards.ts'
import { noteMessages, type NewMessage } from './note-message.ts'
import { expiryStages, LOW_FEN, LOW_PART } from './rules.ts'

const DAY_MS = 86_400_000
const AT_ONCE = 500
/** Nobody is reminded twice in a day, nor more than three times in 30 days, whatever their cards do. */
const MOST_IN_30_DAYS = 3

/**
 * Job `notices.plan`, daily at ten in China: tells buyers whose cards end within 30, 7 or 1 days, and those whose card has little left
 * after they spent from it. Once for each; may be killed and run again.
 */
export async function planReminders(edge: Edge): Promise<void> {
  const now = edge.clock.now()
  for (const [index, stage] of expiryStages.entries()) {
    const between = { fromMs: now + (expiryStages[index - 1] ?? 0) * DAY_MS, toMs: now + stage * DAY_MS }
    await page(
      edge,
      (tx, afterId) => readExpiringOfBuyers(tx, { ...between, afterId, limit: AT_ONCE }),
      (card) => ({
        kind: 'card_expiring',
        subject: `${stage}:${dayOf(card.expiresAtMs ?? 0, CHINA)}`,
      }),
    )
  }
  const day = Number(dayOf(now - DAY_MS, CHINA).replaceAll('-', ''))
  const low = { day, lowFen: LOW_FEN, part: LOW_PART }
  await page(
    edge,
    (tx, afterId) => readLowOfBuyers(tx, { ...low, afterId, limit: AT_ONCE }),
    (card) => ({
      kind: 'low_balance',
      subject: card.id,
    }),
  )
}

async function page(
  edge: Edge,
  read: (tx: Tx, afterId: string) => Promise<readonly BuyersCard[]>,
  about: (card: BuyersCard) => Pick<NewMessage, 'kind' | 'subject'>,
): Promise<void> {
  for (let afterId = ''; ;) {
    const cards = await edge.read((tx) => read(tx, afterId))
    await edge.tx(async (tx) =>
      noteMessages(
        tx,
        await notTired(
          tx,
          cards.map((card) => messageOf(card, about(card))),
        ),
      ),
    )
    if (cards.length < AT_ONCE) return
    afterId = cards.at(-1)!.id
  }
}

const messageOf = (card: BuyersCard, about: Pick<NewMessage, 'kind' | 'subject'>): NewMessage => ({
  ...about,
  buyerId: card.holderId,
  cardId: card.id,
  amountFen: card.balanceFen,
  expiresAtMs: card.expiresAtMs,
})

/** One for each buyer, and none for those who were reminded today, or as often as one may be. */
async function notTired(tx: Tx, messages: readonly NewMessage[]): Promise<NewMessage[]> {
  const first = new Map<Id<'buyer'>, NewMessage>()
  for (const one of messages) if (!first.has(one.buyerId)) first.set(one.buyerId, one)
  const ids = [...first.keys()]
  if (ids.length === 0) return []
  const now = tx.clock.now()
  const rows = await sql<{ id: Id<'buyer'>; told: unknown; last: unknown }>(
    tx.em,
    `select buyer_id as id, count(*) as told, max(created_at_ms) as last from notice_message
      where buyer_id in (${ids.map(() => '?').join(',')}) and kind in ('card_expiring', 'low_balance') and created_at_ms > ?
      group by buyer_id`,
    [...ids, now - 30 * DAY_MS],
  )
  const today = startOfDay(dayOf(now, CHINA), CHINA)
  const tired = rows.filter(({ told, last }) => Number(told) >= MOST_IN_30_DAYS || Number(last) >= today)
  for (const { id } of tired) first.delete(id)
  return [...first.values()]
}

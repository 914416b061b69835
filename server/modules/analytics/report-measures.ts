import { EXPIRING_DAYS, type ReportFigure } from '../../../contract/hr/report-words.ts'
import type { RowFigure } from '../../../contract/hr/report.ts'

const DAY_MS = 86_400_000

/** One figure of one head in SQL: whether it counts there, and with which amount. */
export interface Measure {
  readonly counts: string
  readonly fen: string
}

/**
 * What each figure counts of one head (`reportWords` says it to people), over the names of `headTables`. Sums and the rows
 * behind them are made of the same texts, so that they cannot differ. A comparison with a card or a message that is not there
 * stands inside a `case` or a `coalesce`: the database may not turn the join around for it.
 */
export function measuresAt(nowMs: number): Readonly<Record<RowFigure, Measure>> {
  const made = 'card.id is not null'
  const ended = "card.state in ('refunded', 'void')"
  const over = `card.expires_at_ms is not null and card.expires_at_ms <= ${nowMs}`
  const soon = `card.expires_at_ms is not null and card.expires_at_ms <= ${nowMs + EXPIRING_DAYS * DAY_MS}`
  const kept = `${made} and not (${ended}) and card.balance_fen > 0`
  const reached = (states: string): Measure => ({
    counts: `case when coalesce(delivery.state, '') in (${states}) then 1 else 0 end`,
    fen: '0',
  })
  const when = (condition: string, fen: string): Measure => ({
    counts: `case when ${condition} then 1 else 0 end`,
    fen: `case when ${condition} then ${fen} else 0 end`,
  })
  return {
    budget: { counts: '1', fen: 'item.price_fen' },
    issued: when(made, 'card.face_fen'),
    delivered: reached("'sent', 'opened', 'claimed'"),
    opened: reached("'opened', 'claimed'"),
    spent: when(
      `${made} and not (${ended}) and card.balance_fen < card.face_fen`,
      '(card.face_fen - card.balance_fen)',
    ),
    left: when(`${kept} and not (${over})`, 'card.balance_fen'),
    expiring: when(`${kept} and not (${over}) and (${soon})`, 'card.balance_fen'),
    expired: when(`${kept} and (${over})`, 'card.balance_fen'),
    takenBack: when(`${made} and (${ended})`, 'card.face_fen'),
  } satisfies Record<Exclude<ReportFigure, 'funded'>, Measure>
}

/**
 * The heads of orders with what belongs to each, found by key or index: begin with the order (`item.order_id`), and no
 * statistics decide anything. A message is by campaign and person, and the card by its item, so that a card which changed
 * hands stays where it was issued.
 */
export const headTables = `order_item item
  left join orders on orders.id = item.order_id
  left join campaign on campaign.order_id = item.order_id
  left join card on card.order_item_id = item.id
  left join delivery on delivery.campaign_id = campaign.id and delivery.person_id = item.holder_id
  left join person on person.id = item.holder_id and campaign.roster_id is null`

/**
 * The department for which a head was given its card: as the campaign's list says (a person's first row counts), without one
 * as the staff does now. `+ 0` leaves the index by list and person as the only one that fits: with any other each head would
 * read the whole list.
 */
export const departmentOfHead = `coalesce(case when campaign.roster_id is null then person.department else (
  select listed.department from roster_row listed
  where listed.roster_id = campaign.roster_id and listed.person_id = item.holder_id
    and listed.faulty + 0 = 0 and listed.removed + 0 = 0
  order by listed.row_no + 0 limit 1) end, '')`

/** The instant by which a head has its day: its card was made, or is waited for since the approval. */
export const instantOfHead = 'coalesce(card.issued_at_ms, orders.created_at_ms)'

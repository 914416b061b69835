import type { Funnel } from '../../../contract/operator/funnel.ts'
import { noticeKinds, type NoticeKind } from '../../../contract/store/notice.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** So long after a message a purchase may be its doing. */
const WITHIN_MS = 14 * 86_400_000

/**
 * Of people who had allowed a message: how many spent from the card that it was about, among those to whom it went and among those
 * from whom it was kept on purpose. Messages whose two weeks are not over count in neither.
 */
export async function readUplift(
  tx: Tx,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Promise<Funnel['notices']> {
  const rows = await sql<{ kind: NoticeKind; held: unknown; people: unknown; spent: unknown }>(
    tx.em,
    `select judged.kind as kind, judged.held as held, count(*) as people, sum(judged.spent) as spent from (
        select message.kind as kind, case when message.state = 'kept' then 1 else 0 end as held,
          case when exists (select 1 from activity where activity.card_id = message.card_id and activity.kind = 'capture'
            and activity.at_ms >= message.created_at_ms and activity.at_ms < message.created_at_ms + ${WITHIN_MS})
            then 1 else 0 end as spent
        from notice_message as message
        where message.created_at_ms >= ? and message.created_at_ms < ? and message.created_at_ms < ?
          and (message.state in ('sent', 'delivered') or (message.state = 'kept' and message.reason = 'held_out'))
      ) as judged group by judged.kind, judged.held`,
    [fromMs, untilMs, tx.clock.now() - WITHIN_MS],
  )
  const of = (kind: NoticeKind, held: 0 | 1) => {
    const row = rows.find((one) => one.kind === kind && Number(one.held) === held)
    return { people: Number(row?.people ?? 0), spent: Number(row?.spent ?? 0) }
  }
  const known = noticeKinds.filter((kind) => rows.some((row) => row.kind === kind))
  return known.map((kind) => ({ kind, told: of(kind, 0), heldOut: of(kind, 1) }))
}

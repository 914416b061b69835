import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

/** Whether a card carries its holder's name (记名卡). */
export async function isNamed(tx: Tx, cardId: Id<'card'>): Promise<boolean> {
  const [row] = await sql<{ named: unknown }>(
    tx.em,
    `select template_version.named as named from card
        join template_version on template_version.id = card.template_version_id where card.id = ?`,
    [cardId],
  )
  return Number(row?.named ?? 1) === 1
}

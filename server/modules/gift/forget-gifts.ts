import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'

const AT_ONCE = 500
const NOTHING = Buffer.alloc(0)

/**
 * Job `gifts.forget`: what a gift's link was, once the gift is over; and words on gifts and of thanks that are a year old.
 * Who gave what to whom stays, by ids. Returns how many rows it touched; call again until there are none.
 */
export async function forgetGifts(tx: Tx): Promise<number> {
  const before = tx.clock.now() - limits.wordsKeptMs
  const links = await erase(tx, 'token_sealed', "state <> 'offered'", [])
  const words = await erase(tx, 'greeting_sealed', "state <> 'offered' and created_at_ms < ?", [before])
  const thanks = await sql<{ id: string }>(
    tx.em,
    `select id from thanks where created_at_ms < ? order by id limit ${AT_ONCE}`,
    [before],
  )
  if (thanks.length === 0) return links + words
  const ids = thanks.map(({ id }) => id)
  return links + words + (await change(tx.em, `delete from thanks where id in (${ids.map(() => '?').join(',')})`, ids))
}

async function erase(
  tx: Tx,
  column: 'token_sealed' | 'greeting_sealed',
  where: string,
  values: readonly number[],
): Promise<number> {
  const rows = await sql<{ id: string }>(
    tx.em,
    `select id from gift where ${where} and length(${column}) > 0 order by id limit ${AT_ONCE}`,
    values,
  )
  if (rows.length === 0) return 0
  const ids = rows.map(({ id }) => id)
  return change(tx.em, `update gift set ${column} = ? where id in (${ids.map(() => '?').join(',')})`, [NOTHING, ...ids])
}

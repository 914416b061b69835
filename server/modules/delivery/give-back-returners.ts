import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { trail } from '../../kernel/trail.ts'
import type { Frozen } from '../card/freeze-cards.ts'
import { unfreezeCards } from '../card/unfreeze-cards.ts'
import { holdPerson } from '../staff/hold-person.ts'

/**
 * Gives back to somebody who is with the company again what was taken when they left: their cards that were frozen for it
 * are active, and the messages that were withdrawn or not sent for it may be sent again when HR wishes. Nothing for
 * somebody who is gone. Harmless to repeat.
 */
export async function giveBack(tx: Tx, personId: Id<'person'>): Promise<Frozen> {
  if ((await holdPerson(tx, personId)) !== 'active') return { cards: 0, fen: fen(0) }
  const held = await sql<{ id: Id<'delivery'> }>(
    tx.em,
    "select id from delivery where person_id = ? and state in ('revoked', 'failed') and reason = 'person_left' order by id",
    [personId],
  )
  for (const { id } of held) {
    const changed = await change(
      tx.em,
      `update delivery set reason = 'person_returned', version = version + 1
        where id = ? and state in ('revoked', 'failed') and reason = 'person_left'`,
      [id],
    )
    if (changed === 1) await trail(tx, { objectId: id, act: 'delivery.resendable', note: 'person_returned' })
  }
  return unfreezeCards(tx, personId, { frozenFor: 'person_left', note: 'person_returned' })
}

/** People looked at in one go. */
const PAGE = 200

/**
 * Job `returners.give-back`: everybody of a company who is on the staff and still misses something for having left. A list
 * that was applied, or a decision about the directory, may have brought them back.
 */
export async function giveBackReturners(edge: Edge, companyId: Id<'company'>): Promise<void> {
  for (let after = ''; ;) {
    const people = await edge.read((tx) => readReturners(tx, companyId, after))
    for (const { id } of people) await edge.tx((tx) => giveBack(tx, id))
    const last = people.at(-1)
    if (!last) return
    after = last.id
  }
}

const readReturners = (tx: Tx, companyId: Id<'company'>, after: string) =>
  sql<{ id: Id<'person'> }>(
    tx.em,
    `select id from person where company_id = ? and state = 'active' and id > ? and (
        exists (select 1 from card where card.holder_id = person.id and card.state = 'frozen')
        or exists (select 1 from delivery where delivery.person_id = person.id
          and delivery.state in ('revoked', 'failed') and delivery.reason = 'person_left'))
      order by id limit ${PAGE}`,
    [companyId, after],
  )

import type { Selection } from '../../../contract/hr/campaign.ts'
import { fen, type Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'

/** Whom a person may choose; a run chooses by itself. */
export type ChosenSelection = Exclude<Selection, { readonly kind: 'run' }>

export interface Recipient {
  readonly personId: Id<'person'>
  readonly department: string | null
  /** What the list says for this person; null where it says nothing. */
  readonly amountFen: Fen | null
}

/**
 * Who is chosen. Of a used list, in the order of its rows: rows without a fault that were not taken out, whose person is
 * still with the company; nobody while no list is chosen. A department is chosen by its whole name; the empty name means
 * people without one. People chosen by themselves need no list, and come by their ids. Refuses with `not_found` for
 * another company's list and `roster_not_ready` for one that is not applied.
 */
export async function readRecipients(
  tx: Tx,
  wish: {
    readonly companyId: Id<'company'>
    readonly rosterId: Id<'roster'> | null
    readonly selection: ChosenSelection
  },
): Promise<Recipient[]> {
  if (wish.selection.kind === 'people') return readChosen(tx, wish.companyId, wish.selection.personIds)
  if (wish.rosterId === null) return []
  const [roster] = await sql<{ state: string }>(tx.em, 'select state from roster where id = ? and company_id = ?', [
    wish.rosterId,
    wish.companyId,
  ])
  if (!roster) refuse('not_found')
  if (roster.state !== 'used') refuse('roster_not_ready')
  const chosen = conditionOf(wish.selection)
  const rows = await sql<{ person: Id<'person'>; department: string | null; amount: unknown }>(
    tx.em,
    `select r.person_id as person, r.department, r.amount_fen as amount from roster_row r join person p on p.id = r.person_id
     where r.roster_id = ? and r.faulty = 0 and r.removed = 0 and p.state = 'active' and p.company_id = ?${chosen.text} order by r.row_no`,
    [wish.rosterId, wish.companyId, ...chosen.values],
  )
  return rows.map((row) => ({
    personId: row.person,
    department: row.department,
    amountFen: row.amount === null ? null : fen(Number(row.amount)),
  }))
}

/** Those of these people who are with the company, each once. */
async function readChosen(tx: Tx, companyId: Id<'company'>, personIds: readonly Id<'person'>[]): Promise<Recipient[]> {
  const ids = [...new Set(personIds)]
  const rows = await sql<{ id: Id<'person'>; department: string | null }>(
    tx.em,
    `select id, department from person
     where company_id = ? and state = 'active' and id in (${ids.map(() => '?').join(',')}) order by id`,
    [companyId, ...ids],
  )
  return rows.map(({ id, department }) => ({ personId: id, department, amountFen: null }))
}

type ListSelection = Exclude<ChosenSelection, { readonly kind: 'people' }>

function conditionOf(selection: ListSelection): { text: string; values: string[] } {
  switch (selection.kind) {
    case 'all':
      return { text: '', values: [] }
    case 'departments':
      return oneOf("coalesce(r.department, '')", selection.departments)
    case 'rows':
      return oneOf('r.id', selection.rowIds)
  }
}

const oneOf = (column: string, values: readonly string[]) => ({
  text: ` and ${column} in (${values.map(() => '?').join(',')})`,
  values: [...values],
})

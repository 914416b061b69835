import { reactive, shallowRef, type ShallowRef } from 'vue'
import type { MendedRows, RosterRowView } from '../../../../contract/hr/staff.ts'
import type { RosterField } from '../../../../contract/roster-row.ts'
import { send, toApiProblem, type ApiProblem } from '../../../lib/api.ts'
import type { Rows } from './use-rows.ts'

type CellKey = `${string}/${RosterField}`
const keyOf = (row: RosterRowView, field: RosterField): CellKey => `${row.id}/${field}`

export interface Mending {
  /** A text that was typed and is not with the server yet. */
  readonly draftOf: (row: RosterRowView, field: RosterField) => string | undefined
  readonly isFailed: (row: RosterRowView, field: RosterField) => boolean
  readonly problem: ShallowRef<ApiProblem | null>
  readonly mend: (row: RosterRowView, field: RosterField, text: string) => Promise<void>
  /** Sends again what could not be sent. */
  readonly retry: () => Promise<void>
}

/**
 * Saves each mended cell at once. A text that could not be sent stays in its cell, marked, until it is sent again.
 * `changed` is told after every answer.
 */
export function useMending(rosterId: () => string, rows: Rows, changed: (answer: MendedRows) => void): Mending {
  const drafts = reactive(new Map<CellKey, { row: RosterRowView; field: RosterField; text: string; failed: boolean }>())
  const problem = shallowRef<ApiProblem | null>(null)
  /** One after the other, so that the last text of a cell is the one that stays. */
  let line: Promise<void> = Promise.resolve()

  async function deliver(key: CellKey): Promise<void> {
    const draft = drafts.get(key)
    if (draft === undefined) return
    const { row, field, text } = draft
    draft.failed = false
    try {
      const path = `/hr/rosters/${rosterId()}/rows`
      const answer = await send<MendedRows>('PATCH', path, { rows: [{ id: row.id, cells: { [field]: text } }] })
      if (drafts.get(key)?.text === text) drafts.delete(key)
      rows.replace(answer.rows)
      problem.value = null
      changed(answer)
    } catch (error) {
      problem.value = toApiProblem(error)
      const kept = drafts.get(key)
      if (kept !== undefined) kept.failed = true
    }
  }

  function mend(row: RosterRowView, field: RosterField, text: string): Promise<void> {
    const key = keyOf(row, field)
    if (text === (row.cells[field] ?? '') && !drafts.has(key)) return line
    drafts.set(key, { row, field, text, failed: false })
    line = line.then(() => deliver(key))
    return line
  }

  async function retry(): Promise<void> {
    for (const [key, draft] of drafts) if (draft.failed) line = line.then(() => deliver(key))
    await line
  }

  return {
    draftOf: (row, field) => drafts.get(keyOf(row, field))?.text,
    isFailed: (row, field) => drafts.get(keyOf(row, field))?.failed === true,
    problem,
    mend,
    retry,
  }
}

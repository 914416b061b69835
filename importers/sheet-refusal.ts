import { describeRosterRefusal } from '../contract/roster-refusals.ts'
import type { RosterRefusalCode } from '../contract/roster-refusals.ts'

/** The file as a whole cannot be taken; nothing of it was kept. `detail` is in Chinese and names the place. */
export class SheetRefusal extends Error {
  override readonly name = 'SheetRefusal'
  readonly code: RosterRefusalCode
  readonly detail: string
  constructor(code: RosterRefusalCode, detail = '', options?: ErrorOptions) {
    super(detail ? `${describeRosterRefusal(code)}（${detail}）` : describeRosterRefusal(code), options)
    this.code = code
    this.detail = detail
  }
}

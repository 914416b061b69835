import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { moveConnection } from './move-connection.ts'

/**
 * Codes of WeCom's that stand for one right which the app was not given (a scope, an API, a licence, an address of a
 * page): the rest of it works, so they end the call that met them and not the connection (protocols wecom, 9).
 */
const ofOneRight: ReadonlySet<string> = new Set(
  '41045 45024 45026 48001 48002 48006 48009 48011 50001 60011 60031 80001 84074 90206 90207 90208 701008 701099'.split(
    ' ',
  ),
)

/**
 * Notes that WeCom refused a company's credential or configuration with this code: nothing is sent until a person has
 * acted. Returns whether it was this call that broke it; a code that is about one right only breaks nothing.
 */
export async function breakConnection(tx: Tx, companyId: Id<'company'>, code: string): Promise<boolean> {
  if (ofOneRight.has(code)) return false
  const note = code.slice(0, 20)
  return moveConnection(tx, { companyId, from: 'active', to: 'broken', set: { broken_code: note }, note })
}

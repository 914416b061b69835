import type { Id } from '../../../contract/ids.ts'
import type { WecomAppKind } from '../../channels/ports.ts'
import type { Tx } from '../../kernel/context.ts'
import { readBound } from '../../kernel/sql.ts'

/**
 * How userids of a company compare (protocols wecom 0, 8.7): `folded` to lower case in a corp's own space, `exact` where
 * they are ciphers of a provider, in which two ids may differ by case alone.
 */
export type UserIdSpace = 'folded' | 'exact'

/** The space of a kind of app. */
export const spaceOf = (kind: WecomAppKind): UserIdSpace => (kind === 'self_built' ? 'folded' : 'exact')

/** The space of a company's userids, also while the connection is broken or cancelled; `folded` where there is none. */
export async function readUserIdSpace(tx: Tx, companyId: Id<'company'>): Promise<UserIdSpace> {
  const text = 'select kind from wecom_connection where company_id = ?'
  const [row] = await readBound<{ kind: WecomAppKind }>(tx.em, text, [companyId])
  return row ? spaceOf(row.kind) : 'folded'
}

/** A userid as it is kept and compared in its space. */
export const inSpace = (space: UserIdSpace, userid: string): string =>
  space === 'folded' ? userid.toLowerCase() : userid

import { isId, type Id } from '../../../contract/ids.ts'
import type { Actor, Edge, Tx } from '../../kernel/context.ts'
import { decodeSession } from '../../kernel/cookies.ts'
import type { Reader } from '../../kernel/in-groups.ts'
import type { Credentials } from '../../kernel/http.ts'
import { sql } from '../../kernel/sql.ts'
import { sessionCookies, type SessionOf } from './open-session.ts'
import { readMemberActor } from './read-member-actor.ts'
import { readOperator } from './read-operator.ts'

export interface AuthenticateOptions {
  readonly edge: Pick<Edge, 'read' | 'house' | 'clock'>
  /** Whether this person of this company still has a card pack; the persons belong to another module. */
  readonly personActive: (tx: Tx, personId: Id<'person'>) => Promise<boolean>
  /** Whether this buyer is still known here. */
  readonly buyerActive: (reader: Reader, buyerId: Id<'buyer'>) => Promise<boolean>
  /** The clerk as one who acts at this moment, null when they may not; clerks belong to another module too. */
  readonly clerkActor: (tx: Tx, clerkId: Id<'clerk'>) => Promise<Actor | null>
}

const anybody: Actor = { kind: 'anybody' }

/**
 * Tells who asks: the path decides whose cookie counts, and the rows are read each time, so that somebody removed, a
 * role taken away and a suspended company or merchant count from the next request on. A cookie that does not hold is nobody.
 */
export function createAuthenticate(options: AuthenticateOptions): (credentials: Credentials) => Promise<Actor> {
  const { edge, personActive, buyerActive, clerkActor } = options
  return async ({ path, cookies }) => {
    const kind = kindOf(path)
    if (kind === null) return anybody
    const session = decodeSession(cookies.get(sessionCookies[kind].name), edge.house.sessionKey, edge.clock.now())
    if (session === null || session.kind !== kind) return anybody
    const { companyId, memberId, personId, buyerId, operatorId, clerkId } = session.ids
    if (kind === 'buyer')
      return isId('buyer', buyerId) && (await buyerActive(edge, buyerId)) ? { kind, buyerId } : anybody
    const found = await edge.read(async (tx): Promise<Actor | null> => {
      if (kind === 'operator') return isId('operator', operatorId) ? operatorActor(tx, operatorId) : null
      if (kind === 'clerk') return isId('clerk', clerkId) ? clerkActor(tx, clerkId) : null
      if (!isId('company', companyId)) return null
      if (kind === 'member') return isId('member', memberId) ? readMemberActor(tx, companyId, memberId) : null
      if (!isId('person', personId) || !(await isCompanyActive(tx, companyId))) return null
      return (await personActive(tx, personId)) ? { kind, companyId, personId } : null
    })
    return found ?? anybody
  }
}

function kindOf(path: string): SessionOf['kind'] | null {
  for (const kind of ['member', 'employee', 'buyer', 'operator', 'clerk'] as const) {
    const prefix = sessionCookies[kind].path
    if (path === prefix || path.startsWith(`${prefix}/`)) return kind
  }
  return null
}

async function isCompanyActive(tx: Tx, companyId: Id<'company'>): Promise<boolean> {
  const rows = await sql(tx.em, "select 1 from company where id = ? and state = 'active'", [companyId])
  return rows.length === 1
}

async function operatorActor(tx: Tx, operatorId: Id<'operator'>): Promise<Actor | null> {
  const operator = await readOperator(tx, operatorId)
  return operator && { kind: 'operator', operatorId, roles: operator.roles }
}

import type { PlatformRole } from '../../../contract/abilities.ts'
import type { Id } from '../../../contract/ids.ts'
import { platformRoles } from '../../../contract/operator/platform.ts'
import type { Tx } from '../../kernel/context.ts'
import { operatorFingerprint, operatorNamePlace } from './create-operator.ts'
import { Operator } from './tables.ts'

export interface OperatorFacts {
  readonly id: Id<'operator'>
  readonly name: string
  readonly roles: readonly PlatformRole[]
}

type Where = { readonly id: Id<'operator'> } | { readonly keyIndex: string }

/** The active operator of this id; null when there is none. */
export async function readOperator(tx: Tx, id: Id<'operator'>): Promise<OperatorFacts | null> {
  return find(tx, { id })
}

/** The active operator who holds this access key; null when nobody does. */
export async function findOperatorByKey(tx: Tx, key: string): Promise<OperatorFacts | null> {
  return find(tx, { keyIndex: operatorFingerprint(tx, key) })
}

async function find(tx: Tx, where: Where): Promise<OperatorFacts | null> {
  const row = await tx.em.findOne(Operator, { ...where, state: 'active' }, { disableIdentityMap: true })
  if (!row) return null
  const given = row.roles.split(',')
  const name = tx.house.seal.open(operatorNamePlace(row.id), row.nameSealed)
  return { id: row.id, name, roles: platformRoles.filter((role) => given.includes(role)) }
}

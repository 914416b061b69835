import type { PlatformRole } from '../../../contract/abilities.ts'
import type { Id } from '../../../contract/ids.ts'
import { platformRoles } from '../../../contract/operator/platform.ts'
import type { Tx } from '../../kernel/context.ts'
import { trail } from '../../kernel/trail.ts'
import { Operator } from './tables.ts'

export interface NewOperator {
  readonly name: string
  readonly roles: readonly PlatformRole[]
  /** At least 32 random bytes as base64url, made by the caller and shown once. Only its fingerprint is stored. */
  readonly key: string
}

/** Makes somebody of the platform. Throws RangeError on a short key, no name or no role. */
export async function createOperator(tx: Tx, operator: NewOperator): Promise<Id<'operator'>> {
  const name = operator.name.trim()
  const roles = platformRoles.filter((role) => operator.roles.includes(role)).join(',')
  if (!/^[A-Za-z0-9_-]{43,200}$/.test(operator.key)) throw new RangeError('an access key is 32 bytes as base64url')
  if (name === '' || name.length > 100 || roles === '') throw new RangeError('an operator has a name and a role')
  const id = tx.newId('operator')
  const keyIndex = operatorFingerprint(tx, operator.key)
  const nameSealed = tx.house.seal.seal(operatorNamePlace(id), name)
  await tx.em.insert(Operator, { id, nameSealed, keyIndex, roles, state: 'active', createdAtMs: tx.clock.now() })
  await trail(tx, { objectId: id, act: 'operator.created', toState: 'active', note: roles })
  return id
}

/** Where an operator's name is sealed. */
export const operatorNamePlace = (operatorId: Id<'operator'>) => ({
  table: 'operator',
  column: 'name_sealed',
  rowId: operatorId,
})

/** What is stored of an access key, and what finds its operator. */
export function operatorFingerprint(tx: Tx, key: string): string {
  return tx.house.seal.blindIndex('operator.key', key)
}

/** Takes away an operator's access at once. Returns false when there was none. */
export async function removeOperator(tx: Tx, operatorId: Id<'operator'>): Promise<boolean> {
  const removed = await tx.em.nativeUpdate(Operator, { id: operatorId, state: 'active' }, { state: 'removed' })
  if (removed !== 1) return false
  await trail(tx, { objectId: operatorId, act: 'operator.removed', fromState: 'active', toState: 'removed' })
  return true
}

import type { Id } from '../../../contract/ids.ts'
import type { Scope } from '../../kernel/context.ts'
import type { House } from '../../kernel/house.ts'

const placeOf = (clerkId: Id<'clerk'>) => ({ table: 'clerk', column: 'name_sealed', rowId: clerkId })

/** Seals a clerk's name for their own row. */
export const sealClerkName = (scope: Scope, clerkId: Id<'clerk'>, name: string): Buffer =>
  scope.house.seal.seal(placeOf(clerkId), name)

/** Opens what `sealClerkName` sealed; throws SealBroken on anything else. */
export const openClerkName = (scope: Scope, clerkId: Id<'clerk'>, sealed: Uint8Array): string =>
  scope.house.seal.open(placeOf(clerkId), sealed)

/** The fingerprint under which a sign-in link is stored: whoever reads the database cannot open it. */
export const linkIndexOf = (house: House, token: string): string => house.seal.blindIndex('clerk_link.token', token)

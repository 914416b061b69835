import { p } from '@mikro-orm/core'
import type { Fen, SignedFen } from '../../contract/fen.ts'
import { ID_LENGTH, type HolderId, type Id, type IdKind } from '../../contract/ids.ts'

/** An id as text of one fixed length; no 63-bit integer ever reaches a driver. */
export const idColumn = <K extends IdKind>() => p.string().$type<Id<K>>().columnType(`char(${ID_LENGTH})`)

/** Who holds or held a card: a person of a company, or a buyer. */
export const holderColumn = () => p.string().$type<HolderId>().columnType(`char(${ID_LENGTH})`)

/** An amount that cannot be negative. The database holds it as BIGINT. */
export const fenColumn = () => p.bigint('number').$type<Fen>()

/** A posting: either sign. */
export const signedFenColumn = () => p.bigint('number').$type<SignedFen>()

/** An instant in epoch milliseconds (a MariaDB `datetime` drops them). */
export const instantColumn = () => p.bigint('number')

/** A short text from a closed list, or a key of ours. */
export const codeColumn = <T extends string = string>(length = 64) => p.string().$type<T>().length(length)

/** Reads an aggregate: `SUM` is text on MariaDB and a number on SQLite. Throws RangeError beyond the safe integers. */
export function readSum(value: unknown): number {
  const sum = value === null || value === undefined ? 0 : Number(value)
  if (!Number.isSafeInteger(sum)) throw new RangeError(`sum outside the safe integers: ${String(value)}`)
  return sum
}

/** Sealed bytes that may pass 64 KiB: up to 16 MiB on MariaDB. */
export const largeBlobColumn = () => p.blob().columnType('mediumblob')

import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { makeSecret } from '../card/make-secret.ts'

/** 26 characters of 32: 130 bits. Nobody finds a gift by trying. */
const TOKEN_CHARACTERS = 26

export const makeToken = (tx: Tx): string => makeSecret(tx, TOKEN_CHARACTERS)

/** The fingerprint by which a link finds its gift. */
export const tokenIndexOf = (tx: Tx, token: string): string => tx.house.seal.blindIndex('gift.token', token)

const place = (column: 'token_sealed' | 'greeting_sealed', rowId: Id<'gift'>) => ({ table: 'gift', column, rowId })

export const sealToken = (tx: Tx, id: Id<'gift'>, token: string): Buffer =>
  tx.house.seal.seal(place('token_sealed', id), token)
export const openToken = (tx: Tx, id: Id<'gift'>, sealed: Uint8Array): string =>
  tx.house.seal.open(place('token_sealed', id), sealed)

export const sealGreeting = (tx: Tx, id: Id<'gift'>, text: string): Buffer =>
  tx.house.seal.seal(place('greeting_sealed', id), text)
/** Empty once it was forgotten. */
export const openGreeting = (tx: Tx, id: Id<'gift'>, sealed: Uint8Array): string =>
  sealed.length === 0 ? '' : tx.house.seal.open(place('greeting_sealed', id), sealed)

const thanksPlace = (rowId: Id<'thanks'>) => ({ table: 'thanks', column: 'text_sealed', rowId })

export const sealThanks = (tx: Tx, id: Id<'thanks'>, text: string): Buffer => tx.house.seal.seal(thanksPlace(id), text)
export const openThanks = (tx: Tx, id: Id<'thanks'>, sealed: Uint8Array): string =>
  tx.house.seal.open(thanksPlace(id), sealed)

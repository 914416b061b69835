import type { EntityManager } from '@mikro-orm/core'
import type { Id } from '../../contract/ids.ts'
import type { Ports } from '../channels/ports.ts'
import type { House } from './house.ts'
import type { Log } from './log.ts'

/** Who acts. Every write names its actor in the trail. */
export type Actor =
  | {
      readonly kind: 'member'
      readonly companyId: Id<'company'>
      readonly memberId: Id<'member'>
      readonly roles: readonly string[]
    }
  | { readonly kind: 'employee'; readonly companyId: Id<'company'>; readonly personId: Id<'person'> }
  /** Somebody of no company, who buys for themselves. */
  | { readonly kind: 'buyer'; readonly buyerId: Id<'buyer'> }
  | {
      readonly kind: 'clerk'
      readonly merchantId: Id<'merchant'>
      readonly shopId: Id<'shop'>
      readonly clerkId: Id<'clerk'>
      readonly roles: readonly string[]
    }
  | {
      readonly kind: 'terminal'
      readonly merchantId: Id<'merchant'>
      readonly shopId: Id<'shop'>
      readonly terminalId: Id<'terminal'>
    }
  | { readonly kind: 'operator'; readonly operatorId: Id<'operator'>; readonly roles: readonly string[] }
  | { readonly kind: 'system'; readonly name: string }
  | { readonly kind: 'anybody' }

/** Epoch milliseconds. A test may stand at any instant. */
export interface Clock {
  now(): number
}

/** What both scopes carry. */
export interface Scope {
  readonly actor: Actor
  readonly clock: Clock
  /** Cryptographically strong bytes; a simulator replaces it. */
  readonly random: (bytes: number) => Buffer
  readonly log: Log
  readonly house: House
  readonly newId: <K extends import('../../contract/ids.ts').IdKind>(kind: K) => Id<K>
}

/** Inside one database transaction. It has no ports: a network call in here does not compile. */
export interface Tx extends Scope {
  readonly em: EntityManager
}

/** Outside of any transaction. It has the ports and opens transactions; it has no entity manager. */
export interface Edge extends Scope {
  readonly ports: Ports
  readonly tx: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  /** Reads only, without a transaction: on SQLite beside the writer, never waiting for it. */
  readonly read: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
}

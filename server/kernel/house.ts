import type { Secret } from './log.ts'
import type { Seal } from './seal.ts'

/** A bank account that people transfer money to; shown as it stands here. */
export interface BankAccount {
  readonly holder: string
  readonly number: string
  readonly bank: string
}

/** What this installation is, from its configuration and key ring. It never changes while a process runs. */
export interface House {
  /** Where browsers reach us, without a slash at the end: https://fuli.example.com */
  readonly publicUrl: string
  readonly seal: Seal
  /** Signs session cookies. */
  readonly sessionKey: Secret<string>
  /** The permutation key of a brand's card numbers for one epoch digit (32 bytes). */
  readonly numberKey: (brandId: string, keyEpoch: number) => Buffer
  /** The custody account that takes bank transfers; its name is also the ledger's account name. */
  readonly custody: BankAccount & { readonly name: string }
  /** True where the sandbox stands in for WeCom and WeChat Pay; pages then say so. */
  readonly sandbox: boolean
}

import type { Id } from '../../../contract/ids.ts'
import type { StatementEntry } from '../../../contract/statement-entry.ts'
import type { Scope } from '../../kernel/context.ts'
import { account, type Account } from '../ledger/accounts.ts'
import { plainAccount } from './rules.ts'
import type { StatementLineRow } from './tables.ts'

/** Which of our accounts a line is of: the custody account at the bank, or our merchant account at WeChat Pay. */
export type LineOrigin =
  { readonly source: 'bank'; readonly mchid: null } | { readonly source: 'wechat_income'; readonly mchid: string }

/** A line that was just written. */
export interface NewLine extends StatementEntry {
  readonly id: Id<'statementLine'>
}

/** The origin of a stored line. */
export function originOf(line: Pick<StatementLineRow, 'id' | 'source' | 'mchid'>): LineOrigin {
  if (line.source === 'bank') return { source: 'bank', mchid: null }
  if (!line.mchid) throw new Error(`statement line ${line.id} names no merchant`)
  return { source: 'wechat_income', mchid: line.mchid }
}

/** The account that holds the money of a line. */
export const holdingAccount = (scope: Scope, origin: LineOrigin): Account =>
  origin.source === 'bank' ? account.custodyBank(scope.house.custody.name) : account.collected(origin.mchid)

/** The fingerprint of the other side's account; null where it tells nobody. */
export function payerIndexOf(scope: Scope, payerAccount: string): string | null {
  const plain = plainAccount(payerAccount)
  return plain === null ? null : scope.house.seal.blindIndex('payer-account', plain)
}

/** What is sealed of a line: who was on the other side and what they wrote. */
export interface LinePayer {
  readonly holder: string
  readonly account: string
  readonly memo: string
}
const place = (rowId: Id<'statementLine'>) => ({ table: 'statement_line', column: 'payer_sealed', rowId })

export const sealLinePayer = (scope: Scope, id: Id<'statementLine'>, payer: LinePayer): Buffer =>
  scope.house.seal.seal(place(id), JSON.stringify(payer))

export const openLinePayer = (scope: Scope, line: Pick<StatementLineRow, 'id' | 'payerSealed'>): LinePayer =>
  JSON.parse(scope.house.seal.open(place(line.id), line.payerSealed)) as LinePayer

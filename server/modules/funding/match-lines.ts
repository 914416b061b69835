import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { readCompany } from '../company/read-company.ts'
import { findWalletByReference } from '../wallet/read-wallet.ts'
import { payerIndexOf } from './line-origin.ts'
import { foldName, referencesIn } from './rules.ts'
import { Payment, type PaymentRow } from './tables.ts'

/** What a line of incoming money is for. */
export type Target =
  | { readonly kind: 'payment'; readonly payment: PaymentRow; readonly by: 'reference' | 'payer' }
  | { readonly kind: 'wallet'; readonly companyId: Id<'company'>; readonly by: 'reference' }
  | { readonly kind: 'withdrawal' }

/** What of a line decides whose it is. */
export interface Incoming {
  readonly id: Id<'statementLine'>
  readonly amountFen: number
  readonly payerName: string
  readonly payerAccount: string
  readonly memo: string
}

/**
 * Finds what incoming lines are for: first by a reference in the memo, then as a withdrawal from our merchant account by a
 * payer of whom a person said so before, then by amount and payer. Two matches are left to a person: a line whose memo
 * names several, or that several open transfers fit, has no target.
 */
export async function matchLines(tx: Tx, lines: readonly Incoming[]): Promise<Map<Id<'statementLine'>, Target>> {
  const found = new Map<Id<'statementLine'>, Target>()
  const nameless: Incoming[] = []
  for (const line of lines) {
    const named = await readNamed(tx, line.memo)
    if (named.length === 1) found.set(line.id, named[0]!)
    else if (named.length === 0) nameless.push(line)
  }
  const withdrawers = await readWithdrawers(tx, nameless)
  const fitting = await readFitting(tx, nameless)
  for (const line of nameless) {
    if (withdrawers.has(payerIndexOf(tx, line.payerAccount) ?? '')) {
      found.set(line.id, { kind: 'withdrawal' })
      continue
    }
    const fits = (fitting.get(line.id) ?? []).filter((one) => one.byName || one.byAccount)
    if (fits.length === 1) found.set(line.id, { kind: 'payment', payment: fits[0]!.payment, by: 'payer' })
  }
  return found
}

/** The payments and wallets that a memo names. */
export async function readNamed(tx: Tx, memo: string): Promise<Exclude<Target, { kind: 'withdrawal' }>[]> {
  const { payments, wallets } = referencesIn(memo)
  const where = { reference: { $in: payments } }
  const rows = payments.length === 0 ? [] : await tx.em.find(Payment, where, { disableIdentityMap: true })
  const found: Exclude<Target, { kind: 'withdrawal' }>[] = rows.map((payment) => ({
    kind: 'payment',
    payment,
    by: 'reference',
  }))
  for (const reference of wallets) {
    const companyId = await findWalletByReference(tx, reference)
    if (companyId) found.push({ kind: 'wallet', companyId, by: 'reference' })
  }
  return found
}

/** An open transfer of a line's amount, and whether its company is who paid: by name, or by an account that paid for it. */
export interface Fit {
  readonly payment: PaymentRow
  readonly byName: boolean
  readonly byAccount: boolean
}

/** The open bank transfers of each line's amount. */
export async function readFitting(
  tx: Tx,
  lines: readonly Omit<Incoming, 'memo'>[],
): Promise<Map<Id<'statementLine'>, Fit[]>> {
  const amounts = [...new Set(lines.map((line) => line.amountFen))]
  const where = { source: 'bank_transfer' as const, state: 'opened' as const, amountFen: { $in: amounts as never[] } }
  const options = { orderBy: { id: 'asc' }, disableIdentityMap: true } as const
  const open = amounts.length === 0 ? [] : await tx.em.find(Payment, where, options)
  const names = new Map<string, string>()
  for (const companyId of new Set(open.map((payment) => payment.companyId)))
    if (companyId) names.set(companyId, foldName((await readCompany(tx, companyId))?.name ?? ''))
  const paidBefore = open.length === 0 ? new Map<string, Set<string>>() : await readPayersCompanies(tx, lines)
  return new Map(
    lines.map((line) => {
      const name = foldName(line.payerName)
      const known = paidBefore.get(payerIndexOf(tx, line.payerAccount) ?? '')
      const fits = open
        .filter((payment) => payment.amountFen === line.amountFen)
        .map((payment) => ({
          payment,
          byName: name !== '' && names.get(payment.companyId ?? '') === name,
          // An account that pays for several companies tells nothing of one.
          byAccount: known?.size === 1 && known.has(payment.companyId ?? ''),
        }))
      return [line.id, fits]
    }),
  )
}

/** By fingerprint of an account: the companies for which it paid before. */
export async function readPayersCompanies(
  tx: Tx,
  lines: readonly Pick<Incoming, 'payerAccount'>[],
): Promise<Map<string, Set<string>>> {
  const indices = [...new Set(lines.flatMap((line) => payerIndexOf(tx, line.payerAccount) ?? []))]
  const known = new Map<string, Set<string>>()
  if (indices.length === 0) return known
  const rows = await sql<{ payer: string; company: string }>(
    tx.em,
    `select distinct payer_index as payer, company_id as company from statement_line
      where payer_index in (${indices.map(() => '?').join(',')}) and outcome in ('payment', 'top_up') and company_id is not null`,
    indices,
  )
  for (const { payer, company } of rows) known.set(payer, (known.get(payer) ?? new Set()).add(company))
  return known
}

/** Fingerprints of accounts from which money of our merchant account came before, as a person said. */
async function readWithdrawers(tx: Tx, lines: readonly Incoming[]): Promise<ReadonlySet<string>> {
  const indices = [...new Set(lines.flatMap((line) => payerIndexOf(tx, line.payerAccount) ?? []))]
  if (indices.length === 0) return new Set()
  const rows = await sql<{ payer: string }>(
    tx.em,
    `select distinct payer_index as payer from statement_line
      where payer_index in (${indices.map(() => '?').join(',')}) and outcome = 'withdrawn'`,
    indices,
  )
  return new Set(rows.map((row) => row.payer))
}

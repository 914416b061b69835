import type { Fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { findCompaniesByName, readCompany } from '../company/read-company.ts'
import { openLinePayer, payerIndexOf } from './line-origin.ts'
import { readFitting, readNamed, readPayersCompanies, type Fit, type Incoming } from './match-lines.ts'
import { StatementLine, type PaymentRow, type StatementLineRow } from './tables.ts'

/** What speaks for it: the memo names it, the amount is the same, the payer has its name, or paid for it before. */
export type Reason = 'reference' | 'amount' | 'name' | 'account'

/** What a line might be. A `line` is money that was not ours, which an outgoing line may have returned. */
export interface Candidate {
  readonly to: 'payment' | 'wallet' | 'line'
  readonly id: string
  readonly companyName: string | null
  readonly amountFen: Fen | null
  readonly reference: string | null
  readonly why: readonly Reason[]
}

const MOST = 6

/** For each line that waits for a person: what it might be, the likeliest first. */
export async function readCandidates(
  tx: Tx,
  lines: readonly StatementLineRow[],
): Promise<Map<Id<'statementLine'>, Candidate[]>> {
  const incoming = lines
    .filter((line) => line.outcome === 'unmatched')
    .map(({ id, amountFen, ...row }): Incoming => {
      const { holder, account, memo } = openLinePayer(tx, { id, payerSealed: row.payerSealed })
      return { id, amountFen, payerName: holder, payerAccount: account, memo }
    })
  const fitting = await readFitting(tx, incoming)
  const paidBefore = await readPayersCompanies(tx, incoming)
  const found = new Map<Id<'statementLine'>, Candidate[]>()
  for (const line of incoming) {
    const before = paidBefore.get(payerIndexOf(tx, line.payerAccount) ?? '') ?? new Set<string>()
    const all = await candidatesOf(tx, line, fitting.get(line.id) ?? [], before)
    found.set(line.id, all.sort((a, b) => b.why.length - a.why.length).slice(0, MOST))
  }
  for (const line of lines.filter((one) => one.outcome === 'outgoing')) found.set(line.id, await readOwed(tx, line))
  return found
}

async function candidatesOf(
  tx: Tx,
  line: Incoming,
  fits: readonly Fit[],
  before: ReadonlySet<string>,
): Promise<Candidate[]> {
  const all = new Map<string, Candidate>()
  const add = (one: Candidate) => {
    const known = all.get(one.id)
    all.set(one.id, known ? { ...known, why: [...new Set([...known.why, ...one.why])] } : one)
  }
  for (const { payment, byName } of fits) {
    const byAccount = before.has(payment.companyId ?? '')
    add(
      await paymentCandidate(tx, payment, [
        'amount',
        ...(byName ? (['name'] as const) : []),
        ...(byAccount ? (['account'] as const) : []),
      ]),
    )
  }
  for (const target of await readNamed(tx, line.memo)) {
    if (target.kind === 'payment') add(await paymentCandidate(tx, target.payment, ['reference']))
    else add(await walletCandidate(tx, target.companyId, ['reference']))
  }
  for (const id of before) add(await walletCandidate(tx, id as Id<'company'>, ['account']))
  for (const id of await findCompaniesByName(tx, line.payerName)) add(await walletCandidate(tx, id, ['name']))
  return [...all.values()]
}

async function paymentCandidate(tx: Tx, payment: PaymentRow, why: readonly Reason[]): Promise<Candidate> {
  const companyName = payment.companyId ? ((await readCompany(tx, payment.companyId))?.name ?? null) : null
  const { id, amountFen, reference = null } = payment
  return { to: 'payment', id, companyName, amountFen, reference, why }
}

async function walletCandidate(tx: Tx, companyId: Id<'company'>, why: readonly Reason[]): Promise<Candidate> {
  const companyName = (await readCompany(tx, companyId))?.name ?? null
  return { to: 'wallet', id: companyId, companyName, amountFen: null, reference: null, why }
}

/** Money that was not ours, of the amount that went out. */
async function readOwed(tx: Tx, line: StatementLineRow): Promise<Candidate[]> {
  const where = { outcome: 'not_ours' as const, amountFen: line.amountFen, source: line.source }
  const owed = await tx.em.find(StatementLine, where, { limit: MOST, orderBy: { id: 'asc' }, disableIdentityMap: true })
  return owed.map((one) => ({
    to: 'line' as const,
    id: one.id,
    companyName: openLinePayer(tx, one).holder,
    amountFen: one.amountFen,
    reference: null,
    why: one.payerIndex !== null && one.payerIndex === line.payerIndex ? ['amount', 'account'] : ['amount'],
  }))
}

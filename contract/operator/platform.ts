import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'
import { paymentOutcomes } from '../states.ts'

export const platformRoles = ['ops', 'risk', 'finance', 'admin'] as const
/** POST /operator/session: the access key that `npm run setup` printed. */
export const OperatorSignIn = z.object({ key: z.string().min(20).max(200) })
export const OperatorSession = z.object({
  id: idField('operator'),
  name: z.string(),
  roles: z.array(z.enum(platformRoles)),
  sandbox: z.boolean(),
})
export type OperatorSession = z.infer<typeof OperatorSession>

/** POST /operator/bank-statements: raw body, `fileName` in the header X-File-Name; the same bytes again give the same answer. */
export const ImportStatementInput = z.object({ fileName: z.string().min(1).max(200) })
export const ImportedStatement = z.object({
  id: idField('statement'),
  lines: z.int(),
  /** Lines that an earlier statement had brought. */
  knownLines: z.int(),
  payments: z.int(),
  topUps: z.int(),
  unmatched: z.int(),
  outgoing: z.int(),
})
export type ImportedStatement = z.infer<typeof ImportedStatement>
/** What became of a line; `withdrawn`: money of our own merchant account that came to the bank; `outgoing`, `paid_out` and `returned` are money that went out. */
export const statementOutcomes = [
  'unmatched',
  'payment',
  'top_up',
  'withdrawn',
  'not_ours',
  'sent_back',
  'outgoing',
  'paid_out',
  'returned',
] as const
export const StatementLinesInput = z.object({
  outcome: z.enum(statementOutcomes).optional(),
  cursor: cursorField,
  limit: limitField,
})
/** What a line that waits for a person might be. `line`: money that was not ours, which an outgoing line may have returned. */
export const LineCandidate = z.object({
  to: z.enum(['payment', 'wallet', 'line']),
  id: z.string(),
  companyName: z.string().nullable(),
  amountFen: fenField.nullable(),
  reference: z.string().nullable(),
  /** What speaks for it. */
  why: z.array(z.enum(['reference', 'amount', 'name', 'account'])),
})
export type LineCandidate = z.infer<typeof LineCandidate>
export const StatementLineView = z.object({
  id: idField('statementLine'),
  serial: z.string(),
  direction: z.enum(['in', 'out']),
  /** `wechat_income`: a transfer into our own WeChat Pay account. */
  source: z.enum(['bank', 'wechat_income']),
  amountFen: fenField,
  arrivedAtMs: instantField,
  payerName: z.string(),
  /** Masked but for the last four. */
  payerAccount: z.string(),
  memo: z.string(),
  outcome: z.enum(statementOutcomes),
  paymentId: idField('payment').nullable(),
  companyName: z.string().nullable(),
  /** What became of its payment's money; null where it paid none. */
  paymentOutcome: z.enum(paymentOutcomes).nullable(),
  matchedBy: z.enum(['reference', 'payer', 'person']).nullable(),
  /** Why a person said that it is not ours. */
  reason: z.string().nullable(),
  candidates: z.array(LineCandidate),
})
export type StatementLineView = z.infer<typeof StatementLineView>
export const StatementLines = z.object({ lines: z.array(StatementLineView), nextCursor: z.string().nullable() })
/**
 * POST /operator/statement-lines/:id/assign, Idempotency-Key: what a line is that nobody could match. `target`: a payment
 * by its id or reference, a company by its id or its wallet's reference, or (`sent_back`) the line that was not ours.
 * `withdrawal`: it came from our own merchant account at WeChat Pay.
 */
export const AssignLineInput = z.object({
  id: idField('statementLine'),
  to: z.enum(['payment', 'wallet', 'withdrawal', 'not_ours', 'sent_back']),
  target: z.string().trim().min(1).max(40).optional(),
  /** Why it is not ours. */
  reason: z.string().trim().min(2).max(200).optional(),
})
/** POST /operator/statement-lines/:id/undo, Idempotency-Key: a wrong match is undone; the money waits as unmatched again. */
export const UndoLineInput = z.object({ id: idField('statementLine') })

export const Companies = z.object({
  companies: z.array(
    z.object({
      id: idField('company'),
      code: z.string(),
      name: z.string(),
      state: z.enum(['active', 'suspended']),
      paymentRoute: z.enum(['strict', 'non_cash']),
      /** Whether its people can sign in: it has a connection that is neither broken nor cancelled. */
      wecomConnected: z.boolean(),
      people: z.int(),
      walletFen: fenField,
      /** What it may owe, and owes, for cards bought on credit; 0 where the platform opened no line. */
      creditLimitFen: fenField,
      creditOwedFen: fenField,
    }),
  ),
})
/** PUT /operator/companies/:id/credit-line: how much the company may owe; 0 closes the line, what is owed stays. */
export const CreditLineInput = z.object({ id: idField('company'), limitFen: fenField })
export const CreditLineSet = z.object({ limitFen: fenField, owedFen: fenField })
/** POST /operator/companies/:id/first-sign-in: a link for an administrator of a company that is not connected. */
export const FirstSignInOffer = z.object({ id: idField('company') })
export const FirstSignInLink = z.object({
  /** Signs in whoever opens it, once. The answer is the only place where it stands. */
  url: z.string(),
  memberName: z.string(),
  expiresAtMs: instantField,
})
export type FirstSignInLink = z.infer<typeof FirstSignInLink>
export const Jobs = z.object({
  counts: z.array(z.object({ kind: z.string(), lane: z.string(), state: z.string(), count: z.int() })),
  dead: z.array(
    z.object({
      id: idField('job'),
      kind: z.string(),
      attempts: z.int(),
      lastError: z.string().nullable(),
      createdAtMs: instantField,
    }),
  ),
})
/** POST /operator/jobs/:id/revive: a job that was given up is tried again now, with all its attempts. */
export const ReviveInput = z.object({ id: idField('job') })
export const Revived = z.object({ revived: z.boolean() })
/** POST /operator/prove: the books, recounted now. */
export const Proof = z.object({
  balanced: z.boolean(),
  findings: z.array(z.object({ rule: z.string(), subject: z.string(), detail: z.string() })),
  entries: z.int(),
  cards: z.int(),
  ms: z.int(),
})
export type Proof = z.infer<typeof Proof>

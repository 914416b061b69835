import { z } from 'zod'
import { cursorField, fenField, idField, instantField, limitField } from '../fields.ts'

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
})
export type ImportedStatement = z.infer<typeof ImportedStatement>
export const StatementLinesInput = z.object({
  outcome: z.enum(['payment', 'top_up', 'unmatched']).optional(),
  cursor: cursorField,
  limit: limitField,
})
export const StatementLineView = z.object({
  id: idField('statementLine'),
  serial: z.string(),
  amountFen: fenField,
  arrivedAtMs: instantField,
  payerName: z.string(),
  /** Masked but for the last four. */
  payerAccount: z.string(),
  memo: z.string(),
  outcome: z.enum(['payment', 'top_up', 'unmatched']),
  paymentId: idField('payment').nullable(),
  companyName: z.string().nullable(),
})
export const StatementLines = z.object({ lines: z.array(StatementLineView), nextCursor: z.string().nullable() })

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
    }),
  ),
})
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

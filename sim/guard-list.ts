/** One thing that keeps money right, and how a house without it would read. */
export interface Guard {
  readonly name: string
  /** The first seed from 1 on whose story fails without it, as `node sim/guards.ts` found it: 200 at the most. */
  readonly seed: number
  readonly patches: readonly { readonly file: string; readonly is: string; readonly becomes: string }[]
}

const modules = 'server/modules'

/** The guards of the money (design 7, 8; protocols wechat-pay 9, 10.2), each with the text that makes it one. */
export const guards: readonly Guard[] = [
  {
    name: 'share-or-refund',
    seed: 3,
    patches: [
      {
        file: `${modules}/funding/take-flight.ts`,
        is: 'if (taken === 1) return true',
        becomes: 'if (taken < 2) return true',
      },
    ],
  },
  {
    name: 'line-is-claimed-once',
    seed: 1,
    patches: [
      {
        file: `${modules}/funding/assign-line.ts`,
        is: "where id = ? and outcome = 'unmatched'\"",
        becomes: 'where id = ?"',
      },
    ],
  },
  {
    name: 'credit-covers',
    seed: 1,
    patches: [
      {
        file: `${modules}/wallet/draw-credit.ts`,
        is: "where company_id = ? and owed_fen + ? <= limit_fen',\n    [amount, companyId, amount],",
        becomes: "where company_id = ?',\n    [amount, companyId],",
      },
    ],
  },
  {
    name: 'wallet-covers',
    seed: 3,
    patches: [
      {
        file: `${modules}/wallet/spend-from-wallet.ts`,
        is: "where company_id = ? and balance_fen >= ?',\n    [amount, companyId, amount],",
        becomes: "where company_id = ?',\n    [amount, companyId],",
      },
    ],
  },
  {
    // payment.open, payment.split and statement.assign are the keys of the money that a story uses.
    name: 'once-key',
    seed: 1,
    patches: [
      {
        file: 'server/kernel/once.ts',
        is: '  const inputText = canonical(input)\n  const token',
        becomes: '  if (scope !== "") return work()\n  const inputText = canonical(input)\n  const token',
      },
    ],
  },
  {
    name: 'ask-before-share-again',
    seed: 1,
    patches: [
      {
        file: `${modules}/settlement/drive-split.ts`,
        is: "if (held.call.state !== 'planned') return ask(edge, held)",
        becomes:
          "if (held.call.state === 'processing') return ask(edge, held)\n  if (held.call.state === 'sent') return send(edge, held)",
      },
    ],
  },
  {
    name: 'guarded-move',
    seed: 3,
    patches: [
      {
        file: 'server/kernel/move.ts',
        is: 'const values = [step.to, ...more.map(([, value]) => value), step.id, step.from]\n  const changed = await change(tx.em, `update ${step.table} set ${sets} where id = ? and state = ?`, values)',
        becomes:
          'const values = [step.to, ...more.map(([, value]) => value), step.id]\n  const changed = await change(tx.em, `update ${step.table} set ${sets} where id = ?`, values)',
      },
    ],
  },
  {
    name: 'ask-before-refund-again',
    seed: 1,
    patches: [
      { file: `${modules}/refund/drive-part.ts`, is: 'if (calledBefore) {', becomes: 'if (calledBefore && false) {' },
    ],
  },
  {
    name: 'ask-before-return-again',
    seed: 6,
    patches: [
      {
        file: `${modules}/settlement/return-share.ts`,
        is: 'const known = held.first ? null :',
        becomes: "const known = held.first || row.state === 'sent' ? null :",
      },
    ],
  },
  {
    name: 'ask-before-payment-fails',
    seed: 5,
    patches: [
      {
        file: `${modules}/funding/prepare-payment.ts`,
        is: "if (cause.outcome === 'refused' && (await askPayment(edge, lead.id)) !== 'never_placed') return",
        becomes: "if (cause.outcome === 'refused' && false) return",
      },
    ],
  },
]

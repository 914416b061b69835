export type ActorKind = 'member' | 'employee' | 'buyer' | 'clerk' | 'terminal' | 'operator' | 'system' | 'anybody'
export type CompanyRole = 'hr' | 'approver' | 'finance' | 'admin'
export type MerchantRole = 'clerk' | 'manager'
export type PlatformRole = 'ops' | 'risk' | 'finance' | 'admin'

interface Holders {
  readonly member: readonly CompanyRole[]
  readonly operator: readonly PlatformRole[]
  readonly employee: boolean
  /** Somebody who buys for themselves. */
  readonly buyer?: true
  /** Whoever takes cards on a phone of a shop. */
  readonly clerk?: readonly MerchantRole[]
  /** A till that speaks to us by itself. */
  readonly terminal?: true
  /** True only where no sign-in is asked for. */
  readonly anybody: boolean
}

const everyCompanyRole = ['hr', 'approver', 'finance', 'admin'] as const
const everyMerchantRole = ['clerk', 'manager'] as const
const everyPlatformRole = ['ops', 'risk', 'finance', 'admin'] as const

/** Who may do what: the one table. A `notice` comes from anybody and is verified by its signature. */
export const abilities = {
  public: { member: everyCompanyRole, operator: everyPlatformRole, employee: true, anybody: true },
  notice: { member: everyCompanyRole, operator: everyPlatformRole, employee: true, anybody: true },
  'session.read': {
    member: everyCompanyRole,
    operator: everyPlatformRole,
    employee: true,
    clerk: everyMerchantRole,
    anybody: false,
  },
  'home.read': { member: everyCompanyRole, operator: [], employee: false, anybody: false },
  'settings.read': { member: everyCompanyRole, operator: [], employee: false, anybody: false },
  'settings.write': { member: ['admin'], operator: [], employee: false, anybody: false },
  'roster.read': { member: ['hr', 'approver', 'admin'], operator: [], employee: false, anybody: false },
  'roster.write': { member: ['hr', 'admin'], operator: [], employee: false, anybody: false },
  'campaign.read': { member: everyCompanyRole, operator: [], employee: false, anybody: false },
  'campaign.create': { member: ['hr', 'admin'], operator: [], employee: false, anybody: false },
  'campaign.submit': { member: ['hr', 'admin'], operator: [], employee: false, anybody: false },
  'campaign.approve': { member: ['approver', 'admin'], operator: [], employee: false, anybody: false },
  'campaign.cancel': { member: ['hr', 'approver', 'admin'], operator: [], employee: false, anybody: false },
  'order.read': { member: everyCompanyRole, operator: [], employee: false, anybody: false },
  'payment.open': { member: ['hr', 'finance', 'admin'], operator: [], employee: false, anybody: false },
  'refund.request': { member: ['hr', 'finance', 'admin'], operator: [], employee: false, anybody: false },
  'refund.decide': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'invoice.read': { member: ['finance', 'admin'], operator: [], employee: false, anybody: false },
  'invoice.request': { member: ['finance', 'admin'], operator: [], employee: false, anybody: false },
  'invoice.decide': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'wallet.read': { member: ['hr', 'finance', 'admin'], operator: [], employee: false, anybody: false },
  'wallet.manage': { member: ['finance', 'admin'], operator: [], employee: false, anybody: false },
  'budget.read': { member: everyCompanyRole, operator: [], employee: false, anybody: false },
  'budget.write': { member: ['finance', 'admin'], operator: [], employee: false, anybody: false },
  'delivery.read': { member: everyCompanyRole, operator: [], employee: false, anybody: false },
  'delivery.resend': { member: ['hr', 'admin'], operator: [], employee: false, anybody: false },
  'delivery.recall': { member: ['hr', 'admin'], operator: [], employee: false, anybody: false },
  'delivery.export': { member: ['hr', 'admin'], operator: [], employee: false, anybody: false },
  'wecom.read': { member: everyCompanyRole, operator: [], employee: false, anybody: false },
  'wecom.manage': { member: ['admin'], operator: [], employee: false, anybody: false },
  'directory.read': { member: ['hr', 'approver', 'admin'], operator: [], employee: false, anybody: false },
  'directory.write': { member: ['hr', 'admin'], operator: [], employee: false, anybody: false },
  'contact.read': { member: everyCompanyRole, operator: [], employee: false, anybody: false },
  'contact.write': { member: ['hr', 'admin'], operator: [], employee: false, anybody: false },
  'js.sign': { member: everyCompanyRole, operator: [], employee: true, anybody: false },
  'pack.read': { member: [], operator: [], employee: true, buyer: true, anybody: false },
  'pack.act': { member: [], operator: [], employee: true, buyer: true, anybody: false },
  'buyer.read': { member: [], operator: [], employee: false, buyer: true, anybody: false },
  'buyer.act': { member: [], operator: [], employee: false, buyer: true, anybody: false },
  'till.use': { member: [], operator: [], employee: false, clerk: everyMerchantRole, anybody: false },
  'till.manage': { member: [], operator: [], employee: false, clerk: ['manager'], anybody: false },
  'pos.use': { member: [], operator: [], employee: false, terminal: true, anybody: false },
  'merchant.read': { member: [], operator: everyPlatformRole, employee: false, anybody: false },
  'merchant.manage': { member: [], operator: ['ops', 'admin'], employee: false, anybody: false },
  'shelf.read': { member: [], operator: everyPlatformRole, employee: false, anybody: false },
  'shelf.manage': { member: [], operator: ['ops', 'admin'], employee: false, anybody: false },
  'report.read': { member: everyCompanyRole, operator: [], employee: false, anybody: false },
  'funnel.read': { member: [], operator: everyPlatformRole, employee: false, anybody: false },
  'cover.review': { member: [], operator: ['ops', 'risk', 'admin'], employee: false, anybody: false },
  'statement.assign': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'terms.read': { member: [], operator: everyPlatformRole, employee: false, anybody: false },
  'terms.write': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'settlement.read': { member: [], operator: everyPlatformRole, employee: false, anybody: false },
  'settlement.manage': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'payout.manage': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'statement.import': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'custody.read': { member: [], operator: everyPlatformRole, employee: false, anybody: false },
  'custody.manage': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'platform.read': { member: [], operator: everyPlatformRole, employee: false, anybody: false },
  'credit.set': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'company.invite': { member: [], operator: ['ops', 'admin'], employee: false, anybody: false },
  'jobs.revive': { member: [], operator: ['ops', 'admin'], employee: false, anybody: false },
  'reconciliation.read': { member: [], operator: ['risk', 'finance', 'admin'], employee: false, anybody: false },
  'reconciliation.close': { member: [], operator: ['finance', 'admin'], employee: false, anybody: false },
  'books.prove': { member: [], operator: ['risk', 'finance', 'admin'], employee: false, anybody: false },
} as const satisfies Record<string, Holders>

export type Ability = keyof typeof abilities

/** Whether an actor of this kind with these roles has the ability. `system` (our own jobs) has all of them. */
export function can(kind: ActorKind, roles: readonly string[], ability: Ability): boolean {
  const holders: Holders = abilities[ability]
  switch (kind) {
    case 'system':
      return true
    case 'anybody':
      return holders.anybody
    case 'employee':
      return holders.employee
    case 'buyer':
      return holders.anybody || holders.buyer === true
    case 'clerk':
      return holders.anybody || (holders.clerk ?? []).some((role) => roles.includes(role))
    case 'terminal':
      return holders.anybody || holders.terminal === true
    case 'member':
      return holders.anybody || holders.member.some((role) => roles.includes(role))
    case 'operator':
      return holders.anybody || holders.operator.some((role) => roles.includes(role))
  }
}

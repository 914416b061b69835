import type { CompanyRole } from '../../contract/abilities.ts'
import { fen } from '../../contract/fen.ts'
import { companyRoles } from '../../contract/hr/session.ts'
import type { Id } from '../../contract/ids.ts'
import type { WecomSandbox } from '../../sandbox/wecom/server.ts'
import type { WecomApp } from '../channels/ports.ts'
import type { Actor } from '../kernel/context.ts'
import { addMember } from '../modules/company/add-member.ts'
import { connectWecom } from '../modules/company/connect-wecom.ts'
import { createCompany } from '../modules/company/create-company.ts'
import { openWallet } from '../modules/wallet/open-wallet.ts'
import { topUpWallet } from '../modules/wallet/top-up-wallet.ts'
import type { TestDatabase } from './databases.ts'
import { corpOf } from './wecom.ts'

export interface CompanyWish {
  readonly code?: string
  readonly name?: string
  readonly paymentRoute?: 'strict' | 'non_cash'
  /** The company's app in WeCom; a corp of its own when it is not said. */
  readonly wecom?: WecomApp
  readonly callback?: { readonly token: string; readonly encodingAesKey: string }
  /** Where to make the corp with its members; without, only our side of the connection is made. */
  readonly sandbox?: WecomSandbox
  /** Staff in the sandbox beside the members of the console, who are hr, approver, finance and admin there. */
  readonly staff?: readonly { readonly userid: string; readonly name: string; readonly mobile?: string }[]
  /** Money in the wallet from the start. */
  readonly walletFen?: number
}

export interface TestCompany {
  readonly id: Id<'company'>
  readonly code: string
  readonly wecom: WecomApp
  /** The reference of its wallet. */
  readonly reference: string
  readonly members: Readonly<Record<CompanyRole, Id<'member'>>>
  /** The member of this role, acting. */
  readonly as: (role: CompanyRole) => Actor
}

const names: Readonly<Record<CompanyRole, string>> = {
  hr: '林人事',
  approver: '赵审批',
  finance: '钱财务',
  admin: '孙管理',
}
let made = 0

/**
 * A company with a wallet, a WeCom connection and one member of each role, whose userid is the role's name. With
 * `sandbox` the corp exists there too, and trusts the address of the house.
 */
export async function aCompany(database: TestDatabase, wish: CompanyWish = {}): Promise<TestCompany> {
  made += 1
  const code = wish.code ?? `company-${made}`
  const wecom = wish.wecom ?? {
    kind: 'self_built',
    corpId: `wwTest${made}`,
    agentId: 1000002,
    secret: `SANDBOXsecret${made}`,
    suiteId: null,
    contactSecret: null,
  }
  const { sandbox, staff = [], callback, walletFen = 0 } = wish
  sandbox?.control.upsertCorp({
    ...corpOf(wecom),
    accountLimit: 100_000,
    trustedDomains: [new URL(database.house.publicUrl).host],
    members: [...companyRoles.map((role) => ({ userid: role, name: names[role] })), ...staff],
  })
  return database.tx(async (tx) => {
    const { name = `测试公司 ${made}`, paymentRoute = 'non_cash' } = wish
    const id = await createCompany(tx, { code, name, paymentRoute })
    const reference = await openWallet(tx, id)
    if (walletFen > 0) await topUpWallet(tx, { companyId: id, amount: fen(walletFen), ref: tx.newId('statementLine') })
    await connectWecom(tx, { companyId: id, ...wecom, ...(callback && { callback }) })
    const member = (role: CompanyRole) =>
      addMember(tx, { companyId: id, name: names[role], userid: role, roles: [role] })
    const members = {
      hr: await member('hr'),
      approver: await member('approver'),
      finance: await member('finance'),
      admin: await member('admin'),
    }
    const as = (role: CompanyRole): Actor => ({
      kind: 'member',
      companyId: id,
      memberId: members[role],
      roles: [role],
    })
    return { id, code, wecom, reference, members, as }
  })
}

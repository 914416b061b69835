import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readBound } from '../../kernel/sql.ts'
import { WecomConnection } from './tables.ts'

export interface CompanyFacts {
  readonly id: Id<'company'>
  readonly code: string
  readonly name: string
  readonly paymentRoute: 'strict' | 'non_cash'
  readonly state: 'active' | 'suspended'
  /** IANA name: the company's days and the times it chooses (kernel/company-day.ts). */
  readonly timeZone: string
  /** How often a card that it gave may be passed on; 0: never. */
  readonly giftDepth: number
}

type Where = { readonly id: Id<'company'> } | { readonly code: string }

/** A company by id; null when there is none. */
export async function readCompany(tx: Tx, companyId: Id<'company'>): Promise<CompanyFacts | null> {
  return find(tx, { id: companyId })
}

/** A company by the code that people type; null when there is none. */
export async function findCompanyByCode(tx: Tx, code: string): Promise<CompanyFacts | null> {
  return find(tx, { code: code.trim().toLowerCase() })
}

/** Companies of exactly this name, whichever widths a bank writes it in; a few at most. */
export async function findCompaniesByName(tx: Tx, name: string): Promise<Id<'company'>[]> {
  const names = [...new Set([name.trim(), name.normalize('NFKC').trim(), widenBrackets(name)])]
  if (names.includes('')) return []
  const rows = await readBound<{ id: Id<'company'> }>(
    tx.em,
    `select id from company where name in (${names.map(() => '?').join(',')}) order by id limit 5`,
    names,
  )
  return rows.map((row) => row.id)
}

/** Chinese names are registered with wide brackets: 青禾（北京）有限公司. */
const widenBrackets = (name: string): string =>
  name.normalize('NFKC').trim().replaceAll('(', '（').replaceAll(')', '）')

/** The company that is connected to this corp of WeCom; null when none is. */
export async function findCompanyByCorpId(tx: Tx, corpId: string): Promise<CompanyFacts | null> {
  const row = await tx.em.findOne(WecomConnection, { corpId }, { disableIdentityMap: true })
  return row && find(tx, { id: row.companyId })
}

/** A company that may act now. Refuses with `company_unknown` and `company_suspended`. */
export async function readActiveCompany(tx: Tx, where: Where): Promise<CompanyFacts> {
  const company = (await find(tx, where)) ?? refuse('company_unknown')
  return company.state === 'active' ? company : refuse('company_suspended')
}

/** Asked by nearly every request: read past the entity mapping. */
async function find(tx: Tx, where: Where): Promise<CompanyFacts | null> {
  const [column, value] = 'id' in where ? ['id', where.id] : ['code', where.code]
  const [row] = await readBound<CompanyFacts>(
    tx.em,
    `select id, code, name, payment_route as paymentRoute, state, time_zone as timeZone,
        gift_depth as giftDepth from company where ${column} = ?`,
    [value],
  )
  return row ?? null
}

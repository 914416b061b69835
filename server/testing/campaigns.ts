import { cardLimits } from '../../contract/card-rules.ts'
import { fen } from '../../contract/fen.ts'
import type { CampaignContent } from '../../contract/hr/campaign.ts'
import type { Id } from '../../contract/ids.ts'
import type { Ports } from '../channels/ports.ts'
import { sealGreeting } from '../modules/campaign/seal-words.ts'
import { Campaign } from '../modules/campaign/tables.ts'
import { createBrand } from '../modules/catalog/create-template.ts'
import { issueOrder } from '../modules/issuance/issue-order.ts'
import { account } from '../modules/ledger/accounts.ts'
import { credit, debit, post } from '../modules/ledger/post.ts'
import { placeOrder } from '../modules/order/place-order.ts'
import { secureFunds } from '../modules/order/secure-funds.ts'
import { sealPerson } from '../modules/staff/seal-person.ts'
import { Person } from '../modules/staff/tables.ts'
import { aTemplate } from './cards.ts'
import type { TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'

export interface TestPerson {
  readonly name: string
  readonly userid?: string | null
  readonly phone?: string | null
  readonly department?: string | null
  readonly hireDate?: string | null
  /** MM-DD. */
  readonly birthday?: string | null
}
export interface CampaignWish {
  readonly title?: string
  readonly greeting?: string
  readonly faceFen?: number
  readonly sendAtMs?: number | null
  readonly coolingOffMs?: number
  /** What else the cards are: named and without an end, unless said. */
  readonly card?: { readonly named: boolean; readonly validDays: number | null }
  /** 4 digits that no other brand of the test has. */
  readonly issuerPrefix?: string
  /** Who collects WeChat payments for the brand. */
  readonly wechatPay?: { readonly mchid: string; readonly appid: string }
}
export interface TestCampaign {
  readonly id: Id<'campaign'>
  readonly orderId: Id<'order'>
  readonly brandId: Id<'brand'>
  readonly personIds: readonly Id<'person'>[]
}

/** People of a company, written straight into its staff. */
export async function somePeople(
  database: TestDatabase,
  companyId: Id<'company'>,
  people: readonly TestPerson[],
): Promise<Id<'person'>[]> {
  const ids: Id<'person'>[] = []
  for (let from = 0; from < people.length; from += 1000)
    await database.tx(async (tx) => {
      const rows = people.slice(from, from + 1000).map((person) => {
        const id = tx.newId('person')
        const { name, userid = null, phone = null, department = null, hireDate = null, birthday = null } = person
        const days = { hireDate, birthday }
        const facts = { name, phone, staffNo: null, ...days, note: null, userid: userid?.toLowerCase() ?? null }
        const matched = userid === null ? ('unknown' as const) : ('listed' as const)
        const state = { matched, state: 'active' as const, version: 1, changedAtMs: tx.clock.now() }
        return { id, companyId, department, ...sealPerson(tx.house, 'folded', id, facts), ...state }
      })
      await tx.em.insertMany(Person, rows)
      ids.push(...rows.map(({ id }) => id))
    })
  return ids
}

/** An approved campaign whose order waits for its money. */
export async function anApprovedCampaign(
  database: TestDatabase,
  company: TestCompany,
  personIds: readonly Id<'person'>[],
  wish: CampaignWish = {},
): Promise<TestCampaign> {
  const face = fen(wish.faceFen ?? 50_000)
  const total = fen(face * personIds.length)
  return database.tx(async (tx) => {
    const { issuerPrefix = '6230', wechatPay = null } = wish
    const brandId = await createBrand(tx, { name: '青禾', issuerPrefix, wechatPay })
    const templateVersionId = await aTemplate(tx, brandId, {
      coolingOffMs: wish.coolingOffMs ?? 0,
      ...wish.card,
      ...(wish.card?.named === false ? { maxFaceFen: fen(cardLimits.unnamedFaceFen) } : {}),
    })
    const items = personIds.map((holderId) => ({ holderId, templateVersionId, faceFen: face, priceFen: face }))
    const orderId = await placeOrder(tx, { companyId: company.id, items })
    const id = tx.newId('campaign')
    const now = tx.clock.now()
    await tx.em.insert(Campaign, {
      id,
      companyId: company.id,
      state: 'approved',
      version: 1,
      title: wish.title ?? '中秋节日问候',
      occasion: 'mid_autumn',
      cover: 'mid_autumn',
      templateVersionId,
      rosterId: null,
      selection: JSON.stringify({ kind: 'all' }),
      amountFrom: 'same',
      faceFen: face,
      greetingSealed: sealGreeting(tx, id, wish.greeting ?? '{姓名}，中秋快乐！'),
      sendAtMs: wish.sendAtMs ?? null,
      heads: personIds.length,
      faceTotalFen: total,
      priceTotalFen: total,
      createdBy: company.members.hr,
      orderId,
      createdAtMs: now,
      changedAtMs: now,
    })
    return { id, orderId, brandId, personIds }
  })
}

/** A paid campaign whose cards are issued and whose `cards.deliver` jobs are waiting: everything before the messages. */
export async function anIssuedCampaign(
  database: TestDatabase,
  company: TestCompany,
  personIds: readonly Id<'person'>[],
  wish: CampaignWish = {},
): Promise<TestCampaign> {
  const made = await anApprovedCampaign(database, company, personIds, wish)
  await issueInFull(database, made.orderId, (wish.faceFen ?? 50_000) * personIds.length)
  return made
}

/** Pays an order by money from nowhere in particular and makes its cards. */
export async function issueInFull(database: TestDatabase, orderId: Id<'order'>, totalFen: number): Promise<void> {
  await database.tx(async (tx) => {
    const total = fen(totalFen)
    const lines = [debit(account.custodyBank('main'), total), credit(account.orderFunds(orderId), total)]
    await post(tx, [{ kind: 'funds_received', ref: orderId, lines }])
    await secureFunds(tx, orderId, total)
  })
  await issueOrder(database.edge({} as Ports), orderId)
}

/** What a draft says: everybody on a list gets 500 yuan, at once. */
export const someContent = (
  templateVersionId: Id<'templateVersion'>,
  rosterId: Id<'roster'>,
  more: Partial<CampaignContent> = {},
): CampaignContent => ({
  title: '中秋福利',
  occasion: 'mid_autumn',
  cover: 'mid_autumn',
  templateVersionId,
  rosterId,
  selection: { kind: 'all' },
  amountFrom: 'same',
  faceFen: fen(50_000),
  greeting: '{姓名}，中秋快乐！',
  sendAtMs: null,
  ...more,
})

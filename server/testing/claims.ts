import type { DeliveryReason } from '../../contract/delivery-reasons.ts'
import type { Id } from '../../contract/ids.ts'
import type { DeliveryState } from '../../contract/states.ts'
import { sql } from '../kernel/sql.ts'
import { makeContactWay, type ContactWayWish } from '../modules/contact/make-contact-way.ts'
import { Delivery } from '../modules/delivery/tables.ts'
import { anIssuedCampaign, somePeople, type CampaignWish, type TestCampaign, type TestPerson } from './campaigns.ts'
import type { TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'

/** The mobile of the nth test person. */
export const mobileOf = (index: number): string => `139${String(index).padStart(8, '0')}`

/** People without a WeCom account, each with a mobile of their own. */
export const outsideWorkers = (count: number, from = 0): TestPerson[] =>
  Array.from({ length: count }, (_, index) => ({ name: `工友${from + index}`, phone: mobileOf(from + index) }))

/** A campaign whose cards are there and whose messages reached nobody: its people have no account in WeCom. */
export async function anUnreachedCampaign(
  database: TestDatabase,
  company: TestCompany,
  people: readonly TestPerson[],
  wish: CampaignWish & { readonly state?: DeliveryState; readonly reason?: DeliveryReason | null } = {},
): Promise<TestCampaign> {
  const personIds = await somePeople(database, company.id, people)
  const campaign = await anIssuedCampaign(database, company, personIds, wish)
  const { state = 'failed', reason = state === 'failed' ? 'no_wecom_account' : null } = wish
  await database.tx((tx) =>
    tx.em.insertMany(
      Delivery,
      personIds.map((personId) => ({
        id: tx.newId('delivery'),
        companyId: company.id,
        campaignId: campaign.id,
        personId,
        state,
        version: 1,
        reason,
        attempts: 0,
      })),
    ),
  )
  return campaign
}

/** The QR code of a campaign at a site, made by HR; its claim page's token. */
export async function aWay(
  database: TestDatabase,
  company: TestCompany,
  campaignId: Id<'campaign'>,
  wish: Partial<ContactWayWish> = {},
): Promise<{ readonly id: Id<'contactWay'>; readonly token: string }> {
  const edge = database.edge({} as never, company.as('hr'))
  return edge.tx(async (tx) => {
    const id = await makeContactWay(tx, { campaignId, site: '一号门', adds: false, userIds: [], ...wish })
    const [row] = await sql<{ token: string }>(tx.em, 'select token from contact_way where id = ?', [id])
    return { id, token: row?.token ?? '' }
  })
}

/** The head of a person in a campaign. */
export async function deliveryOf(database: TestDatabase, campaignId: Id<'campaign'>, personId: Id<'person'>) {
  const rows = await database.tx((tx) =>
    sql<{ id: Id<'delivery'>; state: DeliveryState }>(
      tx.em,
      'select id, state from delivery where campaign_id = ? and person_id = ?',
      [campaignId, personId],
    ),
  )
  return rows[0] ?? { id: '' as Id<'delivery'>, state: 'none' }
}

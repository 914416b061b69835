import { randomUUID } from 'node:crypto'
import type { Id } from '../../contract/ids.ts'
import { encodeSession } from '../kernel/cookies.ts'
import { change, sql } from '../kernel/sql.ts'
import { bindEndpoints } from '../modules/cardpack/bind-endpoints.ts'
import { cardActEndpoints } from '../modules/cardpack/card-act-endpoints.ts'
import { cardpackEndpoints } from '../modules/cardpack/endpoints.ts'
import { giftEndpoints } from '../modules/cardpack/gift-endpoints.ts'
import { isPersonActive } from '../modules/staff/find-person.ts'
import { anIssuedCampaign, somePeople, type CampaignWish, type TestCampaign } from './campaigns.ts'
import { aCompany, type TestCompany } from './companies.ts'
import type { TestDatabase } from './databases.ts'
import { aBrowser, startWeb, type Browser, type Web } from './web.ts'
import { wecomOf } from './wecom.ts'

/** A company whose people hold a card each, served over HTTP under a clock that the test moves. */
export interface PackStage {
  readonly web: Web
  readonly company: TestCompany
  readonly campaign: TestCampaign
  readonly clock: { nowMs: number }
  /** Somebody's phone, signed in; `standing`: headers that it always sends. */
  readonly phone: (personId: Id<'person'>, standing?: Record<string, string>) => Browser
  /** The card that the campaign gave to somebody. */
  readonly cardOf: (personId: Id<'person'>) => Promise<Id<'card'>>
  /** How often the company's cards may be passed on. */
  readonly allowGifts: (depth: number) => Promise<void>
}

const names = ['张三', '李四', '王五', '赵六']

export async function openPackStage(
  database: TestDatabase,
  wish: CampaignWish & { readonly people?: number } = {},
): Promise<PackStage> {
  const clock = { nowMs: Date.now() + 60_000 }
  const web = await startWeb(database, {
    endpoints: [...cardpackEndpoints, ...cardActEndpoints, ...giftEndpoints, ...bindEndpoints],
    ports: { wecom: wecomOf({ baseUrl: 'http://127.0.0.1:1' }, { now: () => clock.nowMs }) },
    personActive: isPersonActive,
    now: () => clock.nowMs,
  })
  const company = await aCompany(database, { name: '青禾科技' })
  const { people = names.length, ...campaignWish } = wish
  const named = Array.from({ length: people }, (_, index) => ({
    name: names[index] ?? `员工${index}`,
    userid: `person-${index}`,
    department: '研发部',
  }))
  const campaign = await anIssuedCampaign(
    database,
    company,
    await somePeople(database, company.id, named),
    campaignWish,
  )
  return {
    web,
    company,
    campaign,
    clock,
    phone: (personId, standing = {}) => phoneOf(database, web, company.id, personId, standing),
    cardOf: async (personId) => {
      const [row] = await database.tx((tx) =>
        sql<{ id: Id<'card'> }>(
          tx.em,
          'select card.id from card join order_item on order_item.id = order_item_id where order_item.holder_id = ?',
          [personId],
        ),
      )
      return row!.id
    },
    allowGifts: async (depth) => {
      await database.tx((tx) => change(tx.em, 'update company set gift_depth = ? where id = ?', [depth, company.id]))
    },
  }
}

/** Signs somebody in on a phone of their own without a round to WeCom. */
export function phoneOf(
  database: TestDatabase,
  web: Web,
  companyId: Id<'company'>,
  personId: Id<'person'>,
  standing: Record<string, string> = {},
): Browser {
  const browser = aBrowser(web.base, standing)
  const session = { kind: 'employee' as const, ids: { companyId, personId }, expiresAtMs: 4_000_000_000_000 }
  const value = encodeSession(session, database.house.sessionKey)
  browser.cookies.set('fulika_pack', { value, path: '/employee', host: new URL(web.base).host })
  return browser
}

/** A fresh Idempotency-Key, as a page sends one with each press. */
export const pressed = (): Record<string, string> => ({ 'idempotency-key': randomUUID() })

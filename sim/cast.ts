import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import type { Actor, Edge } from '../server/kernel/context.ts'
import { createBrand } from '../server/modules/catalog/create-template.ts'
import { setTerms, type NewTerms } from '../server/modules/catalog/set-terms.ts'
import { setCreditLine } from '../server/modules/wallet/set-credit-line.ts'
import { aTemplate } from '../server/testing/cards.ts'
import { aCompany } from '../server/testing/companies.ts'
import type { TestDatabase } from '../server/testing/databases.ts'
import { APP, BRANDS, CHANNELS, PLATFORM, type Stage } from './stage.ts'

export interface CastCompany {
  readonly id: Id<'company'>
  readonly name: string
  /** What tops up its wallet. */
  readonly reference: string
  readonly finance: Actor
}

/** Who plays: companies that buy, brands with terms of every kind, and the templates of their cards. */
export interface Cast {
  readonly companies: readonly CastCompany[]
  readonly templates: readonly { readonly brandId: Id<'brand'>; readonly versionId: Id<'templateVersion'> }[]
  readonly operator: Actor
}

/** The company of the cast with this id. */
export const buyerOf = (cast: Cast, id: Id<'company'>): CastCompany => cast.companies.find((one) => one.id === id)!

const HOUR_MS = 3_600_000
const channels = CHANNELS.map((mchid, index) => ({ code: `c${index + 1}`, name: `渠道 ${index + 1}`, mchid, bp: 137 }))
/** The first pays all, the second is collected for by the platform, the third agrees to wallet credit and pays nobody. */
const terms: readonly Omit<NewTerms, 'brandId'>[] = [
  { collector: 'brand', platformBp: 333, channels, maxRatioBp: 3000, holdMs: 2 * HOUR_MS, walletCredit: false },
  { collector: 'platform', platformBp: 500, channels, maxRatioBp: 9800, holdMs: HOUR_MS, walletCredit: false },
  { collector: 'brand', platformBp: 0, channels: [], maxRatioBp: 3000, holdMs: 30 * 60_000, walletCredit: true },
]

/** Brings the cast onto an empty stage. */
export async function makeCast(stage: Stage): Promise<Cast> {
  const edge = stage.edge()
  const pick = () => stage.chance.pick([0, 40_000, 30 * 60_000])
  const companies: CastCompany[] = []
  for (const name of ['青禾科技', '沐光制造']) {
    // Only `tx` of a test's database is used.
    const made = await aCompany({ tx: edge.tx } as TestDatabase, {
      name,
      paymentRoute: 'non_cash',
      // The second has little, and is lent some.
      walletFen: companies.length === 0 ? 1_500_000 : 60_000,
    })
    if (companies.length === 1) await edge.tx((tx) => setCreditLine(tx, made.id, fen(120_000)))
    companies.push({ id: made.id, name, reference: made.reference, finance: made.as('finance') })
  }
  const templates = []
  for (const [index, mchid] of BRANDS.entries()) templates.push(await makeBrand(edge, index, mchid))
  for (const mchid of [PLATFORM, ...BRANDS, ...CHANNELS]) await stage.ctl('money-rules', { mchid, acceptReturns: true })
  await stage.ctl('money-rules', { mchid: PLATFORM, maxRatioBp: 9800 })
  // WeChat Pay takes its time, at first: what is under way meets what comes next.
  const [shareLatencyMs, refundLatencyMs] = [pick(), pick()]
  await stage.ctl('money-rules', { shareLatencyMs, returnLatencyMs: pick(), refundLatencyMs })
  const operator: Actor = { kind: 'operator', operatorId: edge.newId('operator'), roles: ['finance', 'admin'] }
  return { companies, templates, operator }
}

async function makeBrand(edge: Edge, index: number, mchid: string): Promise<Cast['templates'][number]> {
  return edge.tx(async (tx) => {
    const facts = { name: `品牌 ${index + 1}`, issuerPrefix: String(6230 + index), wechatPay: { mchid, appid: APP } }
    const brandId = await createBrand(tx, facts)
    await setTerms(tx, { brandId, ...terms[index]! })
    const coolingOffMs = index === 2 ? 3 * HOUR_MS : 0
    return { brandId, versionId: await aTemplate(tx, brandId, { coolingOffMs, minFaceFen: fen(100), priceBp: 9_500 }) }
  })
}

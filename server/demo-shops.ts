import type { MerchantEntry } from '../contract/operator/merchant.ts'
import type { Edge, Tx } from './kernel/context.ts'
import { findBrandByPrefix } from './modules/catalog/change-brand.ts'
import { addClerk } from './modules/merchant/add-clerk.ts'
import { makeClerkLink } from './modules/merchant/make-clerk-link.ts'
import { readClerks } from './modules/merchant/read-clerks.ts'
import { findMerchantByName } from './modules/merchant/read-merchants.ts'
import { findShopByName } from './modules/merchant/read-shops.ts'

const issuerPrefix = '6230'
const merchantName = '青禾优选直营'
const shopName = '青禾优选 深圳科技园店'
const hours = '10:00-22:00'

/** Where the demo's cards are taken; the coordinates are those of a Chinese map (GCJ-02). */
export const demoMerchants: readonly MerchantEntry[] = [
  {
    name: merchantName,
    shops: [
      {
        name: shopName,
        city: '深圳',
        address: '南山区科苑路 15 号科兴科学园 B 栋 1 层',
        latitudeE6: 22_548_457,
        longitudeE6: 113_944_618,
        phone: '0755-86001234',
        hours,
      },
      {
        name: '青禾优选 广州天河店',
        city: '广州',
        address: '天河区天河路 208 号 3 层 312 铺',
        latitudeE6: 23_132_191,
        longitudeE6: 113_327_059,
        phone: '020-38001234',
        hours,
      },
      {
        name: '青禾优选 上海静安店',
        city: '上海',
        address: '静安区南京西路 1266 号地下 1 层',
        latitudeE6: 31_229_023,
        longitudeE6: 121_451_308,
        phone: '021-62881234',
        hours: '10:00-21:30',
      },
    ],
  },
]

const demoClerks = [
  { role: 'clerk', name: '周小店' },
  { role: 'manager', name: '吴店长' },
] as const
/** Long enough for an evening with the sandbox; each start makes new ones. */
const DEMO_LINK_MS = 24 * 3_600_000

/** The ids of the demo's clerk and manager, who are added where they are missing; null where somebody took the shop away. */
async function ensureClerks(tx: Tx) {
  const brand = await findBrandByPrefix(tx, issuerPrefix)
  const merchant = brand && (await findMerchantByName(tx, brand.id, merchantName))
  const shop = merchant && (await findShopByName(tx, merchant.id, shopName))
  if (!merchant || !shop) return null
  const standing = (await readClerks(tx, merchant.id)).filter((one) => one.state === 'active')
  const idOf = async ({ role, name }: (typeof demoClerks)[number]) =>
    standing.find((one) => one.name === name)?.id ?? (await addClerk(tx, { shopId: shop.id, name, role }))
  return { clerk: await idOf(demoClerks[0]), manager: await idOf(demoClerks[1]) }
}

/** Makes the people at the demo's tills; a second time it changes nothing. */
export async function addDemoClerks(edge: Edge): Promise<void> {
  await edge.tx(ensureClerks)
}

/** The links by which the demo's clerk and manager sign in on a phone: once each, for a day. Null without the shop. */
export async function offerDemoTills(edge: Edge): Promise<{ clerk: string; manager: string } | null> {
  return edge.tx(async (tx) => {
    const ids = await ensureClerks(tx)
    if (ids === null) return null
    const [clerk, manager] = [
      await makeClerkLink(tx, ids.clerk, DEMO_LINK_MS),
      await makeClerkLink(tx, ids.manager, DEMO_LINK_MS),
    ]
    return { clerk: clerk.url, manager: manager.url }
  })
}

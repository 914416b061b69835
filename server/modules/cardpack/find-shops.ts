import type { z } from 'zod'
import type { PackShops, ShopsInput } from '../../../contract/employee/pack.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { readHeldCard, type Holder } from '../card/read-card.ts'
import { readOpenShops, type OpenShop } from '../merchant/read-shops.ts'

type Wish = Pick<z.output<typeof ShopsInput>, 'id' | 'near' | 'city'>
type Place = NonNullable<Wish['near']>

/** As many as a thumb scrolls through. */
const MOST_SHOWN = 60
const EARTH_METRES = 6_371_000
/** Farther than anything on earth. */
const FAR_METRES = 1e8

/**
 * Where a card of this holder can be spent: the nearest shops first when a place is given, else those of one city. The
 * place is used here and nowhere else. Anybody else's card is `not_found`.
 */
export async function findShops(tx: Tx, holder: Holder, { id, near, city }: Wish): Promise<PackShops> {
  const card = (await readHeldCard(tx, holder, id)) ?? refuse('not_found')
  const all = await readOpenShops(tx, card.brandId)
  const cities = citiesOf(all)
  const nearest = near === undefined ? null : byDistance(all, near)
  const shownCity = nearest === null ? (cities.find((one) => one.city === city) ?? cities[0])?.city : undefined
  const chosen = nearest ?? all.filter((shop) => shop.city === shownCity).map((shop) => ({ shop, metres: null }))
  return {
    cities,
    city: shownCity ?? null,
    shops: chosen
      .slice(0, MOST_SHOWN)
      .map(({ shop: { id: shopId, name, city: at, address, phone, hours }, metres }) => {
        return {
          id: shopId,
          name,
          city: at,
          address,
          phone: phone ?? null,
          hours: hours ?? null,
          distanceMetres: metres,
        }
      }),
    more: chosen.length > MOST_SHOWN,
  }
}

function citiesOf(shops: readonly OpenShop[]): PackShops['cities'] {
  const counts = Map.groupBy(shops, ({ city }) => city)
  return [...counts].map(([city, some]) => ({ city, shops: some.length })).sort((a, b) => b.shops - a.shops)
}

/** Nearest first; shops whose place nobody entered come last. */
function byDistance(shops: readonly OpenShop[], near: Place): { shop: OpenShop; metres: number | null }[] {
  return shops
    .map((shop) => ({ shop, metres: metresTo(shop, near) }))
    .sort((a, b) => (a.metres ?? FAR_METRES) - (b.metres ?? FAR_METRES))
}

function metresTo({ latitudeE6, longitudeE6 }: OpenShop, near: Place): number | null {
  if (latitudeE6 == null || longitudeE6 == null) return null
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const [from, to] = [radians(near.latitudeE4 / 1e4), radians(latitudeE6 / 1e6)]
  const across = radians(longitudeE6 / 1e6 - near.longitudeE4 / 1e4)
  const half = Math.sin((to - from) / 2) ** 2 + Math.cos(from) * Math.cos(to) * Math.sin(across / 2) ** 2
  return Math.round(2 * EARTH_METRES * Math.asin(Math.min(1, Math.sqrt(half))))
}

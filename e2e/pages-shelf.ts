import { press, type Place } from './pages-money.ts'
import type { PagesWorld } from './pages-world.ts'

/** What individuals can buy: the list, one listing, a new one, and audiences. */
export function shelfPlaces({ shelf }: PagesWorld): Place[] {
  const at = (name: string, path: string, act?: Place[3]): Place =>
    act === undefined ? [`ops-${name}`, `/ops/${path}`, 'operator'] : [`ops-${name}`, `/ops/${path}`, 'operator', act]
  return [
    at('shelf', 'shelf'),
    at('shelf-none', 'shelf?state=off&search=xyz'),
    at('listing-choose', 'shelf', press(/^(上架新卡|New listing)$/)),
    at('segments', 'shelf', press(/^(人群|Audiences)$/)),
    at('listing-new', `shelf/new/${shelf.template}`),
    at('listing', `shelf/${shelf.listing}`),
    at('listing-off', `shelf/${shelf.listing}`, press(/^(下架|Take off the shelf)$/)),
    at('listing-missing', 'shelf/xyz'),
  ]
}

import { press, type Place } from './pages-money.ts'
import type { PagesWorld } from './pages-world.ts'

/** What issuers owe and keep in custody: the list, one of them, and what is entered. */
export function custodyPlaces({ brand }: PagesWorld): Place[] {
  const at = (name: string, path: string, act?: Place[3]): Place =>
    act === undefined ? [`ops-${name}`, `/ops/${path}`, 'operator'] : [`ops-${name}`, `/ops/${path}`, 'operator', act]
  return [
    at('custody', 'custody'),
    at('custody-brand', `custody/${brand}`),
    at('custody-balance', `custody/${brand}`, press(/^(录入银行余额|Enter bank balance)/)),
    at('custody-guarantee', `custody/${brand}`, press(/^(录入保函|Enter guarantee)/)),
    at('custody-filing', `custody/${brand}`, press(/^(录入备案|变更备案|Enter filing|Change filing)/)),
    at('custody-missing', 'custody/xyz'),
  ]
}

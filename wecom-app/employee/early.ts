import type { Pack } from '../../contract/employee/pack.ts'
import { askEarly } from '../lib/early-reads.ts'
import { shortMoney } from '../lib/money.ts'
import { api, pages } from './audience.ts'
import { groupCards } from './card-groups.ts'

/**
 * Runs before the program is there: it asks for what the pack will show while the program is still on its way, so that a
 * slow line carries both at once, and draws what is on the first card where that card will lie (page budget, D8). And it
 * sets the size of the text before there is any.
 */
const asked = new URLSearchParams(location.search)
document.documentElement.dataset['text'] = localStorage.getItem('fulika.largeText') === 'yes' ? 'large' : 'usual'
if (location.pathname === pages && !['company', 'problem', 'campaign'].some((name) => asked.has(name))) {
  const answers = askEarly([`${api}/session`, `${api}/pack`])
  void answers
    .get(`${api}/pack`)
    ?.then(drawFirst)
    .catch(() => undefined)
}

/** The balance, in the place and size in which the cover will show it. The program's pages take the whole place over. */
async function drawFirst(answer: Response): Promise<void> {
  if (!answer.ok) return
  const { cards } = (await answer.clone().json()) as Pack
  const first = groupCards(cards, Date.now()).find(({ group }) => group !== 'used')?.cards[0]
  const place = document.querySelector('.before i')
  if (first === undefined || place === null) return
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  picture.setAttribute('viewBox', '0 0 320 200')
  const write = (text: string, facts: Readonly<Record<string, string>>): void => {
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'text')
    for (const [name, value] of Object.entries({ x: '22', ...facts })) line.setAttribute(name, value)
    line.textContent = text
    picture.append(line)
  }
  write(first.brandName, { y: '40', 'font-size': '17', 'font-weight': '600' })
  write(shortMoney(first.balanceFen), { y: '168', 'font-size': '38', 'font-weight': '700', 'data-balance': '' })
  place.append(picture)
}

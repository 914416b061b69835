import type { z } from 'zod'
import type { StoreEventsInput } from '../../../contract/store/event.ts'
import { coalesce } from '../../kernel/coalesce.ts'
import { CHINA, dayOf } from '../../kernel/company-day.ts'
import type { Edge } from '../../kernel/context.ts'
import type { House } from '../../kernel/house.ts'
import { insertIgnore } from '../../kernel/sql.ts'

const MOST_AT_ONCE = 500
const MOST_WAITING = 5_000

type Told = z.output<typeof StoreEventsInput>
interface Item {
  readonly edge: Edge
  readonly told: Told
}
type Queue = (item: Item) => Promise<null>
const queues = new WeakMap<House, Queue>()

/** Counts a visit once a day. In a rush many go into one transaction; beyond that they are refused with `busy`, and nobody misses them. */
export async function countVisit(edge: Edge, told: Told): Promise<void> {
  await queueOf(edge.house)({ edge, told })
}

function queueOf(house: House): Queue {
  const known = queues.get(house)
  if (known) return known
  const options = { most: MOST_AT_ONCE, atOnce: 1, waiting: MOST_WAITING }
  const made = coalesce<Item, null>({ ...options, doMany: (items) => write(items[0]!.edge, items) })
  queues.set(house, made)
  return made
}

async function write(edge: Edge, items: readonly Item[]): Promise<null[]> {
  const rows = items.flatMap(({ told }) => {
    const day = dayOf(edge.clock.now(), CHINA)
    const visitorIndex = edge.house.seal.blindIndex('funnel.visitor', `${day}.${told.visitor}`)
    return told.steps.map((step) => ({ day, channel: told.channel, step, visitor_index: visitorIndex }))
  })
  await edge.tx((tx) => insertIgnore(tx.em, 'funnel_visit', rows))
  return items.map(() => null)
}

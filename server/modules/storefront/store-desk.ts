import type { z } from 'zod'
import type { BuyInput } from '../../../contract/store/order.ts'
import { coalesce } from '../../kernel/coalesce.ts'
import type { Edge } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import type { House } from '../../kernel/house.ts'
import { buyerOf } from '../../kernel/tenant.ts'
import { checkGreeting } from '../cover/check-greeting.ts'
import { buyCards, type Buying, type Placed } from './buy-cards.ts'

/** Orders of one transaction: its listings are held for some milliseconds at most, and SQLite's only writer moves on. */
const MOST = 100
/** One after the other: those who buy the same card wait for its listing anyway, and what waits goes together. */
const AT_ONCE = 1
/** A rush of thousands may wait; who comes then is told to come again. */
const WAITING = 5_000

interface Item {
  readonly edge: Edge
  readonly buying: Buying
}
const desks = new WeakMap<House, (item: Item) => Promise<Placed | AppError>>()

/**
 * Where all who buy in a house come together: orders that arrive in the same moment are one transaction, and each is answered after
 * its commit. The buyer is the one who asks. Throws the refusal of an order (`buyCards`), `greeting_refused`, and `busy` when too
 * many wait.
 */
export async function buyCard(edge: Edge, wish: z.output<typeof BuyInput>, key: string): Promise<Placed> {
  const buyerId = buyerOf(edge.actor)
  await checkGreeting(edge, wish.greeting)
  const placed = await deskOf(edge)({ edge, buying: { buyerId, key, wish } })
  if (placed instanceof AppError) throw placed
  return placed
}

function deskOf({ house }: Edge): (item: Item) => Promise<Placed | AppError> {
  const known = desks.get(house)
  const desk = known ?? newDesk()
  if (known === undefined) desks.set(house, desk)
  return desk
}

/** The buyers are named in what is written; the transaction itself is nobody's in particular. */
const newDesk = () =>
  coalesce<Item, Placed | AppError>({
    doMany: (items) => {
      const { edge } = items[0]!
      return edge.tx((tx) =>
        buyCards(
          { ...tx, actor: { kind: 'system', name: 'store' } },
          items.map(({ buying }) => buying),
          edge.ports.wechatPay,
        ),
      )
    },
    most: MOST,
    atOnce: AT_ONCE,
    waiting: WAITING,
    // Whoever orders waits for the card, which the worker makes.
    crowdAt: null,
  })

import { z } from 'zod'
import { dayField, fenField } from '../fields.ts'
import { noticeKinds } from '../store/notice.ts'
import { storeChannels } from '../store/order.ts'

/** From coming by to having paid. `start`: an order was placed; `pay`: WeChat Pay was ready to take the money. */
export const funnelSteps = ['visit', 'view', 'start', 'pay', 'paid'] as const
export type FunnelStep = (typeof funnelSteps)[number]

/** GET /operator/funnel: days of China, both included, the last 30 unless said; 92 at most. */
export const FunnelInput = z.object({ fromDay: dayField.optional(), toDay: dayField.optional() })

const steps = z.record(z.enum(funnelSteps), z.int())
const Basket = { lowFen: fenField, medianFen: fenField, highFen: fenField }

export const Funnel = z.object({
  fromDay: dayField,
  toDay: dayField,
  /** Visitors of a day for the first two steps, orders for the others. */
  all: steps,
  channels: z.array(z.object({ channel: z.enum(storeChannels), steps })),
  /** Paid orders by the hour of China's clocks: seven rows from Monday, 24 each. */
  heat: z.array(z.array(z.int())),
  /**
   * Hours that stand out of the day, longest first: from this hour up to but without that one (past 24 it is the next day's), and what
   * people spend then; nine of ten orders are no smaller than `lowFen`, and nine of ten no larger than `highFen`.
   */
  peaks: z.array(z.object({ fromHour: z.int(), untilHour: z.int(), orders: z.int(), shareBp: z.int(), ...Basket })),
  /**
   * What subscription messages bring: of those who had allowed one, how many spent from the card within 14 days, told by WeChat or, a
   * tenth of them, deliberately not. Counted, never claimed: without both groups there is no difference.
   */
  notices: z.array(
    z.object({
      kind: z.enum(noticeKinds),
      told: z.object({ people: z.int(), spent: z.int() }),
      heldOut: z.object({ people: z.int(), spent: z.int() }),
    }),
  ),
})
export type Funnel = z.infer<typeof Funnel>

/** A part of a whole in basis points, rounded to the nearest; null of nothing. */
export const shareBp = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part * 10_000) / whole)

import type { z } from 'zod'
import { fen } from '../../../contract/fen.ts'
import { funnelSteps, type Funnel, type FunnelStep } from '../../../contract/operator/funnel.ts'
import { storeChannels, type StoreChannel } from '../../../contract/store/order.ts'
import { addDays, daysBetween } from '../../../contract/wall-clock.ts'
import { CHINA, dayOf, startOfDay } from '../../kernel/company-day.ts'
import type { Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { findPeaks, type Hourly } from './find-peaks.ts'
import { readUplift } from './read-uplift.ts'

const SHOWN_DAYS = 30
const MOST_DAYS = 92
const HOUR_MS = 3_600_000
const WEEK_HOURS = 7 * 24
/** The first hour of the epoch was the ninth of a Thursday in China; a week begins on Monday. */
const EPOCH_HOUR = 3 * 24 + 8

type Steps = Record<FunnelStep, number>
interface Between {
  readonly fromDay: string
  readonly toDay: string
  readonly fromMs: number
  readonly untilMs: number
}

/**
 * How visits become purchases, channel by channel, and when people buy. Counted from the rows themselves each time. Refuses with
 * `malformed_request` an end before its begin, and more than 92 days.
 */
export async function readFunnel(
  tx: Tx,
  wish: { readonly fromDay?: string | undefined; readonly toDay?: string | undefined },
): Promise<z.input<typeof Funnel>> {
  const toDay = wish.toDay ?? dayOf(tx.clock.now(), CHINA)
  const fromDay = wish.fromDay ?? addDays(toDay, 1 - SHOWN_DAYS)
  const days = daysBetween(fromDay, toDay) + 1
  if (days < 1 || days > MOST_DAYS) refuse('malformed_request', { field: 'fromDay' })
  const between = {
    fromDay,
    toDay,
    fromMs: startOfDay(fromDay, CHINA),
    untilMs: startOfDay(addDays(toDay, 1), CHINA),
  }
  const counts = await readSteps(tx, between)
  const hours = await readHours(tx, between)
  const heat = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0))
  for (const { weekHour, orders } of hours) heat[Math.floor(weekHour / 24)]![weekHour % 24]! += orders
  const hourly: Hourly[] = hours.map(({ weekHour, priceFen, orders }) => ({ hour: weekHour % 24, priceFen, orders }))
  return {
    fromDay,
    toDay,
    all: sumOf([...counts.values()]),
    channels: storeChannels.flatMap((channel) => {
      const steps = counts.get(channel)
      return steps === undefined ? [] : [{ channel, steps }]
    }),
    heat,
    peaks: findPeaks(hourly).map((peak) => ({
      ...peak,
      lowFen: fen(peak.lowFen),
      medianFen: fen(peak.medianFen),
      highFen: fen(peak.highFen),
    })),
    notices: await readUplift(tx, between),
  }
}

const none = (): Steps => ({ visit: 0, view: 0, start: 0, pay: 0, paid: 0 })

function sumOf(many: readonly Steps[]): Steps {
  const sum = none()
  for (const steps of many) for (const step of funnelSteps) sum[step] += steps[step]
  return sum
}

/** Visitors by day, and orders by what became of them; channels of which there is anything. */
async function readSteps(tx: Tx, between: Between): Promise<ReadonlyMap<StoreChannel, Steps>> {
  const visits = await sql<{ channel: StoreChannel; step: 'visit' | 'view'; found: unknown }>(
    tx.em,
    'select channel, step, count(*) as found from funnel_visit where day >= ? and day <= ? group by channel, step',
    [between.fromDay, between.toDay],
  )
  const orders = await sql<{ channel: StoreChannel; placed: unknown; ready: unknown; paid: unknown }>(
    tx.em,
    `select store_order.channel as channel, count(*) as placed,
        sum(case when payment.code_url is not null or payment.paid_at_ms is not null then 1 else 0 end) as ready,
        sum(case when payment.paid_at_ms is not null then 1 else 0 end) as paid
      from store_order left join payment on payment.order_id = store_order.order_id
      where store_order.created_at_ms >= ? and store_order.created_at_ms < ? group by store_order.channel`,
    [between.fromMs, between.untilMs],
  )
  const counts = new Map<StoreChannel, Steps>()
  const of = (channel: StoreChannel): Steps => {
    const steps = counts.get(channel) ?? none()
    counts.set(channel, steps)
    return steps
  }
  for (const { channel, step, found } of visits) of(channel)[step] = Number(found)
  for (const { channel, placed, ready, paid } of orders)
    Object.assign(of(channel), { start: Number(placed), pay: Number(ready), paid: Number(paid) })
  return counts
}

interface WeekHour {
  readonly weekHour: number
  readonly priceFen: number
  readonly orders: number
}

/** Paid orders by the hour of the week in which they were placed, and by price in whole yuan. */
async function readHours(tx: Tx, between: Between): Promise<WeekHour[]> {
  const rows = await sql<{ hour: unknown; price: unknown; orders: unknown }>(
    tx.em,
    `select placed.hour as hour, placed.price as price, count(*) as orders from (
        select store_order.created_at_ms - store_order.created_at_ms % ${HOUR_MS} as hour,
          orders.total_fen - orders.total_fen % 100 as price
        from store_order join orders on orders.id = store_order.order_id
        where store_order.created_at_ms >= ? and store_order.created_at_ms < ?
          and exists (select 1 from payment where payment.order_id = store_order.order_id and payment.paid_at_ms is not null)
      ) as placed group by placed.hour, placed.price`,
    [between.fromMs, between.untilMs],
  )
  return rows.map(({ hour, price, orders }) => ({
    weekHour: (Number(hour) / HOUR_MS + EPOCH_HOUR) % WEEK_HOURS,
    priceFen: Number(price),
    orders: Number(orders),
  }))
}

import { z } from 'zod'
import { storeChannels } from './order.ts'

/** What a page tells of a visit: that somebody came, and that they looked at a card. What they buy, the orders tell. */
export const visitSteps = ['visit', 'view'] as const
export type VisitStep = (typeof visitSteps)[number]

/**
 * POST /store/events, without a sign-in; no answer. `visitor`: a random number that the page makes for the session and for the day, and
 * forgets with it: it says that two steps are one person's and nothing about who. The same step counts once a day.
 */
export const StoreEventsInput = z.strictObject({
  visitor: z.string().regex(/^[0-9a-f]{32}$/),
  channel: z.enum(storeChannels),
  steps: z.array(z.enum(visitSteps)).min(1).max(visitSteps.length),
})
export type StoreEventsInput = z.input<typeof StoreEventsInput>

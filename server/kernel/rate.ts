import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { refuse } from './errors.ts'

/** How much somebody may ask in a window. */
export interface Rate {
  /** Counts a request. Refuses with `too_many_requests`. */
  readonly spend: (key: string, points: number) => Promise<void>
  /** Counts nothing: refuses whoever spent all. */
  readonly mustHaveLeft: (key: string) => Promise<void>
}

/** Counts in the memory of this process. */
export function rateLimit(rate: { points: number; seconds: number }): Rate {
  const limiter = new RateLimiterMemory({ points: rate.points, duration: rate.seconds })
  const refuseUntil = (left: RateLimiterRes): never => refuse('too_many_requests', { retryAfterMs: left.msBeforeNext })
  return {
    spend: async (key, points) => {
      try {
        await limiter.consume(key, points)
      } catch (error) {
        if (error instanceof RateLimiterRes) refuseUntil(error)
        throw error
      }
    },
    mustHaveLeft: async (key) => {
      const left = await limiter.get(key)
      if (left !== null && left.consumedPoints >= rate.points) refuseUntil(left)
    },
  }
}

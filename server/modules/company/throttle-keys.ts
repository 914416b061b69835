import { RateLimiterMemory } from 'rate-limiter-flexible'
import { refuse } from '../../kernel/errors.ts'

/** Wrong access keys that one address may try in a window. A key has 256 bits: this is against noise in the books. */
const WRONG_KEYS = 10
const WINDOW_S = 15 * 60

const wrongKeys = new RateLimiterMemory({ points: WRONG_KEYS, duration: WINDOW_S })

/** Refuses with `too_many_requests` while an address has tried too many wrong keys, the right one included. */
export async function checkKeyTries(ip: string): Promise<void> {
  const seen = await wrongKeys.get(ip)
  if (seen !== null && seen.consumedPoints >= WRONG_KEYS)
    refuse('too_many_requests', { retryAfterMs: seen.msBeforeNext })
}

/** Counts a wrong key against its address. */
export async function countWrongKey(ip: string): Promise<void> {
  await wrongKeys.penalty(ip)
}

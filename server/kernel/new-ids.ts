import { encodeId, type Id, type IdKind } from '../../contract/ids.ts'
import type { Clock } from './context.ts'

const EPOCH_MS = Date.UTC(2025, 0, 1)
export const WORKER_NUMBERS = 1024
const PER_MS = 4096

/**
 * Makes ids that sort by time and never repeat while this process alone holds `worker` (0 to 1023): 41 bits of
 * milliseconds, 10 of worker, 12 of sequence. A clock that steps back is waited out by staying at the last instant;
 * a full millisecond borrows the next one.
 */
export function idSource(worker: number, clock: Clock): <K extends IdKind>(kind: K) => Id<K> {
  if (!Number.isInteger(worker) || worker < 0 || worker >= WORKER_NUMBERS)
    throw new RangeError(`no such worker: ${worker}`)
  let lastMs = 0
  let sequence = 0
  return (kind) => {
    const now = clock.now() - EPOCH_MS
    if (now > lastMs) {
      lastMs = now
      sequence = 0
    } else if (++sequence === PER_MS) {
      lastMs += 1
      sequence = 0
    }
    return encodeId(kind, (BigInt(lastMs) << 22n) | (BigInt(worker) << 12n) | BigInt(sequence))
  }
}

/** The first id that a kind can have at an instant: whatever was made later comes behind it. */
export const idAt = <K extends IdKind>(kind: K, ms: number): Id<K> =>
  encodeId(kind, BigInt(Math.max(0, Math.floor(ms) - EPOCH_MS)) << 22n)

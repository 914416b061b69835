import type { Writable } from 'node:stream'

/**
 * Waits until the other side has taken what was written, so that a long file never lies in memory whole. False: nobody
 * reads any more, and the rest need not be made.
 */
export async function isTaken(out: Writable): Promise<boolean> {
  if (out.destroyed || !out.writableNeedDrain) return !out.destroyed
  await new Promise<void>((resolve) => {
    const done = (): void => {
      out.off('drain', done).off('close', done)
      resolve()
    }
    out.on('drain', done).on('close', done)
  })
  return !out.destroyed
}

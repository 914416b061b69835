import type { Edge } from './context.ts'
import { WORKER_NUMBERS } from './new-ids.ts'
import { change, insertIgnore, sql } from './sql.ts'

const LEASE_MS = 60_000
const RENEW_MS = 15_000

/** A worker number that is ours until we give it back or stop renewing. */
export interface WorkerNumber {
  readonly number: number
  release(): Promise<void>
}

/** What leasing needs: it runs before ids can be made, so it takes no whole scope. */
export type LeaseScope = Pick<Edge, 'clock' | 'random' | 'tx' | 'log'>

/**
 * Leases a number that no living process holds, and renews it every 15 s. When a renewal finds the number taken by
 * somebody else, or none succeeds in time, `lost` is called: the process must stop at once, for its ids could repeat.
 */
export async function leaseWorkerNumber(scope: LeaseScope, lost: () => void): Promise<WorkerNumber> {
  const token = scope.random(16).toString('hex')
  const number = await takeFree(scope, token)
  let renewedAtMs = scope.clock.now()
  const timer = setInterval(() => {
    renew(scope, number, token).then(
      (ours) => {
        if (!ours) lost()
        renewedAtMs = scope.clock.now()
      },
      (error: unknown) => {
        scope.log.warn({ err: error }, 'worker number not renewed')
        // Before the lease is over: once it is, another process may hold the number.
        if (scope.clock.now() - renewedAtMs > LEASE_MS - 2 * RENEW_MS) lost()
      },
    )
  }, RENEW_MS)
  timer.unref()
  return {
    number,
    release: async () => {
      clearInterval(timer)
      await scope.tx((tx) =>
        change(tx.em, 'update worker set lease_until_ms = 0 where number = ? and token = ?', [number, token]),
      )
    },
  }
}

async function takeFree(scope: LeaseScope, token: string): Promise<number> {
  const start = scope.random(2).readUInt16BE() % WORKER_NUMBERS
  for (let step = 0; step < WORKER_NUMBERS; step += 1) {
    const number = (start + step) % WORKER_NUMBERS
    const ours = await scope.tx(async (tx) => {
      const now = tx.clock.now()
      await insertIgnore(tx.em, 'worker', [{ number, token, lease_until_ms: now + LEASE_MS }])
      await change(
        tx.em,
        'update worker set token = ?, lease_until_ms = ? where number = ? and token <> ? and lease_until_ms < ?',
        [token, now + LEASE_MS, number, token, now],
      )
      const [row] = await sql<{ token: string }>(tx.em, 'select token from worker where number = ?', [number])
      return row?.token === token
    })
    if (ours) return number
  }
  throw new Error('every worker number is taken')
}

async function renew(scope: LeaseScope, number: number, token: string): Promise<boolean> {
  return scope.tx(async (tx) => {
    const until = tx.clock.now() + LEASE_MS
    await change(tx.em, 'update worker set lease_until_ms = ? where number = ? and token = ?', [until, number, token])
    const [row] = await sql<{ token: string }>(tx.em, 'select token from worker where number = ?', [number])
    return row?.token === token
  })
}

import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Lets one piece of work run at a time, in the order of asking. Asking again from inside the running work throws
 * instead of waiting for itself for ever: a transaction inside a transaction is a mistake.
 */
export function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  const inside = new AsyncLocalStorage<true>()
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    if (inside.getStore()) return Promise.reject(new Error('a transaction inside a transaction'))
    const result = last.then(() => inside.run(true, work))
    last = result.catch(() => undefined)
    return result
  }
}

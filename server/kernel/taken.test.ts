import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { isTaken } from './taken.ts'

const full = (): PassThrough => {
  const out = new PassThrough({ highWaterMark: 4 })
  out.write('12345678')
  expect(out.writableNeedDrain).toBe(true)
  return out
}

test('what was written is waited for until it is taken, or until nobody takes it any more', async () => {
  const empty = new PassThrough()
  expect(await isTaken(empty)).toBe(true)
  empty.destroy()
  expect(await isTaken(empty)).toBe(false)

  const read = full()
  const taken = isTaken(read)
  read.resume()
  expect(await taken).toBe(true)
  expect([read.listenerCount('drain'), read.listenerCount('close')]).toEqual([0, 0])

  const left = full()
  const waiting = isTaken(left)
  left.destroy()
  expect(await waiting).toBe(false)
})

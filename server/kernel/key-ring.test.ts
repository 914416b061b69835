import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { onBothDatabases } from '../testing/databases.ts'
import { claimKeys, newKeyRing, readKeys } from './key-ring.ts'
import { leaseWorkerNumber } from './worker-number.ts'
import type { Ports } from '../channels/ports.ts'

const fresh = () => randomBytes(32).toString('base64')

onBothDatabases('a start', (database) => {
  test('takes a ring that it knows or that has grown, and names what is missing or is another key under the same name', async () => {
    const text = newKeyRing()
    const claim = (ring: string) => database.tx((tx) => claimKeys(tx, readKeys(ring)))
    expect(await claim(text)).toEqual([])
    expect(await claim(text)).toEqual([])
    const file = JSON.parse(text) as { keys: Record<string, string> }
    const rotated = { ...file, current: 'k2', keys: { ...file.keys, k2: fresh() } }
    expect(await claim(JSON.stringify(rotated))).toEqual([])
    expect(await claim(text)).toEqual(['seal:k2'])
    expect(await claim(JSON.stringify({ ...rotated, keys: { k1: fresh(), k2: rotated.keys.k2 } }))).toEqual(['seal:k1'])
    expect(await claim(JSON.stringify({ ...rotated, root: fresh() }))).toEqual(['root'])
  })

  test('worker numbers: eight at once get eight; one that is given back or runs out is free again', async () => {
    let now = Date.now()
    const edge = database.edge({} as Ports, undefined, () => now)
    const leases = await Promise.all(Array.from({ length: 8 }, () => leaseWorkerNumber(edge, () => undefined)))
    expect(new Set(leases.map((lease) => lease.number)).size).toBe(8)
    now += 61_000
    const wanted = leases[0]!.number
    const random = () => Buffer.from([wanted >> 8, wanted & 255, ...randomBytes(14)])
    const late = await leaseWorkerNumber({ ...edge, random }, () => undefined)
    expect(late.number).toBe(wanted)
    for (const lease of [...leases, late]) await lease.release()
  })
})

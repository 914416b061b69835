import { expect, test } from 'vitest'
import { onBothDatabases } from '../../testing/databases.ts'
import { createBrand } from './create-template.ts'
import { readTermsAt } from './read-terms.ts'
import { setTerms, type NewTerms } from './set-terms.ts'

const facts: Omit<NewTerms, 'brandId'> = {
  collector: 'brand',
  platformBp: 300,
  channels: [{ code: 'mall', name: '商城', mchid: '1900000301', bp: 200 }],
  maxRatioBp: 3000,
  holdMs: 3_600_000,
  walletCredit: true,
}

onBothDatabases('terms of brands', (database) => {
  const aBrand = (prefix: string) => database.tx((tx) => createBrand(tx, { name: '青禾', issuerPrefix: prefix }))
  const set = (terms: NewTerms, atMs: number) =>
    database.tx((tx) => setTerms({ ...tx, clock: { now: () => atMs } }, terms))

  test('an instant finds the terms that were in force; a brand without any collects and keeps all', async () => {
    const [brandId, other] = [await aBrand('6230'), await aBrand('6231')]
    expect(await set({ brandId, ...facts }, 1000)).toBe(1)
    expect(await set({ brandId, ...facts, platformBp: 500 }, 2000)).toBe(2)
    const at = (atMs: number) => database.tx((tx) => readTermsAt(tx, [brandId, other], atMs))
    expect((await at(999)).get(brandId)).toMatchObject({ number: 0, platformBp: 0, channels: [] })
    expect((await at(1000)).get(brandId)).toMatchObject({ number: 1, ...facts })
    expect((await at(1999)).get(brandId)?.platformBp).toBe(300)
    expect((await at(2000)).get(brandId)).toMatchObject({ number: 2, platformBp: 500 })
    expect((await at(2000)).get(other)).toMatchObject({ number: 0, collector: 'brand', maxRatioBp: 3000 })
  })

  test('equal terms are not written again; what breaks the cap or cannot be is refused and not kept', async () => {
    const brandId = await aBrand('6230')
    expect(await set({ brandId, ...facts }, 1000)).toBe(1)
    expect(await set({ brandId, ...facts }, 2000)).toBe(1)
    await expect(set({ brandId, ...facts, platformBp: 2_900 }, 3000)).rejects.toMatchObject({ code: 'ratio_over_cap' })
    const long = set({ brandId, ...facts, holdMs: 26 * 86_400_000 }, 3000)
    await expect(long).rejects.toMatchObject({ code: 'malformed_request', more: { field: 'holdMs' } })
    const kept = await database.tx((tx) => readTermsAt(tx, [brandId], 9000))
    expect(kept.get(brandId)?.number).toBe(1)
  })

  test('two who set terms at once get two numbers or one error, never one number twice', async () => {
    const brandId = await aBrand('6230')
    const both = await Promise.allSettled([400, 500].map((platformBp) => set({ brandId, ...facts, platformBp }, 1000)))
    const numbers = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(numbers.length).toBeGreaterThan(0)
    expect(new Set(numbers).size).toBe(numbers.length)
  })
})

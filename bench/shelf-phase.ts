/**
 * The steps of `bench -- shelf` that are not on the clock, in a process of their own: `fill` makes the listings and a round of
 * sales, `check` proves the books.
 */
import { randomInt } from 'node:crypto'
import { fen } from '../contract/fen.ts'
import { ListingFacts } from '../contract/operator/shelf.ts'
import { listingCategories } from '../contract/store/shelf.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { createBrand, createTemplate } from '../server/modules/catalog/create-template.ts'
import { changeListing } from '../server/modules/shelf/change-listing.ts'
import { createListing } from '../server/modules/shelf/create-listing.ts'
import { openBench } from './bench-house.ts'
import { titleOf } from './shelf-words.ts'

const BRANDS = 40
const PER_TRANSACTION = 200

const [step = '', url = '', text = '0'] = process.argv.slice(2)
const { store, edge } = await openBench(url, 22)
const answer = step === 'fill' ? await fill(Number(text)) : { findings: await edge.read(proveBooks) }
await store.close()
console.log(JSON.stringify(answer))

async function fill(listings: number): Promise<object> {
  const began = performance.now()
  const brands = await edge.tx(async (tx) => {
    const ids = []
    for (let n = 0; n < BRANDS; n += 1)
      ids.push(await createBrand(tx, { name: `${titleOf(n).slice(0, 4)}品牌`, issuerPrefix: `${6000 + n}` }))
    return ids
  })
  for (let from = 0; from < listings; from += PER_TRANSACTION)
    await edge.tx(async (tx) => {
      for (let index = from; index < Math.min(listings, from + PER_TRANSACTION); index += 1) {
        const templateVersionId = await createTemplate(tx, {
          brandId: brands[index % BRANDS]!,
          name: titleOf(index),
          named: false,
          scope: '全国门店',
          stepFen: fen(100),
          minFaceFen: fen(1000 + (index % 9) * 1000),
          maxFaceFen: fen(10_000 + (index % 7) * 10_000),
          validDays: index % 3 === 0 ? null : 1095 + (index % 4) * 365,
          coolingOffMs: 10_800_000,
          rightMs: 604_800_000,
        })
        const facts = ListingFacts.parse({
          category: listingCategories[index % listingCategories.length],
          title: titleOf(index),
          subtitle: '全国通用',
          channels: index % 2 === 0 ? ['wechat', 'h5'] : ['wechat'],
          stock: 20 + (index % 500),
        })
        const id = await createListing(tx, templateVersionId, facts)
        await changeListing(tx, { ...facts, id, version: 1, templateVersionId, state: 'on' })
      }
    })
  await plantRound()
  return { seconds: Math.round((performance.now() - began) / 100) / 10 }
}

/** Sales of a round as it would stand there; nothing else of them is read. */
async function plantRound(): Promise<void> {
  await edge.tx(async (tx) => {
    const ids = await sql<{ id: string }>(tx.em, 'select id from listing')
    const sales = JSON.stringify(Object.fromEntries(ids.map(({ id }) => [id, randomInt(500)])))
    await sql(tx.em, 'insert into shelf_round (number, sales, at_ms) values (1, ?, ?)', [sales, tx.clock.now()])
  })
}

import type { Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { cardNumbers } from '../card/rules.ts'
import { readBrands } from '../catalog/read-template.ts'
import { reserveNumbers } from './reserve-numbers.ts'

/** One unused card number of a brand, in a short transaction of its own. Not used, it leaves a gap, never a repeat. */
export async function nextNumber(edge: Edge, brandId: Id<'brand'>): Promise<string> {
  return edge.tx(async (tx) => {
    const [brand] = await readBrands(tx, [brandId])
    if (brand === undefined) throw new Error(`no brand ${brandId}`)
    const { issuerPrefix, keyEpoch } = brand
    const numbers = cardNumbers({ issuerPrefix, keyEpoch, key: tx.house.numberKey(brandId, keyEpoch) })
    return numbers(await reserveNumbers(tx, brandId, keyEpoch, 1), 1)[0]!
  })
}

import { fen } from '../../contract/fen.ts'
import type { Id } from '../../contract/ids.ts'
import type { Tx } from '../kernel/context.ts'
import { createTemplate } from '../modules/catalog/create-template.ts'

/** A card of a brand: named, 1 to 5,000 yuan, without an end. What a test cares about, it says. */
export const aTemplate = (
  tx: Tx,
  brandId: Id<'brand'>,
  more: Partial<Parameters<typeof createTemplate>[1]> = {},
): Promise<Id<'templateVersion'>> =>
  createTemplate(tx, {
    brandId,
    name: '中秋卡',
    named: true,
    minFaceFen: fen(100),
    maxFaceFen: fen(500_000),
    stepFen: fen(1),
    validDays: null,
    coolingOffMs: 0,
    scope: '全国门店',
    ...more,
  })

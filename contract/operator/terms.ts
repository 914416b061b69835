import { z } from 'zod'
import { idField, instantField } from '../fields.ts'

const bp = z.int().min(0).max(10_000)
const mchid = z.string().regex(/^\d{6,32}$/, { message: '6 to 32 digits' })
/** WeChat Pay gives frozen money back by itself after 30 days. */
const HOLD_MOST_MS = 25 * 86_400_000

/** Who gets what of a card's price. Receivers together stay within `maxRatioBp`: else `ratio_over_cap`. */
export const TermsEntry = z.strictObject({
  /** Whose merchant collects WeChat payments: the brand's own, or ours where a higher ratio was granted. */
  collector: z.enum(['brand', 'platform']).default('brand'),
  platformBp: bp,
  channels: z
    .array(
      z.strictObject({
        code: z.string().regex(/^[a-z0-9-]{1,32}$/, { message: '1 to 32 of a-z, 0-9 and hyphen' }),
        name: z.string().trim().min(1).max(50),
        mchid,
        bp: z.int().min(1).max(10_000),
      }),
    )
    .max(500)
    .default([]),
  /** What WeChat Pay granted the collecting merchant; 3000 (30 %) unless something else was agreed with it. */
  maxRatioBp: bp.default(3000),
  /** How long after its issue an order's money is held before it is shared. */
  holdMs: z.int().min(0).max(HOLD_MOST_MS).default(86_400_000),
  /** The brand agrees that refunds become wallet credit, which it then owes. */
  walletCredit: z.boolean().default(false),
})
export type TermsEntry = z.output<typeof TermsEntry>

/** GET /operator/brands/:id/terms: what is in force, and what was. An order keeps the terms of its instant. */
export const TermsInput = z.object({ id: idField('brand') })
/** POST /operator/brands/:id/terms: in force for orders that are placed from now on. */
export const NewTermsInput = TermsEntry.extend({ id: idField('brand') })
const TermsView = TermsEntry.extend({ number: z.int(), createdAtMs: instantField.nullable() })
export const BrandTermsList = z.object({
  brandName: z.string(),
  /** `number` 0: nothing was agreed yet, and these are the defaults. */
  current: TermsView,
  earlier: z.array(TermsView),
})
export type BrandTermsList = z.input<typeof BrandTermsList>

/** GET /operator/brands: every brand with the terms in force, by name. */
export const Brands = z.object({
  brands: z.array(
    z.object({
      id: idField('brand'),
      name: z.string(),
      /** The merchant that collects its WeChat payments; null: it takes none. */
      mchid: z.string().nullable(),
      terms: TermsView,
    }),
  ),
})
export type Brands = z.input<typeof Brands>
export const TermsSet = z.object({ number: z.int() })

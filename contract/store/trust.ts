import { z } from 'zod'
import { dayField, idField, instantField } from '../fields.ts'
import { filingClasses } from '../operator/filing.ts'

export const TrustInput = z.object({ brandId: idField('brand') })

/**
 * GET /store/trust/:brandId, without a sign-in: why somebody's money is safe with this issuer. Who issues and how it is filed, where
 * its customers' money is kept (never the account), and when the books were last recounted. Shares are whole percents, rounded down.
 */
export const TrustView = z.object({
  brandId: idField('brand'),
  brandName: z.string(),
  /** Null: the operator has not entered any. */
  filing: z
    .object({
      class: z.enum(filingClasses),
      number: z.string().nullable(),
      filedDay: dayField.nullable(),
      custodyBank: z.string().nullable(),
      /** Of what its cards held when the quarter before ended, the law wants so much in custody. */
      requiredPercent: z.int(),
    })
    .nullable(),
  /** By the statement of the last day. Null: no day has ended since the brand began. */
  custody: z
    .object({
      day: dayField,
      /** What the bank confirmed and what is guaranteed, of the same balance. Null: there was no balance then, so nothing is due. */
      coveredPercent: z.int().nullable(),
      /** The day of which the bank confirmed it; null: it has confirmed none. */
      confirmedDay: dayField.nullable(),
      enough: z.boolean(),
    })
    .nullable(),
  /** The recount of all books: every card's balance against every entry, all money against all debts. Null: none has run yet. */
  proof: z.object({ atMs: instantField, ok: z.boolean() }).nullable(),
})
export type TrustView = z.infer<typeof TrustView>

import { z } from 'zod'

/**
 * GET /operator/keys: which key seals now, and which others sealed values that wait to be sealed anew (job `keys.reseal`).
 * A key that is not among `others` any more may leave the key ring; backups that were made under it still need it.
 */
export const KeyUse = z.object({
  current: z.string(),
  others: z.array(
    z.object({ keyId: z.string(), waiting: z.array(z.object({ column: z.string(), rows: z.int().min(1) })) }),
  ),
})

import { z } from 'zod'
import { idField, instantField } from '../fields.ts'
import { limits } from '../limits.ts'

/** `in_review`: somebody of the platform looks at it, and until then only who uploaded it sees it. */
export const coverStates = ['in_review', 'passed', 'refused'] as const

/** What a cover is made into, whatever was uploaded: the shape of a bank card, at three times the width of a phone's card. */
export const coverSize = { width: 1200, height: 756 } as const

/**
 * POST /store/covers: the bytes of a PNG, JPEG or WebP up to `limits.coverBytes`, with an Idempotency-Key. It is cut to the shape of
 * a card, and what else stood in the file (place, camera, time) is gone. Refused: `payload_too_large`, and `picture_refused` with
 * what is wrong: no such picture, moving, too small, too many pixels, forbidden.
 */
export const CoverIdInput = z.object({ id: idField('cover') })
export const CoverView = z.object({
  id: idField('cover'),
  state: z.enum(coverStates),
  /** The picture's address, which opens without a sign-in for an hour or two. Null: refused or erased. */
  url: z.string().nullable(),
  createdAtMs: instantField,
})
export type CoverView = z.infer<typeof CoverView>
/** GET /store/covers/:id: one's own. Another's is `not_found`. */

/**
 * GET /store/covers/:id/picture, without a sign-in: a JPEG, for whoever was given its address (`CoverView.url`, the `pictureUrl` of
 * a card or a gift). `not_found` when the address is too old, and for all but its owner and the platform unless it has passed.
 */
export const CoverPictureInput = CoverIdInput.extend({
  until: z.coerce.number().int(),
  sign: z.string().regex(/^[0-9a-f]{64}$/),
})

/** What a phone's file dialog offers, and what the server takes. */
export const coverTypes = ['image/jpeg', 'image/png', 'image/webp'] as const
export const coverBytes = limits.coverBytes

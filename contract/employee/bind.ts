import { z } from 'zod'
import { idField } from '../fields.ts'

/**
 * POST /employee/cards/bind, with an Idempotency-Key: takes a card without a name into the pack by number and secret, as they
 * were typed (contract/card-input.ts reads them; both may stand in `number`). There is one refusal, `bind_refused`, for a
 * wrong number, a wrong secret, a named card, a frozen one, an empty one, and too many attempts: it tells nothing about a
 * card. The card gets a new secret, so whoever knew the old one knows nothing any more.
 */
export const BindInput = z.object({ number: z.string().min(1).max(200), secret: z.string().max(200).default('') })
export const Bound = z.object({ cardId: idField('card') })
export type Bound = z.infer<typeof Bound>

import { z } from 'zod'
import { cursorField, idField, instantField, limitField } from '../fields.ts'

/** GET /hr/campaigns/:id/thanks: what people wrote back to a campaign, newest first. */
export const ThanksInput = z.object({ id: idField('campaign'), cursor: cursorField, limit: limitField })
export const CampaignThanks = z.object({
  thanks: z.array(
    z.object({
      id: idField('thanks'),
      name: z.string(),
      department: z.string().nullable(),
      text: z.string(),
      atMs: instantField,
    }),
  ),
  nextCursor: z.string().nullable(),
})
export type CampaignThanks = z.infer<typeof CampaignThanks>

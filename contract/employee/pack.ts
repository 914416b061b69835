import { z } from 'zod'
import { fenField, idField, instantField } from '../fields.ts'
import { covers } from '../hr/campaign.ts'

/** GET /employee/session: who is signed in on this phone. */
export const EmployeeSession = z.object({
  name: z.string(),
  companyName: z.string(),
  companyCode: z.string(),
  /** IANA: the zone that times are shown in. */
  timeZone: z.string(),
  sandbox: z.boolean(),
})

export const PackCard = z.object({
  id: idField('card'),
  campaignId: idField('campaign').nullable(),
  brandName: z.string(),
  templateName: z.string(),
  cover: z.enum(covers),
  /** The last four digits of the card number. */
  numberTail: z.string(),
  faceFen: fenField,
  balanceFen: fenField,
  view: z.enum(['active', 'locked', 'expired', 'frozen', 'exhausted', 'refunded', 'void']),
  lockedUntilMs: instantField,
  expiresAtMs: instantField.nullable(),
  issuedAtMs: instantField,
  scope: z.string(),
  /** Whether its cover was turned before: the card was taken. */
  opened: z.boolean(),
})
export type PackCard = z.infer<typeof PackCard>
/** GET /employee/pack */
export const Pack = z.object({ cards: z.array(PackCard) })
export type Pack = z.infer<typeof Pack>

/** GET /employee/cards/:id: one card with the giver's words and its history. */
export const CardIdInput = z.object({ id: idField('card') })
export const CardDetail = PackCard.extend({
  number: z.string(),
  companyName: z.string(),
  /** Merge fields filled in. */
  greeting: z.string().nullable(),
  title: z.string().nullable(),
  activities: z.array(z.object({ kind: z.string(), amountFen: z.int(), balanceFen: fenField, atMs: instantField })),
})
export type CardDetail = z.infer<typeof CardDetail>

/**
 * POST /employee/campaigns/:id/opened: the person followed the message to the card. POST …/claimed: they took it, by turning
 * its cover. A second time changes nothing.
 */
export const OpenedInput = z.object({ id: idField('campaign') })
export const Opened = z.object({ cardId: idField('card').nullable() })

import { z } from 'zod'
import { cursorField, idField, instantField, limitField } from '../fields.ts'

/** GET /operator/merchants/:id/terminals: the tills of a merchant that speak to us by themselves, revoked ones last. */
export const TerminalsInput = z.object({ id: idField('merchant') })
export const TerminalView = z.object({
  id: idField('terminal'),
  shopId: idField('shop'),
  name: z.string(),
  state: z.enum(['active', 'revoked']),
  createdAtMs: instantField,
  /** Until then the key before the last opens too, for the till has not used the new one yet; null: it has. */
  oldKeyUntilMs: instantField.nullable(),
})
export type TerminalView = z.infer<typeof TerminalView>
export const Terminals = z.object({ terminals: z.array(TerminalView) })
export type Terminals = z.infer<typeof Terminals>

/** POST /operator/shops/:id/terminals */
export const NewTerminalInput = z.object({ id: idField('shop'), name: z.string().trim().min(1).max(60) })
/** A key is shown once, to whoever asked for it; null when the same request comes again later. */
export const TerminalKey = z.object({ id: idField('terminal'), secret: z.string().nullable() })
export type TerminalKey = z.infer<typeof TerminalKey>
/** POST /operator/terminals/:id/rotate, /operator/terminals/:id/revoke */
export const TerminalInput = z.object({ id: idField('terminal') })

/** GET /operator/merchants/:id/webhooks */
export const WebhooksInput = z.object({ id: idField('merchant') })
export const WebhookEndpointView = z.object({
  id: idField('webhookEndpoint'),
  url: z.string(),
  state: z.enum(['active', 'paused']),
  createdAtMs: instantField,
})
export type WebhookEndpointView = z.infer<typeof WebhookEndpointView>
export const Webhooks = z.object({ endpoints: z.array(WebhookEndpointView) })
export type Webhooks = z.infer<typeof Webhooks>
/** POST /operator/merchants/:id/webhooks */
export const NewWebhookInput = z.object({ id: idField('merchant'), url: z.string().trim().min(8).max(500) })
export const WebhookKey = z.object({ id: idField('webhookEndpoint'), secret: z.string().nullable() })
export type WebhookKey = z.infer<typeof WebhookKey>
/** POST /operator/webhooks/:id/pause, /operator/webhooks/:id/resume */
export const WebhookInput = z.object({ id: idField('webhookEndpoint') })

export const webhookStates = ['waiting', 'delivered', 'failed'] as const
/** GET /operator/merchants/:id/webhook-deliveries: newest first. */
export const WebhookDeliveriesInput = z.object({
  id: idField('merchant'),
  state: z.enum(webhookStates).optional(),
  cursor: cursorField,
  limit: limitField,
})
export const WebhookDeliveryView = z.object({
  id: idField('webhookDelivery'),
  endpointId: idField('webhookEndpoint'),
  event: z.string(),
  subjectId: z.string(),
  state: z.enum(webhookStates),
  attempts: z.int(),
  /** Of the last answer; null where there was none. */
  lastStatus: z.int().nullable(),
  /** Why there was none; null where there was one, or nothing was sent yet. */
  lastFault: z.string().nullable(),
  /** What is sent, byte for byte. */
  body: z.string(),
  createdAtMs: instantField,
  /** When it is sent next; null: not by itself. */
  nextAtMs: instantField.nullable(),
  deliveredAtMs: instantField.nullable(),
})
export type WebhookDeliveryView = z.infer<typeof WebhookDeliveryView>
export const WebhookDeliveries = z.object({
  deliveries: z.array(WebhookDeliveryView),
  /** Given up, counted up to a thousand: of the first page; null with a cursor. */
  failed: z.int().nullable(),
  nextCursor: z.string().nullable(),
})
export type WebhookDeliveries = z.infer<typeof WebhookDeliveries>
/** POST /operator/webhook-deliveries/:id/resend */
export const WebhookDeliveryInput = z.object({ id: idField('webhookDelivery') })
/** POST /operator/merchants/:id/webhook-deliveries/resend: all that failed, up to a thousand at once. */
export const ResendFailedInput = z.object({ id: idField('merchant') })
export const Resent = z.object({ resent: z.int() })
export type Resent = z.infer<typeof Resent>

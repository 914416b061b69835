import { z } from 'zod'
import { idField, instantField } from '../fields.ts'

/** GET /operator/wecom: ourselves as a provider of WeCom, and how the companies' connections stand. */
export const ProviderView = z.object({
  nowMs: instantField,
  suites: z.array(
    z.object({
      suiteId: z.string(),
      kind: z.enum(['third_party', 'customised']),
      name: z.string(),
      /** When the newest ticket was made; null before the first. */
      ticketAtMs: instantField.nullable(),
      installs: z.int(),
      commandUrl: z.string(),
      dataUrl: z.string(),
    }),
  ),
  connections: z.array(
    z.object({
      kind: z.enum(['self_built', 'customised', 'third_party']),
      state: z.enum(['active', 'broken', 'cancelled']),
      count: z.int(),
    }),
  ),
  broken: z.array(
    z.object({
      companyId: idField('company'),
      name: z.string(),
      kind: z.enum(['self_built', 'customised', 'third_party']),
      code: z.string().nullable(),
      changedAtMs: instantField,
    }),
  ),
  /** Of the last 30 days: older ones are forgotten. */
  events: z.array(
    z.object({
      kind: z.string(),
      changeType: z.string().nullable(),
      state: z.enum(['received', 'done', 'unknown', 'failed']),
      count: z.int(),
      newestAtMs: instantField,
    }),
  ),
  failed: z.array(
    z.object({
      id: idField('wecomEvent'),
      kind: z.string(),
      changeType: z.string().nullable(),
      companyName: z.string().nullable(),
      receivedAtMs: instantField,
      lastError: z.string().nullable(),
    }),
  ),
})
export type ProviderView = z.infer<typeof ProviderView>

/** POST /operator/wecom/events/:id/revive: an event whose job was given up is worked again. */
export const ReviveEventInput = z.object({ id: idField('wecomEvent') })

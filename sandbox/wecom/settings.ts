import { z } from 'zod'

const many = z.coerce.number().int().min(0).max(10_000_000)

/** What can be set on the sandbox: limits that tests lower, and switches where the protocol sheet leaves a point open (11.5). */
export const settingsForm = z.strictObject({
  /** Whether an older token lives on beside the newer one until its own end (42001 by default). */
  overlapTokens: z.boolean(),
  /** Whether callers must be in the app's list of trusted addresses (60020). */
  trustedIps: z.boolean(),
  /** Whether cipher userids come back lower-cased in invaliduser, as plain ones do. */
  lowerCipherIds: z.boolean(),
  /** What a suppressed duplicate of message/send answers: what the first did, or nothing but errcode 0. */
  duplicateAnswer: z.enum(['same', 'bare']),
  wrongSecrets: many,
  callsPerMinute: many,
  callsPerHour: many,
  parallelCalls: many,
  corpTicketsPerHour: many,
  appTicketsPerHour: many,
  imagesPerDay: many,
  /** Members in one answer of user/list; more is 45029. */
  mostDetails: many,
})
export type Settings = z.output<typeof settingsForm>

/** As the documents say. `parallelCalls` and `wrongSecrets` are not published. */
export function defaultSettings(): Settings {
  return {
    overlapTokens: false,
    trustedIps: false,
    lowerCipherIds: true,
    duplicateAnswer: 'same',
    wrongSecrets: 10,
    callsPerMinute: 10_000,
    callsPerHour: 150_000,
    parallelCalls: 200,
    corpTicketsPerHour: 400,
    appTicketsPerHour: 100,
    imagesPerDay: 1_000,
    mostDetails: 10_000,
  }
}

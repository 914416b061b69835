import { defineEntity, p } from '@mikro-orm/core'
import { codeColumn, idColumn, instantColumn } from './columns.ts'

/** One row for each write that must happen once. It lives as long as the object that it made. */
export const OnceKey = defineEntity({
  name: 'OnceKey',
  tableName: 'once_key',
  properties: {
    scope: codeColumn(100).primary(),
    /** Holds the longest Idempotency-Key (128): `insert ignore` would cut a longer one without a word. */
    onceKey: codeColumn(150).primary(),
    /** Written by whoever came first: reading back one's own token means "you are first". */
    token: codeColumn(32),
    inputHash: codeColumn(64),
    input: p.text(),
    /** Ids and codes only, no personal data. Null only inside the transaction that does the work. */
    answer: p.text().nullable(),
    atMs: instantColumn(),
  },
})

/**
 * `fast`: what must be answered within seconds (a welcome message); nothing long ever runs there. `webhook`: what waits for
 * servers of merchants.
 */
export const lanes = ['fast', 'small', 'bulk', 'webhook'] as const
export type Lane = (typeof lanes)[number]

/** Work to do after this commit: written with its cause, so it cannot be lost. Arguments are ids only. */
export const Job = defineEntity({
  name: 'Job',
  tableName: 'job',
  properties: {
    id: idColumn<'job'>().primary(),
    kind: codeColumn(),
    jobKey: codeColumn(120).unique(),
    lane: codeColumn<Lane>(8),
    args: p.text(),
    state: codeColumn<'ready' | 'leased' | 'done' | 'dead'>(8),
    attempts: p.integer(),
    readyAtMs: instantColumn(),
    leaseToken: codeColumn(32).nullable(),
    leaseUntilMs: instantColumn().nullable(),
    lastError: p.text().nullable(),
    createdAtMs: instantColumn(),
    doneAtMs: instantColumn().nullable(),
  },
  indexes: [
    { name: 'job_ready_index', properties: ['state', 'lane', 'readyAtMs'] },
    { name: 'job_lease_index', properties: ['leaseToken'] },
  ],
})

/** Who changed which state, when and from what. Append-only; ids and codes only. */
export const Trail = defineEntity({
  name: 'Trail',
  tableName: 'trail',
  properties: {
    id: idColumn<'trail'>().primary(),
    objectId: p.string().length(17),
    act: codeColumn(),
    fromState: codeColumn(32).nullable(),
    toState: codeColumn(32).nullable(),
    actor: codeColumn(40),
    note: p.string().length(200).nullable(),
    atMs: instantColumn(),
  },
  indexes: [{ name: 'trail_object_index', properties: ['objectId', 'id'] }],
})

/** A process takes a worker number before it makes ids, and renews it while it lives. */
export const Worker = defineEntity({
  name: 'Worker',
  tableName: 'worker',
  properties: {
    number: p.integer().primary().autoincrement(false),
    token: codeColumn(32),
    leaseUntilMs: instantColumn(),
  },
})

/** A counter that hands out blocks, in a short transaction of its own; gaps are allowed. */
export const Counter = defineEntity({
  name: 'Counter',
  tableName: 'counter',
  properties: { name: codeColumn(80).primary(), next: p.bigint('number') },
})

/** Which keys this database is sealed with: their names and a proof of each, so that a start with other keys is refused. */
export const KeyUse = defineEntity({
  name: 'KeyUse',
  tableName: 'key_use',
  properties: {
    keyId: codeColumn(40).primary(),
    proof: codeColumn(64),
    firstUsedAtMs: instantColumn(),
  },
})

/** A value from outside that all processes share (an access token, a ticket): one of them fetches, the others wait. */
export const SharedValue = defineEntity({
  name: 'SharedValue',
  tableName: 'shared_value',
  properties: {
    name: codeColumn(160).primary(),
    valueSealed: p.blob().nullable(),
    refreshAtMs: instantColumn(),
    expiresAtMs: instantColumn(),
    leaseToken: codeColumn(32).nullable(),
    leaseUntilMs: instantColumn().nullable(),
    /** The code with which the other side refused the credential: until then nobody asks again. */
    brokenCode: codeColumn(20).nullable(),
    brokenUntilMs: instantColumn().nullable(),
  },
})

/** Calls counted in windows that all processes share. */
export const SharedCount = defineEntity({
  name: 'SharedCount',
  tableName: 'shared_count',
  properties: {
    name: codeColumn(160).primary(),
    windowAtMs: p.bigint('number').primary().autoincrement(false),
    count: p.integer(),
  },
})

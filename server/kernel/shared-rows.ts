import type { Tx } from './context.ts'
import type { Seal } from './seal.ts'
import { SealBroken } from './seal.ts'
import { grantOf, type Ask, type SharedRow, type SharedRows, type Slot } from './shared-state.ts'
import { change, insertIgnore, sql } from './sql.ts'

type Em = Tx['em']

/** What rows in the database need: short transactions of their own, reads beside them, and the seal. */
export interface SharedRowsScope {
  readonly write: <T>(work: (em: Em) => Promise<T>) => Promise<T>
  readonly read: <T>(work: (em: Em) => Promise<T>) => Promise<T>
  readonly seal: Seal
}

interface ValueRow {
  readonly value_sealed: Uint8Array | null
  readonly refresh_at_ms: unknown
  readonly expires_at_ms: unknown
  readonly lease_token: string | null
  readonly broken_code: string | null
  readonly broken_until_ms: unknown
}
const FORGOTTEN_AT_ONCE = 500

/** Shared state in `shared_value` and `shared_count`. Values are sealed; each step is one short transaction. */
export function databaseRows({ write, read, seal }: SharedRowsScope): SharedRows {
  const rowOf = async (em: Em, name: string): Promise<SharedRow | null> => {
    const [row] = await sql<ValueRow>(
      em,
      'select value_sealed, refresh_at_ms, expires_at_ms, lease_token, broken_code, broken_until_ms from shared_value where name = ?',
      [name],
    )
    return row === undefined ? null : opened(seal, name, row)
  }
  return {
    read: (name) => read((em) => rowOf(em, name)),
    lease: (name, token, nowMs, untilMs) =>
      write(async (em) => {
        const take = () =>
          change(
            em,
            'update shared_value set lease_token = ?, lease_until_ms = ? where name = ? and (lease_until_ms is null or lease_until_ms < ?)',
            [token, untilMs, name, nowMs],
          )
        if ((await take()) === 0) {
          await made(em, name)
          await take()
        }
        return (await rowOf(em, name))!
      }),
    async keep(name, token, { value, refreshAtMs, expiresAtMs }) {
      const sealed = seal.seal(placeOf(name), value)
      await write((em) =>
        change(
          em,
          `update shared_value set value_sealed = ?, refresh_at_ms = ?, expires_at_ms = ?, lease_token = null,
             lease_until_ms = null, broken_code = null, broken_until_ms = null where name = ? and lease_token = ?`,
          [sealed, refreshAtMs, expiresAtMs, name, token],
        ),
      )
    },
    release: async (name, token) => {
      const text =
        'update shared_value set lease_token = null, lease_until_ms = null where name = ? and lease_token = ?'
      await write((em) => change(em, text, [name, token]))
    },
    stop: (name, code, untilMs) =>
      write(async (em) => {
        await made(em, name)
        const text = 'update shared_value set broken_code = ?, broken_until_ms = ? where name = ?'
        await change(em, text, [code, untilMs, name])
      }),
    reserve: (asks) => write((em) => reserve(em, asks)),
    slots: (name, sinceMs) => read((em) => slotsOf(em, name, sinceMs)),
    forget: (beforeMs) => write((em) => forget(em, beforeMs)),
  }
}

const placeOf = (name: string) => ({ table: 'shared_value', column: 'value_sealed', rowId: name })

function opened(seal: Seal, name: string, row: ValueRow): SharedRow {
  return {
    value: row.value_sealed === null ? null : open(seal, name, row.value_sealed),
    refreshAtMs: Number(row.refresh_at_ms),
    expiresAtMs: Number(row.expires_at_ms),
    leaseToken: row.lease_token,
    brokenCode: row.broken_code,
    brokenUntilMs: Number(row.broken_until_ms ?? 0),
  }
}

/** A value whose key is gone can be fetched again: it counts as none. */
function open(seal: Seal, name: string, sealed: Uint8Array): string | null {
  try {
    return seal.open(placeOf(name), sealed)
  } catch (error) {
    if (error instanceof SealBroken) return null
    throw error
  }
}

const made = (em: Em, name: string): Promise<void> =>
  insertIgnore(em, 'shared_value', [{ name, refresh_at_ms: 0, expires_at_ms: 0 }])

/** The row of window 0 is a limit's lock: whoever turned it over reads and writes the counts alone. */
async function lock(em: Em, name: string): Promise<void> {
  const turn = () => change(em, 'update shared_count set count = 1 - count where name = ? and window_at_ms = 0', [name])
  if ((await turn()) > 0) return
  await insertIgnore(em, 'shared_count', [{ name, window_at_ms: 0, count: 0 }])
  await turn()
}

async function reserve(em: Em, asks: readonly Ask[]) {
  for (const name of asks.map((ask) => ask.name).toSorted()) await lock(em, name)
  const grants = []
  for (const ask of asks) grants.push(grantOf(ask, await slotsOf(em, ask.name, ask.sinceMs)))
  if (grants.some((one) => one.granted === 0)) return grants
  for (const [i, ask] of asks.entries()) {
    const key = [ask.name, ask.slotAtMs]
    const count = grants[i]!.granted
    const text = 'update shared_count set count = count + ? where name = ? and window_at_ms = ?'
    if ((await change(em, text, [count, ...key])) > 0) continue
    await insertIgnore(em, 'shared_count', [{ name: ask.name, window_at_ms: ask.slotAtMs, count }])
    const old = 'delete from shared_count where name = ? and window_at_ms > 0 and window_at_ms < ?'
    await change(em, old, [ask.name, ask.sinceMs])
  }
  return grants
}

async function slotsOf(em: Em, name: string, sinceMs: number): Promise<Slot[]> {
  const rows = await sql<{ window_at_ms: unknown; count: unknown }>(
    em,
    'select window_at_ms, count from shared_count where name = ? and window_at_ms > 0 and window_at_ms >= ?',
    [name, sinceMs],
  )
  return rows.map((row) => [Number(row.window_at_ms), Number(row.count)] as const)
}

async function forget(em: Em, beforeMs: number): Promise<void> {
  const rows = await sql<{ name: string }>(
    em,
    `select name from shared_value where expires_at_ms < ? and coalesce(broken_until_ms, 0) < ?
       and coalesce(lease_until_ms, 0) < ? limit ${FORGOTTEN_AT_ONCE}`,
    [beforeMs, beforeMs, beforeMs],
  )
  if (rows.length === 0) return
  const slots = rows.map(() => '?').join(',')
  await change(em, `delete from shared_value where name in (${slots}) and expires_at_ms < ?`, [
    ...rows.map((row) => row.name),
    beforeMs,
  ])
}

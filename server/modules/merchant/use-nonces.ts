import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { insertIgnore, sql } from '../../kernel/sql.ts'

export interface UsedNonce {
  readonly terminalId: Id<'terminal'>
  readonly nonce: string
  /** Made by the caller, so that a transaction that is done again finds itself first. */
  readonly token: string
  readonly endsAtMs: number
}

/**
 * Uses nonces up, any number by two statements. Tells for each, in order, whether it came for the first time: of any
 * number of callers at once exactly one is told so.
 */
export async function useNonces(tx: Tx, nonces: readonly UsedNonce[]): Promise<boolean[]> {
  // In the order of the key, as every other transaction takes them: two never wait for each other.
  const rows = nonces
    .map(({ terminalId, nonce, token, endsAtMs }) => ({ terminal_id: terminalId, nonce, token, ends_at_ms: endsAtMs }))
    .sort((a, b) => (keyOf(a.terminal_id, a.nonce) < keyOf(b.terminal_id, b.nonce) ? -1 : 1))
  await insertIgnore(tx.em, 'terminal_nonce', rows)
  const terminals = [...new Set(rows.map((row) => row.terminal_id))]
  const slots = (values: readonly unknown[]): string => values.map(() => '?').join(',')
  const held = await sql<{ terminalId: string; nonce: string; token: string }>(
    tx.em,
    `select terminal_id as terminalId, nonce, token from terminal_nonce
      where terminal_id in (${slots(terminals)}) and nonce in (${slots(rows)})`,
    [...terminals, ...rows.map((row) => row.nonce)],
  )
  const tokenOf = new Map(held.map((one) => [keyOf(one.terminalId, one.nonce), one.token]))
  return nonces.map((one) => tokenOf.get(keyOf(one.terminalId, one.nonce)) === one.token)
}

const keyOf = (terminalId: string, nonce: string): string => `${terminalId} ${nonce}`

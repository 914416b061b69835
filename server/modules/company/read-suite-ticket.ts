import type { Tx } from '../../kernel/context.ts'
import { WecomSuite } from './tables.ts'

/** The newest suite_ticket that WeCom pushed, opened, and when it was made; null before the first. Throws SealBroken. */
export async function readSuiteTicket(
  tx: Tx,
  suiteId: string,
): Promise<{ readonly ticket: string; readonly atMs: number } | null> {
  const row = await tx.em.findOne(WecomSuite, { suiteId }, { disableIdentityMap: true })
  if (!row?.ticketSealed || row.ticketAtMs == null) return null
  return { ticket: tx.house.seal.open(ticketPlace(suiteId), row.ticketSealed), atMs: row.ticketAtMs }
}

/** Where a sealed ticket stands. */
export const ticketPlace = (suiteId: string) => ({ table: 'wecom_suite', column: 'ticket_sealed', rowId: suiteId })

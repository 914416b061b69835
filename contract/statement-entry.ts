import type { Fen } from './fen.ts'

/**
 * One amount that a bank says moved, in or out; `row` is the file's own row number. `payerName` and `payerAccount` are
 * the other side's: who paid, or who was paid. Readers give it, funding books it.
 */
export interface StatementEntry {
  readonly row: number
  readonly serial: string
  readonly direction: 'in' | 'out'
  readonly amountFen: Fen
  readonly arrivedAtMs: number
  readonly payerName: string
  readonly payerAccount: string
  readonly memo: string
}

import type { Fen } from './fen.ts'

/** One amount that a bank says arrived; `row` is the file's own row number. Readers give it, funding books it. */
export interface StatementEntry {
  readonly row: number
  readonly serial: string
  readonly amountFen: Fen
  readonly arrivedAtMs: number
  readonly payerName: string
  readonly payerAccount: string
  readonly memo: string
}

/** A document as the service keeps it; a red-letter one has a negative amount and names what it reverses. */
export interface Document {
  readonly number: string
  readonly body: string
  readonly invoiceNumber: string
  readonly issuedOn: string
  readonly atMs: number
  readonly title: string
  readonly taxNumber: string | null
  readonly amountFen: number
  readonly lines: readonly { readonly remark: string; readonly amountFen: number }[]
  readonly reverses: string | null
  /** Queries until it is issued. */
  waits: number
  reversedBy: string | null
}

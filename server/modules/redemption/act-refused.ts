import type { ErrorCode } from '../../../contract/error-codes.ts'
import type { Fen } from '../../../contract/fen.ts'

interface Why {
  /** Of the act, as the till sent it. */
  readonly field?: string
  /** What could be had instead. */
  readonly availableFen?: Fen
}

/** One act of many may not be: the others go on. */
export class ActRefused extends Error {
  readonly code: ErrorCode
  readonly why: Why
  constructor(code: ErrorCode, why: Why) {
    super(code)
    this.name = 'ActRefused'
    this.code = code
    this.why = why
  }
}

export function refuseAct(code: ErrorCode, why: Why = {}): never {
  throw new ActRefused(code, why)
}

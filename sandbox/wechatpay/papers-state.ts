export const billKinds = ['trade', 'fund_flow', 'sharing'] as const
export type BillKind = (typeof billKinds)[number]
export const billChanges = ['missing', 'extra', 'amount', 'late', 'empty'] as const
/** How a bill differs from the truth, where the dials say so. */
export interface BillChange {
  readonly kind: BillKind
  readonly mchid: string
  /** YYYY-MM-DD in China. */
  readonly day: string
  readonly change: (typeof billChanges)[number]
  /** The row that is missing or changed holds this text; the first row where it is left out. */
  readonly holding: string | null
  /** Late: by so many hours after 10:00. */
  readonly hours: number
}

interface File {
  readonly mchid: string
  readonly plain: Buffer
  readonly expireAtMs: number
  readonly gzip: boolean
}

/** Bills as they were made, and addresses under which they can be fetched. */
export interface Bills {
  readonly made: Map<string, Buffer | null>
  readonly files: Map<string, File>
  changes: BillChange[]
  form: { bom: boolean; crlf: boolean }
}

export const makeBills = (): Bills => ({
  made: new Map(),
  files: new Map(),
  changes: [],
  form: { bom: false, crlf: false },
})

/** A transfer that reached a merchant's account from a bank (protocol sheet 2.7). */
export interface Income {
  readonly recordId: string
  readonly mchid: string
  readonly type: 'OFFLINERECHARGE' | 'ENTERPRISEDIRECTREVENUE'
  readonly atMs: number
  readonly amount: number
  readonly bankName: string
  readonly accountName: string
  readonly accountNumber: string
  readonly remark: string
}

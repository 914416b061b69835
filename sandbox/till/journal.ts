/** One write of a till: kept before it is sent, with the key under which it is repeated. */
export interface Entry {
  readonly kind: 'authorise' | 'capture' | 'void' | 'refund'
  readonly key: string
  readonly path: string
  readonly body: object
  /** When it took or gave back, as the platform tells it; null: it did neither, or nobody knows yet. */
  movedAtMs: number | null
  /** `open`: nobody here knows what became of it. */
  state: 'open' | 'done' | 'refused'
  /** What it took (or gave back); known once it is done. */
  amountFen: number
  /** Why it was refused. */
  code: string | null
}

/** What the platform says of a purchase. */
export interface Purchase {
  readonly id: string
  readonly state: string
  readonly billFen: number
  readonly authorisedFen: number
  readonly capturedFen: number
  readonly refundedFen: number
  /** When value last moved, either way. */
  readonly movedAtMs: number | null
  readonly cashFen: number
}

/** A sale at the till, under the till's own number. */
export interface Sale {
  readonly ref: string
  readonly billFen: number
  purchase: Purchase | null
  readonly entries: Entry[]
}

/** Value that moved, as journal and file both tell it. */
export interface Movement {
  readonly authorisation: string
  readonly kind: 'capture' | 'refund'
  readonly amountFen: number
}

/** A line that stands on one side alone. */
export interface Difference extends Movement {
  readonly on: 'journal' | 'file'
}

/** What the till took and gave back on a day of China: the day of the platform's clock, whenever the till asked. */
export function movementsOf(sales: readonly Sale[], day: string): Movement[] {
  return sales.flatMap(({ purchase, entries }) =>
    entries
      .filter(({ movedAtMs }) => movedAtMs !== null && chinaDay(movedAtMs) === day)
      .map(({ kind, amountFen }) => ({
        authorisation: purchase?.id ?? '',
        kind: kind === 'refund' ? ('refund' as const) : ('capture' as const),
        amountFen,
      })),
  )
}

/** The lines of a day's file that are a terminal's own. Throws where the file is cut short or does not sum. */
export function readDayFile(text: string, terminalId: string): Movement[] {
  const rows = text.trimEnd().split('\r\n').map(cellsOf)
  const [header, ...lines] = rows
  const total = lines.pop()
  if (header?.[0] !== 'movement' || total?.[0] !== 'total') throw new Error('the file is not whole')
  const amounts = lines.map((cells) => Number(cells[6]))
  const sum = (of: readonly number[]) => of.reduce((all, one) => all + one, 0)
  const sums = [
    lines.length,
    sum(amounts.filter((one) => one > 0)),
    -sum(amounts.filter((one) => one < 0)),
    sum(amounts),
  ]
  if (sums.some((value, index) => (value || 0) !== Number(total[index + 3]))) throw new Error('the file does not sum')
  return lines
    .filter((cells) => cells[5] === terminalId)
    .map((cells) => ({
      authorisation: cells[3] ?? '',
      kind: cells[2] === 'capture' ? 'capture' : 'refund',
      amountFen: Math.abs(Number(cells[6])),
    }))
}

/** Each line that stands on one side only; as often as it lacks on the other. */
export function differencesOf(journal: readonly Movement[], file: readonly Movement[]): Difference[] {
  const left = new Map<string, number>()
  const keyOf = (one: Movement) => `${one.authorisation} ${one.kind} ${one.amountFen}`
  for (const one of file) left.set(keyOf(one), (left.get(keyOf(one)) ?? 0) + 1)
  const missing: Difference[] = []
  for (const one of journal) {
    const count = left.get(keyOf(one)) ?? 0
    if (count === 0) missing.push({ ...one, on: 'journal' })
    else left.set(keyOf(one), count - 1)
  }
  for (const one of file) {
    const count = left.get(keyOf(one)) ?? 0
    if (count === 0) continue
    missing.push({ ...one, on: 'file' })
    left.set(keyOf(one), count - 1)
  }
  return missing
}

/** A day of China, YYYY-MM-DD. */
export const chinaDay = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 10)

/** The cells of a row of CSV (RFC 4180) without line breaks in them. */
function cellsOf(row: string): string[] {
  return [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  )
}

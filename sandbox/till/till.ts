import { randomBytes } from 'node:crypto'
import {
  differencesOf,
  movementsOf,
  readDayFile,
  type Difference,
  type Entry,
  type Movement,
  type Purchase,
  type Sale,
} from './journal.ts'
import { call, LineCut, type Answered, type Call, type Cut, type Line } from './line.ts'

export interface TillOptions extends Line {
  readonly now: () => number
  /** Asked before each call: where the network goes away this time, null where it holds. */
  readonly nextCut?: () => Cut | null
}

/** What became of a write: told by the platform, or unknown until the till has asked again. */
export type Outcome =
  | { readonly told: 'done'; readonly purchase: Purchase }
  | { readonly told: 'refused'; readonly code: string; readonly title: string }
  /** `code`: what the platform said instead, where it said anything: that it is busy, or that it takes no such signature. */
  | { readonly told: 'unknown'; readonly code?: string }

export interface DayCompared {
  readonly day: string
  readonly movements: readonly Movement[]
  readonly differences: readonly Difference[]
}

/** A merchant's till, as a vendor would write it: it keeps a journal and is never sure of an answer that it did not get. */
export interface Till {
  readonly sales: readonly Sale[]
  sell(wish: {
    readonly codes: readonly string[]
    readonly billFen: number
    readonly capture: boolean
    readonly partial: boolean
  }): Promise<{ readonly sale: Sale; readonly outcome: Outcome }>
  capture(sale: Sale, amountFen: number, final: boolean): Promise<Outcome>
  void(sale: Sale): Promise<Outcome>
  refund(sale: Sale, amountFen: number): Promise<Outcome>
  balance(code: string): Promise<{ readonly availableFen: number } | { readonly code: string } | null>
  /** Asks again for whatever has no answer yet; says how many still have none. */
  reconcile(): Promise<number>
  /** Compares the journal with the platform's file of a day. Throws LineCut while something is unknown. */
  compareDay(day: string): Promise<DayCompared>
}

const AUTHORISATIONS = '/pos/v1/authorisations'

/** Puts a till to work. It remembers as long as the sandbox runs. */
export function openTill(options: TillOptions): Till {
  const sales: Sale[] = []
  const shift = randomBytes(3).toString('hex')
  const ask = (wish: Call): Promise<Answered> => call(options, options.now, wish, options.nextCut?.() ?? null)

  /** Writes down what is about to be asked, asks, and writes down the answer. */
  const write = async (sale: Sale, kind: Entry['kind'], path: string, body: object): Promise<Outcome> => {
    if (sale.entries.some((entry) => entry.state === 'open')) return { told: 'unknown' }
    const key = `${sale.ref}-${sale.entries.length + 1}`
    const entry: Entry = { kind, key, path, body, movedAtMs: null, state: 'open', amountFen: 0, code: null }
    sale.entries.push(entry)
    return repeat(sale, entry)
  }
  /** Asks with the same key and body as before: it takes effect once, and is answered alike. */
  const repeat = async (sale: Sale, entry: Entry): Promise<Outcome> => {
    const answered = await ask({ method: 'POST', path: entry.path, body: entry.body, key: entry.key }).catch(orCut)
    return answered === null ? { told: 'unknown' } : settle(sale, entry, answered)
  }
  const onPurchase = (sale: Sale, kind: Entry['kind'], what: string, body: object): Promise<Outcome> =>
    sale.purchase === null
      ? Promise.resolve({ told: 'unknown' })
      : write(sale, kind, `${AUTHORISATIONS}/${sale.purchase.id}/${what}`, body)

  return {
    sales,
    sell: async (wish) => {
      const ref = `${shift}-${String(sales.length + 1).padStart(4, '0')}`
      const sale: Sale = { ref, billFen: wish.billFen, purchase: null, entries: [] }
      sales.push(sale)
      return { sale, outcome: await write(sale, 'authorise', AUTHORISATIONS, { ...wish, ref }) }
    },
    capture: (sale, amountFen, final) => onPurchase(sale, 'capture', 'captures', { amountFen, final }),
    void: (sale) => onPurchase(sale, 'void', 'voids', {}),
    refund: (sale, amountFen) => onPurchase(sale, 'refund', 'refunds', { amountFen }),
    balance: async (code) => {
      const answered = await ask({ method: 'POST', path: '/pos/v1/balances', body: { code } }).catch(orCut)
      if (answered === null) return null
      return jsonOf<{ availableFen: number }>(answered, 'application/json') ?? problemOf(answered)
    },
    reconcile: async () => {
      let left = 0
      for (const sale of sales)
        for (const entry of sale.entries.filter(({ state }) => state === 'open')) {
          const found = entry.kind === 'authorise' ? await findByRef(ask, sale, entry) : false
          if (!found) await repeat(sale, entry)
          if (entry.state === 'open') left += 1
        }
      return left
    },
    compareDay: async (day) => {
      if (sales.some(({ entries }) => entries.some(({ state }) => state === 'open')))
        throw new LineCut('something is unknown: reconcile first')
      const { status, type, text } = await ask({ method: 'GET', path: `/pos/v1/days/${day}/file` })
      if (status !== 200 || type !== 'text/csv') throw new LineCut(`the file was answered with ${status}`)
      const movements = movementsOf(sales, day)
      return { day, movements, differences: differencesOf(movements, readDayFile(text, options.terminalId)) }
    },
  }
}

function orCut(error: unknown): null {
  if (error instanceof LineCut) return null
  throw error
}

/** Statuses that speak of the way in, of the line or of the moment, and say nothing of the purchase. */
const noAnswer: readonly number[] = [401, 403, 408, 429]

/**
 * An answer is a purchase, or a refusal in the platform's own words that comes from the act itself. Anything else says
 * nothing of the purchase, whoever said it: the same is asked again later.
 */
function settle(sale: Sale, entry: Entry, answered: Answered): Outcome {
  const purchase = answered.status === 200 ? jsonOf<Purchase>(answered, 'application/json') : null
  if (purchase !== null) {
    finish(sale, entry, purchase)
    return { told: 'done', purchase }
  }
  const problem = problemOf(answered)
  const { status } = answered
  if (problem === null || status < 400 || status >= 500 || noAnswer.includes(status))
    return { told: 'unknown', ...(problem === null ? {} : { code: problem.code }) }
  entry.state = 'refused'
  entry.code = problem.code
  return { told: 'refused', code: problem.code, title: `${problem.title}${problem.detail ?? ''}` }
}

interface Problem {
  readonly code: string
  readonly title: string
  readonly detail?: string
}
const problemOf = (answered: Answered): Problem | null => jsonOf<Problem>(answered, 'application/problem+json')

/** What an answer of this type holds; null for a machine in between, which answers in words of its own. */
function jsonOf<T>({ type, text }: Answered, wanted: string): T | null {
  if (type !== wanted) return null
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}

function finish(sale: Sale, entry: Entry, purchase: Purchase): void {
  const asked = entry.body as { amountFen?: number; capture?: boolean }
  entry.state = 'done'
  entry.amountFen =
    entry.kind === 'authorise' ? (asked.capture === true ? purchase.authorisedFen : 0) : (asked.amountFen ?? 0)
  entry.movedAtMs = entry.amountFen > 0 ? purchase.movedAtMs : null
  sale.purchase = purchase
}

/** Asks what became of a sale by the till's own number: of an authorisation that arrived the answer is there. */
async function findByRef(ask: (wish: Call) => Promise<Answered>, sale: Sale, entry: Entry): Promise<boolean> {
  const answered = await ask({ method: 'GET', path: `${AUTHORISATIONS}?ref=${encodeURIComponent(sale.ref)}` }).catch(
    orCut,
  )
  const told = answered?.status === 200 ? jsonOf<{ authorisations: Purchase[] }>(answered, 'application/json') : null
  const found = told?.authorisations[0]
  // Of what was given back since, the instant says when that was: the answer to the act itself tells more.
  if (found === undefined || found.refundedFen > 0) return false
  finish(sale, entry, found)
  return true
}

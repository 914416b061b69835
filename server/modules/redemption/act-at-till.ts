import type { Fen } from '../../../contract/fen.ts'
import type { RedemptionView } from '../../../contract/till.ts'
import type { Tx } from '../../kernel/context.ts'
import { differingField, keepOnce, readOnce, type Remembered } from '../../kernel/once.ts'
import { TILL_KEYS } from '../merchant/verify-terminal.ts'
import { ActRefused } from './act-refused.ts'
import { decideAct } from './decide-act.ts'
import { openTillBooks, type About } from './open-till-books.ts'
import { openPayCode } from './pay-code.ts'
import { freeOn, whyNot } from './rules.ts'
import type { TillAct, TillOutcome } from './till-acts.ts'
import type { RedemptionNow, TillBooks } from './till-books.ts'
import { writeTillBooks } from './write-till-books.ts'

/**
 * The only command that spends a card: does any number of acts of tills in one transaction, and answers in their order.
 * What they are about is locked (shifts, purchases, cards, each in the order of their ids), what was answered before
 * under a key is answered again, the rest is decided in memory one after the other and written by one statement a table.
 * An act that may not be is refused alone; the refusal is kept under its key like any answer.
 */
export async function actAtTill(tx: Tx, acts: readonly TillAct[]): Promise<TillOutcome[]> {
  const asked = acts.map((one) => ({ one, key: `${one.till.tillId}:${one.key}`, input: keptOf(tx, one.act) }))
  const signed = acts.map(({ act }) => signedOf(tx, act))
  const books = await openTillBooks(tx, aboutOf(acts, signed))
  const remembered = await readOnce(tx, TILL_KEYS, asked)
  const kept: { key: string; input: object; answer: TillOutcome }[] = []
  const answers = new Map<string, { input: object; outcome: TillOutcome }>()
  const outcomes: TillOutcome[] = []
  for (const [index, { one, key, input }] of asked.entries()) {
    const before = remembered[index] ?? within(answers.get(key), input)
    if (before !== undefined) {
      outcomes.push(recall(before))
      continue
    }
    const outcome = decide(books, one, signed[index]!)
    answers.set(key, { input, outcome })
    kept.push({ key, input, answer: outcome })
    outcomes.push(outcome)
  }
  await writeTillBooks(tx, books)
  await keepOnce(tx, TILL_KEYS, kept)
  return outcomes
}

/** What is kept of an act under its key: of payment codes the fingerprints, for one that was refused may be open still. */
function keptOf(tx: Tx, act: TillAct['act']): object {
  const marked = (codes: readonly string[]) => codes.map((code) => tx.house.seal.blindIndex('pay-code.shown', code))
  if (act.kind === 'scan') return { ...act, codes: marked(act.codes) }
  if (act.kind === 'authorise' && 'codes' in act.on) return { ...act, on: { codes: marked(act.on.codes) } }
  return act
}

function aboutOf(acts: readonly TillAct[], signed: readonly (readonly (string | null)[])[]): About {
  return {
    shiftIds: acts.flatMap(({ till }) => till.shiftId ?? []),
    redemptionIds: acts.flatMap(({ act }) => {
      if (act.kind === 'scan') return []
      if (act.kind !== 'authorise') return [act.redemptionId]
      return 'redemptionId' in act.on ? [act.on.redemptionId] : []
    }),
    undoIds: acts.flatMap(({ act }) => (act.kind === 'undo' ? [act.redemptionId] : [])),
    shown: acts.flatMap(({ till }, index) =>
      signed[index]!.flatMap((code) => (code === null ? [] : [{ code, brandId: till.brandId }])),
    ),
    brandIds: acts.map(({ till }) => till.brandId),
  }
}

function signedOf(tx: Tx, act: TillAct['act']): (string | null)[] {
  const codes = act.kind === 'scan' ? act.codes : act.kind === 'authorise' && 'codes' in act.on ? act.on.codes : []
  return codes.map((code) => openPayCode(tx, code)?.signed ?? null)
}

/** The same key twice in one transaction. */
function within(known: { input: object; outcome: TillOutcome } | undefined, input: object): Remembered | undefined {
  if (known === undefined) return undefined
  const field = differingField(known.input, input)
  return field === null ? { answer: known.outcome } : { differsIn: field }
}

function decide(books: TillBooks, act: TillAct, signed: readonly (string | null)[]): TillOutcome {
  try {
    return { ok: true, view: viewOf(books, decideAct(books, act, signed)) }
  } catch (error) {
    if (error instanceof ActRefused) return { ok: false, code: error.code, ...error.why }
    throw error
  }
}

const recall = (remembered: Remembered): TillOutcome =>
  'differsIn' in remembered
    ? { ok: false, code: 'idempotency_conflict', field: remembered.differsIn }
    : (remembered.answer as TillOutcome)

/** A purchase as it stands in the books at this moment. */
export function viewOf(books: TillBooks, redemption: RedemptionNow): RedemptionView {
  const { id, state, ref, billFen, authorisedFen, capturedFen, refundedFen, movedAtMs, createdAtMs, endsAtMs } =
    redemption
  const limit = books.limitOf(redemption.till.brandId)
  const paying = redemption.scanned.filter((card) => whyNot(card, redemption.till.brandId, books.nowMs) === null)
  const shown =
    state === 'opened'
      ? redemption.scanned.map((card) => ({ card, heldFen: 0, capturedFen: 0, refundedFen: 0 }))
      : redemption.holds.map((hold) => ({
          ...hold,
          heldFen: hold.state === 'held' ? hold.amountFen - hold.capturedFen : 0,
        }))
  return {
    id,
    state,
    ref,
    billFen: billFen as Fen,
    authorisedFen: authorisedFen as Fen,
    capturedFen: capturedFen as Fen,
    refundedFen: refundedFen as Fen,
    cashFen: (state === 'opened' ? 0 : billFen - authorisedFen) as Fen,
    availableFen: (state === 'opened' ? paying.reduce((sum, card) => sum + freeOn(card, limit), 0) : 0) as Fen,
    cards: shown.map((one) => ({
      numberTail: one.card.before.number.slice(-4),
      heldFen: one.heldFen as Fen,
      capturedFen: one.capturedFen as Fen,
      refundedFen: one.refundedFen as Fen,
      balanceFen: one.card.balanceFen as Fen,
    })),
    movedAtMs,
    createdAtMs,
    endsAtMs,
  }
}

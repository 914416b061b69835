import { randomUUID } from 'node:crypto'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import type { Edge } from '../../kernel/context.ts'
import { AppError } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { extendCard } from '../../modules/card/extend-card.ts'
import { freezeLost } from '../../modules/card/report-lost.ts'
import { revealSecret } from '../../modules/card/reveal-secret.ts'
import { claimGift } from '../../modules/gift/claim-gift.ts'
import { offerGift } from '../../modules/gift/offer-gift.ts'
import { openToken } from '../../modules/gift/seal-gift.ts'
import { actAtTill } from '../../modules/redemption/act-at-till.ts'
import { makePayCode } from '../../modules/redemption/pay-code.ts'
import type { Till, TillAct } from '../../modules/redemption/till-acts.ts'

/** A card that two want something of at once, and what was done with it before. */
export interface Contested {
  readonly cardId: Id<'card'>
  readonly companyId: Id<'company'>
  readonly holderId: Id<'person'>
  readonly till: Till
  /** Of which part is set aside, and of which part was taken. */
  held: Id<'redemption'> | null
  paid: Id<'redemption'> | null
  giftToken: string | null
}

/** Made ready for an act, before either begins. */
type Need = 'held' | 'paid' | 'offered'

export interface CardAct {
  readonly needs: readonly Need[]
  /** Which boundary it stands at; its rival stands a millisecond before. */
  readonly at?: 'unlock' | 'expiry'
  /** Does it in a transaction of its own; false where it is refused. */
  readonly run: (edge: Edge, card: Contested) => Promise<boolean>
}

/** Two of this size do not fit on one card. */
const LARGE = fen(6_000)
const SMALL = fen(1_000)
const friend = { holderId: encodeId('person', 999_999n) }

const holderOf = ({ companyId, holderId }: Contested) => ({ companyId, holderId })

const atTill = async (edge: Edge, card: Contested, act: (edge: Edge) => TillAct['act']): Promise<boolean> => {
  // One key for all tries: what was stopped before its commit is asked for again as it was.
  const asked = { till: card.till, key: randomUUID(), act: act(edge) }
  const [outcome] = await edge.tx((tx) => actAtTill(tx, [asked]))
  return outcome!.ok
}

const pay = (edge: Edge, { cardId }: Contested, billFen: typeof LARGE, capture: boolean): TillAct['act'] => {
  const { code } = makePayCode(edge, { kind: 'card', cardId })
  return { kind: 'authorise', on: { codes: [code] }, billFen, capture, partial: false, ref: null }
}

/** True unless it is refused; what is no refusal is a fault. */
async function unlessRefused(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (error instanceof AppError && error.code !== 'internal') return false
    throw error
  }
}

/** Everything that is done to a card by somebody who does not ask the others. */
export const cardActs = {
  reveal: {
    needs: [],
    run: (edge, card) => unlessRefused(() => edge.tx((tx) => revealSecret(tx, holderOf(card), card.cardId))),
  },
  hold: { needs: [], run: (edge, card) => atTill(edge, card, (own) => pay(own, card, LARGE, false)) },
  capture: {
    needs: ['held'],
    run: (edge, card) =>
      atTill(edge, card, () => ({ kind: 'capture', redemptionId: card.held!, amountFen: fen(500), final: true })),
  },
  void: {
    needs: ['held'],
    run: (edge, card) => atTill(edge, card, () => ({ kind: 'void', redemptionId: card.held! })),
  },
  refund: {
    needs: ['paid'],
    run: (edge, card) => atTill(edge, card, () => ({ kind: 'refund', redemptionId: card.paid!, amountFen: SMALL })),
  },
  gift: {
    needs: [],
    run: (edge, card) =>
      unlessRefused(() =>
        edge.tx((tx) => offerGift(tx, holderOf(card), { cardId: card.cardId, cover: 'plain', greeting: '送你' })),
      ),
  },
  claim: {
    needs: ['offered'],
    run: (edge, card) =>
      unlessRefused(() => edge.tx((tx) => claimGift(tx, { companyId: card.companyId, ...friend }, card.giftToken!))),
  },
  freeze: {
    needs: [],
    run: (edge, card) => unlessRefused(() => edge.tx((tx) => freezeLost(tx, holderOf(card), card.cardId))),
  },
  /** The card ends, and its holder makes it valid again. */
  expire: {
    needs: [],
    at: 'expiry',
    run: (edge, card) =>
      unlessRefused(() => edge.tx((tx) => extendCard(tx, holderOf(card), card.cardId, async () => 365))),
  },
  /** The lock ends, and its holder pays. */
  unlock: { needs: [], at: 'unlock', run: (edge, card) => atTill(edge, card, (own) => pay(own, card, SMALL, true)) },
} as const satisfies Record<string, CardAct>
export type CardActName = keyof typeof cardActs

/** Makes a card ready: what was paid, then what is set aside, then the gift that holds all the rest. */
export async function makeReady(edge: Edge, card: Contested, needs: ReadonlySet<Need>): Promise<void> {
  const spend = async (capture: boolean): Promise<Id<'redemption'>> => {
    const [outcome] = await edge.tx((tx) =>
      actAtTill(tx, [{ till: card.till, key: randomUUID(), act: pay(edge, card, SMALL, capture) }]),
    )
    if (!outcome!.ok) throw new Error(outcome!.code)
    return outcome!.view.id
  }
  if (needs.has('paid')) card.paid = await spend(true)
  if (needs.has('held')) card.held = await spend(false)
  if (!needs.has('offered')) return
  card.giftToken = await edge.tx(async (tx) => {
    const id = await offerGift(tx, holderOf(card), { cardId: card.cardId, cover: 'plain', greeting: '送你' })
    const [gift] = await sql<{ token: Uint8Array }>(tx.em, 'select token_sealed as token from gift where id = ?', [id])
    return openToken(tx, id, gift!.token)
  })
}

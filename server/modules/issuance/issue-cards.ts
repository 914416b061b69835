import { sumFen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { limits } from '../../../contract/limits.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { trail } from '../../kernel/trail.ts'
import type { Lane } from '../../kernel/tables.ts'
import { insertCards, type NewCard } from '../card/insert-cards.ts'
import { readVersions } from '../catalog/read-template.ts'
import { account } from '../ledger/accounts.ts'
import { credit, debit, post } from '../ledger/post.ts'
import { spendFunds, takeSlice } from '../order/take-slices.ts'

const DAY_MS = 86_400_000
/** 16 characters of 32: 80 bits. Nobody finds a secret by trying. */
const SECRET_CHARACTERS = 16
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

export interface Issuing {
  /** The next unused card number of a brand, from a block that was reserved before this transaction. */
  readonly nextNumber: (brandId: Id<'brand'>) => string
}

/**
 * The only function that makes a card. Takes each slice, makes a card an item with a number and a sealed secret, posts
 * one entry and one trail row a slice. A slice that was issued before, or whose order is not funded, gives nothing; so
 * running it again after any stop goes on from the last committed slice. Returns how many cards it made.
 */
export async function issueCards(tx: Tx, issuing: Issuing, sliceIds: readonly Id<'orderSlice'>[]): Promise<number> {
  let made = 0
  for (const sliceId of sliceIds) made += await issueSlice(tx, issuing, sliceId)
  return made
}

async function issueSlice(tx: Tx, issuing: Issuing, sliceId: Id<'orderSlice'>): Promise<number> {
  const taken = await takeSlice(tx, sliceId)
  if (!taken) return 0
  const { orderId, items, companyId } = taken
  const versions = await readVersions(tx, [...new Set(items.map((item) => item.templateVersionId))])
  const byId = new Map(versions.map((version) => [version.id, version]))
  const now = tx.clock.now()
  const secrets = makeSecrets(tx, items.length)
  const cards = items.map((item, index): NewCard => {
    const version = byId.get(item.templateVersionId)
    if (!version) throw new Error(`order item ${item.id}: no template version ${item.templateVersionId}`)
    return {
      orderItemId: item.id,
      companyId,
      brandId: version.brandId,
      templateVersionId: version.id,
      holderId: item.holderId,
      number: issuing.nextNumber(version.brandId),
      secret: secrets[index]!,
      faceFen: item.faceFen,
      issuedAtMs: now,
      lockedUntilMs: version.coolingOffMs === 0 ? 0 : now + version.coolingOffMs,
      expiresAtMs: version.validDays == null ? null : now + version.validDays * DAY_MS,
    }
  })
  await insertCards(tx, cards, sliceId)
  const price = sumFen(items.map((item) => item.priceFen))
  await postIssue(tx, orderId, sliceId, price, cards)
  await trail(tx, {
    objectId: sliceId,
    act: 'cards.issued',
    fromState: 'planned',
    toState: 'issued',
    note: `${cards.length}`,
  })
  if (companyId !== null)
    await enqueue(tx, [
      { kind: 'cards.deliver', key: `cards.deliver:${sliceId}`, args: { sliceId }, lane: laneOf(taken) },
    ])
  await spendFunds(tx, orderId, price)
  return cards.length
}

/** A festival's thousands travel in the bulk lane; a birthday's few are never stuck behind them. */
const laneOf = (slice: { fromSeq: number; toSeq: number }): Lane =>
  slice.fromSeq > 0 || slice.toSeq >= limits.cardsPerSlice ? 'bulk' : 'small'

/** The issue row of the ledger's event table: price and discount become what the brands are owed and owe in goods. */
async function postIssue(
  tx: Tx,
  orderId: Id<'order'>,
  sliceId: string,
  price: ReturnType<typeof sumFen>,
  cards: readonly NewCard[],
): Promise<void> {
  const brands = [...new Set(cards.map((card) => card.brandId))]
  const faces = brands.map((brand) =>
    sumFen(cards.filter((card) => card.brandId === brand).map((card) => card.faceFen)),
  )
  const discount = sumFen(faces) - price
  if (discount < 0) throw new Error(`slice ${sliceId}: a card costs more than its face`)
  await post(tx, [
    {
      kind: 'issued',
      ref: sliceId,
      lines: [
        debit(account.orderFunds(orderId), price),
        ...(discount === 0 ? [] : [debit(account.discountBy('platform'), sumFen([discount]))]),
        ...brands.flatMap((brand, index) => [
          credit(account.brandPayable(brand), faces[index]!),
          debit(account.cards(brand), faces[index]!, 'VALUE'),
          credit(account.outstanding(brand), faces[index]!, 'VALUE'),
        ]),
      ],
    },
  ])
}

/** One call for all the randomness of a slice; 256 is a multiple of 32, so every character is equally likely. */
function makeSecrets(tx: Tx, count: number): string[] {
  const bytes = tx.random(count * SECRET_CHARACTERS)
  return Array.from({ length: count }, (_, index) => {
    let secret = ''
    for (let i = 0; i < SECRET_CHARACTERS; i += 1) secret += ALPHABET[bytes[index * SECRET_CHARACTERS + i]! & 31]!
    return secret
  })
}

import type { CardDetail, PackCard } from '../../../contract/employee/pack.ts'
import { mergeGreeting } from '../../../contract/greeting.ts'
import { covers } from '../../../contract/hr/campaign.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import { cardStateAt } from '../../../contract/states.ts'
import type { Actor, Tx } from '../../kernel/context.ts'
import { refuse } from '../../kernel/errors.ts'
import { sql } from '../../kernel/sql.ts'
import { readHeldCard, readHeldCards, type Holder } from '../card/read-card.ts'
import { openGreeting } from '../campaign/seal-words.ts'
import { coverLink } from '../cover/cover-link.ts'
import { readBrands, readVersions } from '../catalog/read-template.ts'
import { readHistory, readPassedOn } from './read-history.ts'
import { readCompany } from '../company/read-company.ts'
import { openPeople } from '../staff/read-people.ts'

const CHINA = 'Asia/Shanghai'

type HeldCard = Awaited<ReturnType<typeof readHeldCards>>[number]

/** What stands behind a card: the campaign that gave it to its holder, and what became of its message. */
interface Gift {
  readonly orderItemId: string
  readonly campaignId: Id<'campaign'>
  readonly title: string
  /** Sealed. */
  readonly greeting: Uint8Array
  readonly cover: string
  readonly deliveryState: string | null
}

/** The person or buyer who is signed in on a phone. Refuses with `forbidden` for anybody else. */
export function holderOf(actor: Actor): Holder {
  if (actor.kind === 'buyer') return { companyId: null, holderId: actor.buyerId }
  if (actor.kind !== 'employee') return refuse('forbidden')
  return { companyId: actor.companyId, holderId: actor.personId }
}

/** Every card of the person who asks, newest first, as it stands at this instant. */
export async function readPack(tx: Tx): Promise<PackCard[]> {
  const cards = await readHeldCards(tx, holderOf(tx.actor))
  return presentCards(tx, cards, await readGifts(tx, cards))
}

/** One card of the person who asks, with the giver's words filled in and its history. Anybody else's is `not_found`. */
export async function readCard(tx: Tx, cardId: Id<'card'>): Promise<CardDetail> {
  const holder = holderOf(tx.actor)
  const card = (await readHeldCard(tx, holder, cardId)) ?? refuse('not_found')
  const gifts = await readGifts(tx, [card])
  const [shown] = await presentCards(tx, [card], gifts)
  const [person] = isId('person', holder.holderId) ? await openPeople(tx, [holder.holderId]) : []
  const company = holder.companyId === null ? null : await readCompany(tx, holder.companyId)
  const gift = gifts.get(card.orderItemId)
  const passed = await readPassedOn(tx, card)
  const names = { name: person?.name ?? '', department: person?.department ?? '', company: company?.name ?? '' }
  const words = gift === undefined ? null : mergeGreeting(openGreeting(tx, gift.campaignId, gift.greeting), names)
  return {
    ...(shown ?? refuse('not_found')),
    ...(passed === null ? {} : { cover: passed.cover, pictureUrl: passed.pictureUrl }),
    // Nothing of a sealed card leaves the house before its lock ends.
    number: shown?.view === 'locked' ? `•••• ${card.number.slice(-4)}` : card.number,
    companyName: names.company,
    giverName: passed?.giverName ?? null,
    greeting: passed === null ? words : passed.greeting,
    title: gift?.title ?? null,
    activities: await readHistory(tx, card.id),
  }
}

/** The card that a campaign gave to the person who asks; null when it gave none (yet). */
export async function findCardOfCampaign(tx: Tx, campaignId: Id<'campaign'>): Promise<Id<'card'> | null> {
  const cards = await readHeldCards(tx, holderOf(tx.actor))
  const gifts = await readGifts(tx, cards)
  return cards.find((card) => gifts.get(card.orderItemId)?.campaignId === campaignId)?.id ?? null
}

async function readGifts(tx: Tx, cards: readonly HeldCard[]): Promise<Map<string, Gift>> {
  if (cards.length === 0) return new Map()
  const rows = await sql<Gift>(
    tx.em,
    `select order_item.id as orderItemId, campaign.id as campaignId, campaign.title as title,
        campaign.greeting_sealed as greeting, campaign.cover as cover, delivery.state as deliveryState
      from card join order_item on order_item.id = card.order_item_id and order_item.holder_id = card.holder_id
      join campaign on campaign.order_id = order_item.order_id
      left join delivery on delivery.campaign_id = campaign.id and delivery.person_id = order_item.holder_id
      where card.order_item_id in (${cards.map(() => '?').join(',')})`,
    cards.map((card) => card.orderItemId),
  )
  return new Map(rows.map((row) => [row.orderItemId, row]))
}

/** What somebody wished for when they bought a card for themselves. */
interface Bought {
  readonly orderItemId: string
  readonly orderId: Id<'order'>
  readonly cover: string
  readonly pictureId: Id<'cover'> | null
}

async function readBought(tx: Tx, cards: readonly HeldCard[]): Promise<Map<string, Bought>> {
  const own = cards.filter(({ holderId }) => isId('buyer', holderId))
  if (own.length === 0) return new Map()
  const rows = await sql<Bought>(
    tx.em,
    `select order_item.id as orderItemId, store_order.order_id as orderId, store_order.cover as cover,
        store_order.picture_id as pictureId
      from card join order_item on order_item.id = card.order_item_id and order_item.holder_id = card.holder_id
        join store_order on store_order.order_id = order_item.order_id
      where card.order_item_id in (${own.map(() => '?').join(',')})`,
    own.map((card) => card.orderItemId),
  )
  return new Map(rows.map((row) => [row.orderItemId, row]))
}

async function presentCards(tx: Tx, cards: readonly HeldCard[], gifts: ReadonlyMap<string, Gift>): Promise<PackCard[]> {
  const versions = await readVersions(tx, [...new Set(cards.map((card) => card.templateVersionId))])
  const brands = await readBrands(tx, [...new Set(cards.map((card) => card.brandId))])
  const versionOf = new Map(versions.map((version) => [version.id, version]))
  const brandOf = new Map(brands.map((brand) => [brand.id, brand.name]))
  const own = await readBought(tx, cards)
  const now = tx.clock.now()
  return cards.map((card) => {
    const gift = gifts.get(card.orderItemId)
    const bought = own.get(card.orderItemId)
    const version = versionOf.get(card.templateVersionId)
    const expiresAtMs = card.expiresAtMs ?? null
    return {
      id: card.id,
      campaignId: gift?.campaignId ?? null,
      brandId: card.brandId,
      brandName: brandOf.get(card.brandId) ?? '',
      templateName: version?.name ?? '',
      cover: covers.find((cover) => cover === (gift?.cover ?? bought?.cover ?? version?.cover)) ?? 'plain',
      pictureUrl: bought?.pictureId == null ? null : coverLink(tx, bought.pictureId, 'owner'),
      storeOrderId: bought?.orderId ?? null,
      numberTail: card.number.slice(-4),
      faceFen: card.faceFen,
      balanceFen: card.balanceFen,
      heldFen: card.heldFen,
      view: cardStateAt({ ...card, expiresAtMs }, now),
      lockedUntilMs: card.lockedUntilMs,
      expiresAtMs,
      issuedAtMs: card.issuedAtMs,
      scope: version?.scope ?? '',
      opened: bought !== undefined || gift?.deliveryState === 'claimed',
    }
  })
}

/** Where the pages of somebody's pack begin. */
export const packPathOf = (holder: Holder): string => (holder.companyId === null ? '/mine' : '/pack')

/** In which zone a holder's times are told: their company's, or China's. */
export async function readZone(tx: Tx, { companyId }: Holder): Promise<string> {
  if (companyId === null) return CHINA
  return ((await readCompany(tx, companyId)) ?? refuse('not_found')).timeZone
}

import { z } from 'zod'
import {
  GiftClaimed,
  GiftDoor,
  GiftIdInput,
  GiftLinkInput,
  GiftOpened,
  GivenGift,
  GivenGifts,
  OfferGiftInput,
} from '../../../contract/employee/gift.ts'
import { CampaignThanks, ThanksInput } from '../../../contract/hr/thanks.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { checkGreeting } from '../cover/check-greeting.ts'
import { claimGift } from '../gift/claim-gift.ts'
import { withdrawGift } from '../gift/end-gift.ts'
import { offerGift } from '../gift/offer-gift.ts'
import { openGift } from '../gift/open-gift.ts'
import { readGiftDoor, readGivenGift, readGivenGifts } from '../gift/read-gifts.ts'
import { readCampaignThanks } from '../gift/read-thanks.ts'
import { holderOf } from './read-pack.ts'

async function offer(edge: Edge, input: z.output<typeof OfferGiftInput>, http: Http): Promise<GivenGift> {
  // Colleagues know each other; what a buyer writes may be read by anybody who gets the link.
  if (edge.actor.kind === 'buyer') await checkGreeting(edge, input.greeting)
  return edge.tx((tx) => offerIn(tx, input, http))
}

async function offerIn(tx: Tx, input: z.output<typeof OfferGiftInput>, http: Http): Promise<GivenGift> {
  const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
  const holder = holderOf(tx.actor)
  const { id: cardId, cover, pictureId, greeting } = input
  // What a key was used with is kept: of words, a fingerprint.
  const asked = { cardId, cover, pictureId, greeting: tx.house.seal.blindIndex('gift.greeting', greeting) }
  const offered = () => offerGift(tx, holder, { cardId, cover, pictureId, greeting })
  return readGivenGift(tx, holder, await once(tx, `gift.offer:${holder.holderId}`, key, asked, offered))
}

const givingEndpoints = [
  endpoint({
    ...({ method: 'POST', path: '/employee/cards/:id/gifts', may: 'pack.act', scope: 'edge', body: 'json' } as const),
    idempotent: true,
    input: OfferGiftInput,
    output: GivenGift,
    run: offer,
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/gifts', may: 'pack.read', scope: 'read' } as const),
    input: z.object({}),
    output: GivenGifts,
    run: async (tx) => ({ gifts: await readGivenGifts(tx, holderOf(tx.actor)) }),
  }),
  endpoint({
    ...({ method: 'GET', path: '/employee/gifts/:id', may: 'pack.read', scope: 'read' } as const),
    input: GiftIdInput,
    output: GivenGift,
    run: (tx, { id }) => readGivenGift(tx, holderOf(tx.actor), id),
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/gifts/:id/withdraw', may: 'pack.act', scope: 'tx' } as const),
    input: GiftIdInput,
    output: GivenGift,
    run: async (tx, { id }) => {
      await withdrawGift(tx, holderOf(tx.actor), id)
      return readGivenGift(tx, holderOf(tx.actor), id)
    },
  }),
]

const receivingEndpoints = [
  endpoint({
    ...({ method: 'GET', path: '/employee/gift-links/:token', may: 'public', scope: 'read' } as const),
    input: GiftLinkInput,
    output: GiftDoor,
    run: (tx, { token }) => readGiftDoor(tx, token),
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/gift-links/:token/opened', may: 'public', scope: 'tx' } as const),
    input: GiftLinkInput,
    output: GiftOpened,
    run: async (tx, { token }) => ({ openedAtMs: await openGift(tx, token) }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/gift-links/:token/claim', may: 'pack.act', scope: 'tx' } as const),
    input: GiftLinkInput,
    output: GiftClaimed,
    run: (tx, { token }) => claimGift(tx, holderOf(tx.actor), token),
  }),
]

export const giftEndpoints: readonly Endpoint[] = [
  ...givingEndpoints,
  ...receivingEndpoints,
  endpoint({
    ...({ method: 'GET', path: '/hr/campaigns/:id/thanks', may: 'campaign.read', scope: 'read' } as const),
    input: ThanksInput,
    output: CampaignThanks,
    run: async (tx, { id, ...page }) => readCampaignThanks(tx, (await findOwnCampaign(tx, id)).id, page),
  }),
]

import type { z } from 'zod'
import {
  CardActInput,
  CardChoices,
  CardStanding,
  DeviceLink,
  DeviceLinkOpened,
  OpenDeviceLinkInput,
  RevealedCard,
  Thanked,
  ThanksInput,
} from '../../../contract/employee/card-acts.ts'
import { isId, type Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { extendCard } from '../card/extend-card.ts'
import { readHeldCard, type Holder } from '../card/read-card.ts'
import { freezeLost, reissueCard, unfreezeLost } from '../card/report-lost.ts'
import { revealSecret } from '../card/reveal-secret.ts'
import { readExtendDays } from '../catalog/read-template.ts'
import { openSession } from '../company/open-session.ts'
import { withdrawGiftOf } from '../gift/end-gift.ts'
import { giveThanks } from '../gift/give-thanks.ts'
import { nextNumber } from '../issuance/next-number.ts'
import { makeDeviceLink, openDeviceLink } from './device-link.ts'
import { deviceOf } from './device-of.ts'
import { readChoices, readStanding } from './read-choices.ts'
import { holderOf } from './read-pack.ts'

const keyIn = (http: Http): string => http.idempotencyKey ?? refuse('idempotency_key_missing')

/** An act that takes nothing but the card, is done once for each press, and shows the card as it stands then. */
const act = (path: string, work: (tx: Tx, holder: Holder, id: Id<'card'>) => Promise<void>): Endpoint =>
  endpoint({
    ...({ method: 'POST', path: `/employee/cards/:id/${path}`, may: 'pack.act', scope: 'tx' } as const),
    idempotent: true,
    input: CardActInput,
    output: CardStanding,
    run: async (tx, { id }, http) => {
      const holder = holderOf(tx.actor)
      await once(tx, `card.${path}:${holder.holderId}`, keyIn(http), { id }, () => work(tx, holder, id))
      return readStanding(tx, holder, id)
    },
  })

function thank(tx: Tx, { id, text }: z.output<typeof ThanksInput>, http: Http): Promise<number> {
  const holder = holderOf(tx.actor)
  // What a key was used with is kept: of words, a fingerprint.
  const asked = { id, text: tx.house.seal.blindIndex('thanks.text', text) }
  return once(tx, `card.thanks:${holder.holderId}`, keyIn(http), asked, () => giveThanks(tx, holder, id, text))
}

/** A number is reserved before: should the card keep its own, that leaves a gap in the series. */
async function reissue(edge: Edge, id: Id<'card'>, http: Http) {
  const key = keyIn(http)
  const holder = holderOf(edge.actor)
  const { brandId } = (await edge.read((tx) => readHeldCard(tx, holder, id))) ?? refuse('not_found')
  const number = await nextNumber(edge, brandId)
  return edge.tx(async (tx) => {
    await once(tx, `card.reissue:${holder.holderId}`, key, { id }, () => reissueCard(tx, holder, id, () => number))
    return readStanding(tx, holder, id)
  })
}

async function openOnThisDevice(edge: Edge, token: string, http: Http) {
  const { cardId, companyId, holderId } = await edge.tx((tx) => openDeviceLink(tx, token, deviceOf(edge, http)))
  if (isId('buyer', holderId)) openSession(edge, http, { kind: 'buyer', buyerId: holderId })
  else if (companyId !== null) openSession(edge, http, { kind: 'employee', companyId, personId: holderId })
  return { cardId }
}

const linkEndpoints = [
  endpoint({
    ...({ method: 'POST', path: '/employee/cards/:id/device-links', may: 'pack.act', scope: 'tx' } as const),
    input: CardActInput,
    output: DeviceLink,
    run: (tx, { id }) => makeDeviceLink(tx, holderOf(tx.actor), id),
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/device-links/open', may: 'public', scope: 'edge', body: 'json' } as const),
    input: OpenDeviceLinkInput,
    output: DeviceLinkOpened,
    run: (edge, { token }, http) => openOnThisDevice(edge, token, http),
  }),
]

export const cardActEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/employee/cards/:id/choices', may: 'pack.read', scope: 'read' } as const),
    input: CardActInput,
    output: CardChoices,
    run: (tx, { id }) => readChoices(tx, holderOf(tx.actor), id),
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/cards/:id/secret', may: 'pack.act', scope: 'tx' } as const),
    input: CardActInput,
    output: RevealedCard,
    run: (tx, { id }) => revealSecret(tx, holderOf(tx.actor), id),
  }),
  act('lost', async (tx, holder, id) => {
    // A link that lies about somewhere is as lost as the card.
    await withdrawGiftOf(tx, holder, id)
    await freezeLost(tx, holder, id)
  }),
  act('found', unfreezeLost),
  act('extend', (tx, holder, id) => extendCard(tx, holder, id, (brandId) => readExtendDays(tx, brandId))),
  endpoint({
    ...({ method: 'POST', path: '/employee/cards/:id/reissue', may: 'pack.act', scope: 'edge' } as const),
    idempotent: true,
    input: CardActInput,
    output: CardStanding,
    run: (edge, { id }, http) => reissue(edge, id, http),
  }),
  endpoint({
    ...({ method: 'POST', path: '/employee/cards/:id/thanks', may: 'pack.act', scope: 'tx', body: 'json' } as const),
    idempotent: true,
    input: ThanksInput,
    output: Thanked,
    run: async (tx, input, http) => ({ atMs: await thank(tx, input, http) }),
  }),
  ...linkEndpoints,
]

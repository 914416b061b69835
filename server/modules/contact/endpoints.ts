import {
  ContactMembers,
  ContactWayInput,
  MadeClaimLinkView,
  MadeContactWay,
  MadeMassSend,
  MassSendInput,
  NewClaimLink,
  NewContactWay,
  OutsideInput,
  OutsideView,
} from '../../../contract/hr/contact.ts'
import { z } from 'zod'
import type { Edge } from '../../kernel/context.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { companyOf, findOwn } from '../../kernel/tenant.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import { makeClaimLink } from './make-claim-link.ts'
import { makeContactWay } from './make-contact-way.ts'
import { makeMassSend } from './make-mass-send.ts'
import { readContactMembers } from './read-contact-members.ts'
import { readOutside } from './read-outside.ts'
import { removeContactWay, retryContactWay } from './remove-contact-way.ts'
import { steerMassSend } from './steer-mass-send.ts'
import { ContactWay } from './tables.ts'

const nothing = z.object({})
const write = { may: 'contact.write', body: 'json' } as const

const wayEndpoints = [
  endpoint({
    ...({ method: 'GET', path: '/hr/campaigns/:id/outside', may: 'contact.read', scope: 'read' } as const),
    input: OutsideInput,
    output: OutsideView,
    run: (tx, { id }, http) => readOutside(tx, id, http.lang),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/contact-members', may: 'contact.write', scope: 'edge' } as const),
    input: nothing,
    output: ContactMembers,
    run: (edge) => readContactMembers(edge),
  }),
  endpoint({
    ...({ ...write, method: 'POST', path: '/hr/campaigns/:id/contact-ways', scope: 'tx', idempotent: true } as const),
    input: NewContactWay,
    output: MadeContactWay,
    run: async (tx, { id, ...wish }, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      // Userids are personal: what is compared on a repeat is their number.
      const compared = { id, site: wish.site, adds: wish.adds, members: wish.userIds.length }
      return once(tx, `contact-way.make:${companyOf(tx.actor)}`, key, compared, async () => ({
        id: await makeContactWay(tx, { campaignId: id, ...wish }),
      }))
    },
  }),
  endpoint({
    ...({ ...write, method: 'POST', path: '/hr/contact-ways/:id/retry', scope: 'tx' } as const),
    input: ContactWayInput,
    output: nothing,
    run: async (tx, { id }) => {
      await retryContactWay(tx, id)
      return {}
    },
  }),
  endpoint({
    ...({ ...write, method: 'POST', path: '/hr/contact-ways/:id/remove', scope: 'tx' } as const),
    input: ContactWayInput,
    output: nothing,
    run: async (tx, { id }) => {
      await removeContactWay(tx, id)
      return {}
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/contact-ways/:id/qr', may: 'contact.read', scope: 'edge' } as const),
    input: ContactWayInput,
    output: 'stream',
    run: async (edge, { id }, http) => {
      const image = await readImage(edge, id)
      http.setHeader('Content-Type', image.mime)
      return image.bytes
    },
  }),
]

/** WeCom's own QR code of a contact way: pages may show pictures of this house only. */
async function readImage(edge: Edge, id: z.output<typeof ContactWayInput>['id']) {
  const { app, qrUrl } = await edge.read(async (tx) => {
    const way = await findOwn(tx, ContactWay, id)
    return {
      qrUrl: way.qrUrl ?? refuse('not_found'),
      app: (await readWecomApp(tx, way.companyId)) ?? refuse('wecom_not_connected'),
    }
  })
  return edge.ports.wecom.contactWayImage(app, qrUrl)
}

const reachEndpoints = [
  endpoint({
    ...({ ...write, method: 'POST', path: '/hr/deliveries/:id/claim-link', scope: 'tx' } as const),
    input: NewClaimLink,
    output: MadeClaimLinkView,
    run: async (tx, { id, phone }) => {
      const { token, expiresAtMs } = await makeClaimLink(tx, { deliveryId: id, phone })
      return { url: `${tx.house.publicUrl}/pack/claim-link/${token}`, expiresAtMs }
    },
  }),
  endpoint({
    ...({ ...write, method: 'POST', path: '/hr/campaigns/:id/mass-sends', scope: 'tx', idempotent: true } as const),
    input: OutsideInput,
    output: MadeMassSend,
    run: async (tx, { id }, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      return once(tx, `mass-send.make:${companyOf(tx.actor)}`, key, { id }, async () => ({
        id: await makeMassSend(tx, id),
      }))
    },
  }),
  ...(['remind', 'cancel'] as const).map((how) =>
    endpoint({
      ...({ ...write, method: 'POST', path: `/hr/mass-sends/:id/${how}`, scope: 'edge' } as const),
      input: MassSendInput,
      output: nothing,
      run: async (edge, { id }) => {
        await steerMassSend(edge, id, how)
        return {}
      },
    }),
  ),
  endpoint({
    ...({ ...write, method: 'POST', path: '/hr/campaigns/:id/contacts/refresh', scope: 'tx' } as const),
    input: OutsideInput,
    output: nothing,
    run: async (tx, { id }) => {
      const { companyId } = await findOwnCampaign(tx, id)
      // At most once a minute, whoever presses.
      const key = `contacts.poll:${companyId}:${Math.floor(tx.clock.now() / 60_000)}`
      await enqueue(tx, [{ kind: 'contacts.poll', key, args: { companyId } }])
      return {}
    },
  }),
]

export const contactEndpoints: readonly Endpoint[] = [...wayEndpoints, ...reachEndpoints]

import { deliveryReasonSentence } from '../../../contract/delivery-reasons.ts'
import type { Lang } from '../../../contract/error-codes.ts'
import { CampaignIdInput, DryRun } from '../../../contract/hr/campaign.ts'
import {
  CorrectInput,
  ExportInput,
  Recalled,
  Recipients,
  RecipientsInput,
  ResendInput,
  Resent,
  type RecipientView,
} from '../../../contract/hr/delivery.ts'
import type { Tx } from '../../kernel/context.ts'
import { endpoint, searchHeader, type Endpoint } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { findOwnCampaign } from '../campaign/read-campaign.ts'
import { openPeople, searchPeople } from '../staff/read-people.ts'
import { maskPhone } from '../staff/rules.ts'
import { dryRunCampaign } from '../campaign/dry-run.ts'
import { correctDelivery } from './correct-delivery.ts'
import { directoryDecisions } from './directory-endpoints.ts'
import { planSending } from './plan-sending.ts'
import { readRecipients, type Recipient } from './read-deliveries.ts'
import { recallCampaign } from './recall-campaign.ts'
import { resendDeliveries } from './resend-deliveries.ts'
import { writePeople } from './write-people.ts'

/** Where a page ends, as the place in the order. */
function seqOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  return /^\d{1,9}$/.test(cursor) ? Number(cursor) : refuse('malformed_request', { field: 'cursor' })
}

async function present(tx: Tx, recipients: readonly Recipient[], lang: Lang): Promise<RecipientView[]> {
  const people = await openPeople(
    tx,
    recipients.map(({ personId }) => personId),
  )
  const byId = new Map(people.map((person) => [person.id, person]))
  return recipients.map((recipient) => {
    const person = byId.get(recipient.personId)
    return {
      ...recipient,
      name: person?.name ?? '',
      department: person?.department ?? null,
      phone: maskPhone(person?.phone ?? null),
      wecomUserId: person?.userid ?? null,
      reasonText: recipient.reason === null ? null : deliveryReasonSentence(recipient.reason, lang),
    }
  })
}

export const deliveryEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/hr/campaigns/:id/people',
    may: 'delivery.read',
    scope: 'read',
    headerInputs: searchHeader,
    input: RecipientsInput,
    output: Recipients,
    run: async (tx, input, http) => {
      const campaign = await findOwnCampaign(tx, input.id)
      const query = input.query?.trim() ?? ''
      const found = query === '' ? undefined : await searchPeople(tx, query)
      const recipients = await readRecipients(tx, {
        campaignId: campaign.id,
        state: input.state,
        reason: input.reason,
        personIds: found?.map(({ id }) => id),
        afterSeq: seqOf(input.cursor),
        limit: input.limit + 1,
      })
      const page = recipients.slice(0, input.limit)
      const more = recipients.length > input.limit
      return {
        people: await present(tx, page, http.lang),
        nextCursor: more ? String(page.at(-1)?.seq) : null,
      }
    },
  }),
  endpoint({
    method: 'POST',
    path: '/hr/campaigns/:id/resend',
    may: 'delivery.resend',
    scope: 'tx',
    body: 'json',
    idempotent: true,
    input: ResendInput,
    output: Resent,
    run: async (tx, { id, ...which }, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      return once(tx, `delivery.resend:${companyOf(tx.actor)}`, key, { id, ...which }, async () => ({
        queued: await resendDeliveries(tx, { campaignId: id, ...which }),
      }))
    },
  }),
  endpoint({
    method: 'POST',
    path: '/hr/campaigns/:id/recall',
    may: 'delivery.recall',
    scope: 'tx',
    idempotent: true,
    input: CampaignIdInput,
    output: Recalled,
    run: async (tx, input, http) => {
      const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
      return once(tx, `delivery.recall:${companyOf(tx.actor)}`, key, input, () => recallCampaign(tx, input.id))
    },
  }),
  endpoint({
    method: 'GET',
    path: '/hr/campaigns/:id/people.xlsx',
    may: 'delivery.export',
    scope: 'edge',
    input: ExportInput,
    output: 'stream',
    run: async (edge, { id }, http) => {
      const book = await writePeople(edge, id, http.lang)
      http.setHeader('Content-Type', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')
      http.setHeader('Content-Disposition', 'attachment; filename="people.xlsx"')
      return book
    },
  }),
  endpoint({
    method: 'GET',
    path: '/hr/campaigns/:id/dry-run',
    may: 'campaign.read',
    scope: 'read',
    input: CampaignIdInput,
    output: DryRun,
    run: (tx, { id }, http) => dryRunCampaign(tx, id, http.lang, planSending),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/deliveries/:id/correct',
    may: 'delivery.resend',
    scope: 'tx',
    body: 'json',
    input: CorrectInput,
    output: Resent,
    run: async (tx, { id, ...correction }) => {
      await correctDelivery(tx, { deliveryId: id, ...correction })
      return { queued: 1 }
    },
  }),
  ...directoryDecisions,
]

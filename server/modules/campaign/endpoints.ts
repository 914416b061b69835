import { createHash } from 'node:crypto'
import { z } from 'zod'
import {
  Approved,
  CampaignContent,
  CampaignDetail,
  CampaignIdInput,
  CreatedCampaign,
  DecideInput,
  DryRun,
  EditCampaignInput,
  MovedCampaign,
  RejectInput,
} from '../../../contract/hr/campaign.ts'
import type { Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { companyOf } from '../../kernel/tenant.ts'
import { approveCampaign } from './approve-campaign.ts'
import { cancelCampaign } from './cancel-campaign.ts'
import { copyCampaign, createCampaign } from './create-campaign.ts'
import { dryRunCampaign } from './dry-run.ts'
import { editCampaign } from './edit-campaign.ts'
import { rejectCampaign } from './reject-campaign.ts'
import { submitCampaign } from './submit-campaign.ts'
import { viewCampaign } from './view-campaign.ts'
import type { CampaignRow } from './tables.ts'

const moved = ({ id, state, version }: CampaignRow): z.input<typeof MovedCampaign> => ({ id, state, version })

/** Once for a key, remembering free text by its fingerprint only: people write names into it. */
async function onceFor<T>(tx: Tx, http: Http, scope: string, input: object, work: () => Promise<T>): Promise<T> {
  const key = http.idempotencyKey ?? refuse('idempotency_key_missing')
  const fingerprint = (text: string) => createHash('sha256').update(text).digest('hex')
  const short = key.length > 64 ? fingerprint(key) : key
  const kept = Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, fingerprint(JSON.stringify(value) ?? '')]),
  )
  return once(tx, `${scope}:${companyOf(tx.actor)}`, short, kept, work)
}

/** One campaign: draft, check, decide. Lists and progress belong to analytics. */
export const campaignEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/hr/campaigns',
    may: 'campaign.create',
    scope: 'tx',
    body: 'json',
    idempotent: true,
    input: CampaignContent,
    output: CreatedCampaign,
    run: (tx, input, http) =>
      onceFor(tx, http, 'campaign.create', input, async () => ({ id: await createCampaign(tx, input) })),
  }),
  endpoint({
    method: 'GET',
    path: '/hr/campaigns/:id',
    may: 'campaign.read',
    scope: 'read',
    input: CampaignIdInput,
    output: CampaignDetail,
    run: (tx, { id }, http) => viewCampaign(tx, id, http.lang),
  }),
  endpoint({
    method: 'PUT',
    path: '/hr/campaigns/:id',
    may: 'campaign.create',
    scope: 'tx',
    body: 'json',
    input: EditCampaignInput,
    output: MovedCampaign,
    run: async (tx, { id, version, ...content }) => moved(await editCampaign(tx, { id, version, content })),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/campaigns/:id/copy',
    may: 'campaign.create',
    scope: 'tx',
    idempotent: true,
    input: CampaignIdInput,
    output: CreatedCampaign,
    run: (tx, input, http) =>
      onceFor(tx, http, 'campaign.copy', input, async () => ({ id: await copyCampaign(tx, input.id) })),
  }),
  endpoint({
    method: 'GET',
    path: '/hr/campaigns/:id/dry-run',
    may: 'campaign.read',
    scope: 'read',
    input: CampaignIdInput,
    output: DryRun,
    run: (tx, { id }, http) => dryRunCampaign(tx, id, http.lang),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/campaigns/:id/submit',
    may: 'campaign.submit',
    scope: 'tx',
    body: 'json',
    input: DecideInput,
    output: MovedCampaign,
    run: async (tx, input) => moved(await submitCampaign(tx, input)),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/campaigns/:id/approve',
    may: 'campaign.approve',
    scope: 'edge',
    body: 'json',
    input: DecideInput,
    output: Approved,
    run: async (edge, input) => ({ orderId: await approveCampaign(edge, input) }),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/campaigns/:id/reject',
    may: 'campaign.approve',
    scope: 'tx',
    body: 'json',
    input: RejectInput,
    output: MovedCampaign,
    run: async (tx, input) => moved(await rejectCampaign(tx, input)),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/campaigns/:id/cancel',
    may: 'campaign.cancel',
    scope: 'tx',
    input: CampaignIdInput,
    output: MovedCampaign,
    run: async (tx, { id }) => moved(await cancelCampaign(tx, id)),
  }),
]

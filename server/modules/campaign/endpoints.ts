import { z } from 'zod'
import {
  Approved,
  CampaignContent,
  CampaignDetail,
  CampaignIdInput,
  CreatedCampaign,
  DecideInput,
  EditCampaignInput,
  MovedCampaign,
  RejectInput,
} from '../../../contract/hr/campaign.ts'
import { ToppedUp, TopUpInput } from '../../../contract/hr/directory.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { approveCampaign } from './approve-campaign.ts'
import { cancelCampaign } from './cancel-campaign.ts'
import { copyCampaign, createCampaign } from './create-campaign.ts'
import { editCampaign } from './edit-campaign.ts'
import { onceFor } from './once-for.ts'
import { recurringEndpoints } from './recurring-endpoints.ts'
import { rejectCampaign } from './reject-campaign.ts'
import { submitCampaign } from './submit-campaign.ts'
import { topUpCampaign } from './top-up-campaign.ts'
import { viewCampaign } from './view-campaign.ts'
import type { CampaignRow } from './tables.ts'

const moved = ({ id, state, version }: CampaignRow): z.input<typeof MovedCampaign> => ({ id, state, version })

/** One campaign: draft, submit, decide. Lists and progress belong to analytics, the dry run to delivery, which knows the limits. */
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
    method: 'POST',
    path: '/hr/campaigns/:id/top-up',
    may: 'campaign.create',
    scope: 'tx',
    body: 'json',
    idempotent: true,
    input: TopUpInput,
    output: ToppedUp,
    run: (tx, input, http) => onceFor(tx, http, 'campaign.top-up', input, () => topUpCampaign(tx, input)),
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
  ...recurringEndpoints,
]

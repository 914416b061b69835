import { z } from 'zod'
import { CampaignIdInput, CampaignList, CampaignListInput } from '../../../contract/hr/campaign.ts'
import { Home, Progress, RosterUses } from '../../../contract/hr/delivery.ts'
import { CustodyQuarterInput } from '../../../contract/operator/custody.ts'
import { Companies, Jobs, Proof, Revived, ReviveInput } from '../../../contract/operator/platform.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { revive } from '../../kernel/outbox.ts'
import { exportQuarter } from './export-quarter.ts'
import { readCampaigns, readRosterUses } from './read-campaigns.ts'
import { readHome } from './read-home.ts'
import { readCompanies, readJobs, readProof } from './read-platform.ts'
import { followProgress, readProgress } from './read-progress.ts'

const none = z.object({})

const companyPages = [
  endpoint({
    ...({ method: 'GET', path: '/hr/home', may: 'home.read', scope: 'read' } as const),
    input: none,
    output: Home,
    run: readHome,
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/campaigns', may: 'campaign.read', scope: 'read' } as const),
    input: CampaignListInput,
    output: CampaignList,
    run: readCampaigns,
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/campaigns/:id/progress', may: 'delivery.read', scope: 'read' } as const),
    input: CampaignIdInput,
    output: Progress,
    run: (tx, { id }, http) => readProgress(tx, id, http.lang),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/campaigns/:id/progress/events', may: 'delivery.read', scope: 'edge' } as const),
    input: CampaignIdInput,
    output: 'stream',
    run: async (edge, { id }, http) => {
      await edge.read((tx) => readProgress(tx, id, http.lang))
      http.sse((send, gone) => followProgress(edge, id, http.lang, send, gone))
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/roster-uses', may: 'roster.read', scope: 'read' } as const),
    input: none,
    output: RosterUses,
    run: async (tx) => ({ uses: await readRosterUses(tx) }),
  }),
]

const platformPages = [
  endpoint({
    ...({ method: 'GET', path: '/operator/companies', may: 'platform.read', scope: 'read' } as const),
    input: none,
    output: Companies,
    run: readCompanies,
  }),
  endpoint({
    ...({ method: 'GET', path: '/operator/jobs', may: 'platform.read', scope: 'read' } as const),
    input: none,
    output: Jobs,
    run: readJobs,
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/jobs/:id/revive', may: 'jobs.revive', scope: 'tx' } as const),
    input: ReviveInput,
    output: Revived,
    run: async (tx, { id }) => ({ revived: await revive(tx, id) }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/operator/prove', may: 'books.prove', scope: 'read' } as const),
    input: none,
    output: Proof,
    run: readProof,
  }),
  endpoint({
    ...({ method: 'GET', path: '/operator/custody-quarters/:quarter', may: 'custody.read', scope: 'tx' } as const),
    input: CustodyQuarterInput,
    output: 'stream',
    run: async (tx, { quarter }, http) => {
      const bytes = await exportQuarter(tx, quarter)
      http.setHeader('Content-Type', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')
      http.setHeader('Content-Disposition', `attachment; filename="custody-${quarter}.xlsx"`)
      return bytes
    },
  }),
]

export const analyticsEndpoints: readonly Endpoint[] = [...companyPages, ...platformPages]

import { z } from 'zod'
import { Templates } from '../../../contract/hr/campaign.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { readNewestVersions, viewTemplates } from './read-template.ts'

/** For now every company sees every brand. */
export const catalogEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/hr/templates',
    may: 'campaign.read',
    scope: 'read',
    input: z.object({}),
    output: Templates,
    run: async (tx) => ({ templates: await viewTemplates(tx, await readNewestVersions(tx)) }),
  }),
]

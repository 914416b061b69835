import { z } from 'zod'
import { LicencesActivated, LicencesInput, LicencesView } from '../../../contract/hr/wecom.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { activateLicences, countUnlicensed } from './activate-licences.ts'

/** Licences of an installed app: who lacks one is known by the messages that failed. */
export const licenceEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/hr/wecom/licences', may: 'wecom.read', scope: 'read' } as const),
    input: z.object({}),
    output: LicencesView,
    run: async (tx) => ({ unlicensed: await countUnlicensed(tx) }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/wecom/licences', may: 'wecom.manage', scope: 'edge', body: 'json' } as const),
    input: LicencesInput,
    output: LicencesActivated,
    run: (edge, { codes }) => activateLicences(edge, codes),
  }),
]

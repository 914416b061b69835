import { z } from 'zod'
import {
  CreatedRecurring,
  DecideRecurringInput,
  EditRecurringInput,
  MovedRecurring,
  RecurringContent,
  RecurringDetail,
  RecurringIdInput,
  RecurringList,
  RecurringPreview,
} from '../../../contract/hr/recurring.ts'
import type { Ability } from '../../../contract/abilities.ts'
import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { approveRecurring, submitRecurring } from './approve-recurring.ts'
import { createRecurring } from './create-recurring.ts'
import { editRecurring } from './edit-recurring.ts'
import { endRecurring, pauseRecurring, resumeRecurring, returnRecurring } from './move-recurring.ts'
import { onceFor } from './once-for.ts'
import { previewRecurring } from './preview-recurring.ts'
import { listRecurring, viewRecurring } from './read-recurring.ts'
import type { RecurringRow } from './tables.ts'

const moved = ({ id, state, version }: RecurringRow): z.input<typeof MovedRecurring> => ({ id, state, version })

/** A step that a person takes with a run, by its name in the address. */
const step = (name: string, may: Ability, take: (tx: Tx, id: Id<'recurring'>) => Promise<RecurringRow>) =>
  endpoint({
    ...({ method: 'POST', path: `/hr/recurring/:id/${name}`, may, scope: 'tx' } as const),
    input: RecurringIdInput,
    output: MovedRecurring,
    run: async (tx, { id }) => moved(await take(tx, id)),
  })

/** Birthday and anniversary runs: drafted by one person, approved by another, stopped by either. */
export const recurringEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/hr/recurring', may: 'campaign.read', scope: 'read' } as const),
    input: z.object({}),
    output: RecurringList,
    run: async (tx) => ({ runs: await listRecurring(tx) }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/recurring', may: 'campaign.create', scope: 'tx', body: 'json' } as const),
    idempotent: true,
    input: RecurringContent,
    output: CreatedRecurring,
    run: (tx, input, http) =>
      onceFor(tx, http, 'recurring.create', input, async () => ({ id: await createRecurring(tx, input) })),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/recurring/:id', may: 'campaign.read', scope: 'read' } as const),
    input: RecurringIdInput,
    output: RecurringDetail,
    run: (tx, { id }) => viewRecurring(tx, id),
  }),
  endpoint({
    ...({ method: 'PUT', path: '/hr/recurring/:id', may: 'campaign.create', scope: 'tx', body: 'json' } as const),
    input: EditRecurringInput,
    output: MovedRecurring,
    run: async (tx, { id, version, ...content }) => moved(await editRecurring(tx, { id, version, content })),
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/recurring/:id/preview', may: 'campaign.read', scope: 'read' } as const),
    input: RecurringIdInput,
    output: RecurringPreview,
    run: (tx, { id }, http) => previewRecurring(tx, id, http.lang),
  }),
  endpoint({
    ...({
      method: 'POST',
      path: '/hr/recurring/:id/submit',
      may: 'campaign.submit',
      scope: 'tx',
      body: 'json',
    } as const),
    input: DecideRecurringInput,
    output: MovedRecurring,
    run: async (tx, input) => moved(await submitRecurring(tx, input)),
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/recurring/:id/approve', may: 'campaign.approve', scope: 'tx' } as const),
    body: 'json',
    input: DecideRecurringInput,
    output: MovedRecurring,
    run: async (tx, input) => moved(await approveRecurring(tx, input)),
  }),
  step('return', 'campaign.approve', returnRecurring),
  step('pause', 'campaign.cancel', pauseRecurring),
  step('resume', 'campaign.approve', resumeRecurring),
  step('end', 'campaign.cancel', endRecurring),
]

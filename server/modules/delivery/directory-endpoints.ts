import { DecideChangesInput, DecidedChanges, TakeBackInput, TakeBackPreview } from '../../../contract/hr/directory.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { decideChanges, previewTakeBack } from './decide-changes.ts'

/** What follows from the directory's differences for people, messages and cards (contract/hr/directory.ts). */
export const directoryDecisions: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/hr/directory/changes/take-back',
    may: 'directory.read',
    scope: 'read',
    body: 'json',
    input: TakeBackInput,
    output: TakeBackPreview,
    run: (tx, { ids }) => previewTakeBack(tx, ids),
  }),
  endpoint({
    method: 'POST',
    path: '/hr/directory/changes/decide',
    may: 'directory.write',
    scope: 'edge',
    body: 'json',
    input: DecideChangesInput,
    output: DecidedChanges,
    run: async (edge, wish) => ({ results: await decideChanges(edge, wish) }),
  }),
]

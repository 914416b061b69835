import { z } from 'zod'
import {
  ConfirmLeaversInput,
  DirectoryChanges,
  DirectoryChangesInput,
  DirectorySyncBegun,
  DirectoryView,
} from '../../../contract/hr/directory.ts'
import { endpoint, type Endpoint } from '../../kernel/endpoint.ts'
import { askForSync, confirmLeavers } from './confirm-leavers.ts'
import { readDirectory, readDirectoryChanges } from './read-directory.ts'

const none = z.object({})

/** The directory of the company's WeCom (contract/hr/directory.ts). What follows for cards is in the module delivery. */
export const directoryEndpoints: readonly Endpoint[] = [
  endpoint({
    ...({ method: 'GET', path: '/hr/directory', may: 'directory.read', scope: 'read' } as const),
    input: none,
    output: DirectoryView,
    run: (tx) => readDirectory(tx),
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/directory/sync', may: 'directory.write', scope: 'tx' } as const),
    input: none,
    output: DirectorySyncBegun,
    run: async (tx) => ({ begun: await askForSync(tx) }),
  }),
  endpoint({
    ...({ method: 'POST', path: '/hr/directory/leavers', may: 'directory.write', scope: 'tx', body: 'json' } as const),
    input: ConfirmLeaversInput,
    output: DirectoryView,
    run: async (tx, { syncId }) => {
      await confirmLeavers(tx, syncId)
      return readDirectory(tx)
    },
  }),
  endpoint({
    ...({ method: 'GET', path: '/hr/directory/changes', may: 'directory.read', scope: 'read' } as const),
    input: DirectoryChangesInput,
    output: DirectoryChanges,
    run: (tx, wish) => readDirectoryChanges(tx, wish),
  }),
]

import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { readConnectedCompanies } from '../company/read-connected.ts'

/** Job `directories.sync`, nightly: a reading of the directory for every company whose app may be called. */
export async function queueSyncs(tx: Tx): Promise<void> {
  const companies = await readConnectedCompanies(tx)
  const night = new Date(tx.clock.now()).toISOString().slice(0, 10)
  const jobs = companies.map((companyId) => ({
    kind: 'directory.sync',
    key: `directory.sync:${companyId}:${night}`,
    args: { companyId },
  }))
  for (let from = 0; from < jobs.length; from += JOBS_AT_ONCE) await enqueue(tx, jobs.slice(from, from + JOBS_AT_ONCE))
}

const JOBS_AT_ONCE = 500

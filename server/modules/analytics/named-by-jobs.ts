import { encodeId, ID_LENGTH, type IdKind } from '../../../contract/ids.ts'

/**
 * The ids of one kind of object that the work of these kinds names which is ready or under way, as a subquery: all of it
 * is read once, and not once for each object that is looked for.
 */
export function namedByJobs(kind: IdKind, ...jobs: readonly [string, ...string[]]): string {
  const prefix = encodeId(kind, 0n).slice(0, 4)
  return `(select substr(job.args, instr(job.args, '${prefix}'), ${ID_LENGTH}) from job
    where job.state in ('ready', 'leased') and job.kind in (${jobs.map((one) => `'${one}'`).join(', ')}))`
}

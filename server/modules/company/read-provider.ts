import type { z } from 'zod'
import type { ProviderView } from '../../../contract/operator/wecom.ts'
import type { Id } from '../../../contract/ids.ts'
import { readSum } from '../../kernel/columns.ts'
import type { Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'

type View = z.input<typeof ProviderView>
const MOST = 100

/** Ourselves as a provider of WeCom, and how the companies' connections and their callbacks stand. Nothing sealed is opened. */
export async function readProvider(tx: Tx): Promise<View> {
  return {
    nowMs: tx.clock.now(),
    suites: await readSuites(tx),
    connections: await readConnections(tx),
    broken: await readBroken(tx),
    events: await readEvents(tx),
    failed: await readFailed(tx),
  }
}

async function readSuites(tx: Tx): Promise<View['suites']> {
  const tickets = await sql<{ suiteId: string; atMs: unknown }>(
    tx.em,
    'select suite_id as suiteId, ticket_at_ms as atMs from wecom_suite where ticket_at_ms is not null',
  )
  const installs = await sql<{ suiteId: string; count: unknown }>(
    tx.em,
    "select suite_id as suiteId, count(*) as count from wecom_connection where suite_id is not null and state <> 'cancelled' group by suite_id",
  )
  const { publicUrl, wecomSuites } = tx.house
  return wecomSuites.map(({ suiteId, kind, name }) => {
    const ticket = tickets.find((row) => row.suiteId === suiteId)
    const address = `${publicUrl}/callback/wecom-suite/${suiteId}`
    return {
      suiteId,
      kind,
      name,
      ticketAtMs: ticket === undefined ? null : readSum(ticket.atMs),
      installs: readSum(installs.find((row) => row.suiteId === suiteId)?.count),
      commandUrl: `${address}/command`,
      dataUrl: `${address}/data/$CORPID$`,
    }
  })
}

async function readConnections(tx: Tx): Promise<View['connections']> {
  type Row = Omit<View['connections'][number], 'count'> & { count: unknown }
  const rows = await sql<Row>(
    tx.em,
    'select kind, state, count(*) as count from wecom_connection group by kind, state order by kind, state',
  )
  return rows.map((row) => ({ ...row, count: readSum(row.count) }))
}

async function readBroken(tx: Tx): Promise<View['broken']> {
  type Row = Omit<View['broken'][number], 'changedAtMs'> & { changedAtMs: unknown }
  const rows = await sql<Row>(
    tx.em,
    `select c.company_id as companyId, company.name as name, c.kind as kind, c.broken_code as code,
        c.changed_at_ms as changedAtMs
      from wecom_connection c join company on company.id = c.company_id
      where c.state = 'broken' order by c.changed_at_ms desc limit ${MOST}`,
  )
  return rows.map((row) => ({ ...row, changedAtMs: readSum(row.changedAtMs) }))
}

async function readEvents(tx: Tx): Promise<View['events']> {
  type Row = Omit<View['events'][number], 'count' | 'newestAtMs'> & { count: unknown; newestAtMs: unknown }
  const rows = await sql<Row>(
    tx.em,
    `select kind, change_type as changeType, state, count(*) as count, max(received_at_ms) as newestAtMs
      from wecom_event group by kind, change_type, state order by kind, change_type, state limit 500`,
  )
  return rows.map((row) => ({ ...row, count: readSum(row.count), newestAtMs: readSum(row.newestAtMs) }))
}

/** Those that ended as failed, and those whose job was buried because it ended its worker each time. */
async function readFailed(tx: Tx): Promise<View['failed']> {
  type Row = Omit<View['failed'][number], 'receivedAtMs' | 'id'> & { id: Id<'wecomEvent'>; receivedAtMs: unknown }
  const rows = await sql<Row>(
    tx.em,
    `select e.id as id, e.kind as kind, e.change_type as changeType, company.name as companyName,
        e.received_at_ms as receivedAtMs, job.last_error as lastError
      from job join wecom_event e on job.job_key = concat('wecom.event:', e.id)
      left join company on company.id = e.company_id
      where job.kind = 'wecom.event' and job.state = 'dead' order by e.id desc limit ${MOST}`,
  )
  return rows.map((row) => ({ ...row, receivedAtMs: readSum(row.receivedAtMs) }))
}

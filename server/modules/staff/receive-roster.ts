import { createHash } from 'node:crypto'
import type { Id } from '../../../contract/ids.ts'
import { rosterLimits } from '../../../contract/roster-limits.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { refuse, sayLimit } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { companyOf, memberOf } from '../../kernel/tenant.ts'
import { trail } from '../../kernel/trail.ts'
import { writeRosterFile } from './roster-file.ts'
import { Roster } from './tables.ts'

export interface Upload {
  readonly fileName: string
  /** Take a file that was uploaded before. */
  readonly again: boolean
  /** The Idempotency-Key. */
  readonly key: string
}

const DAY_MS = 86_400_000
/** How long the uploaded bytes are kept, so that a wrong column can still be put right. */
const KEPT_MS = 30 * DAY_MS

/** Where a list's file name is sealed. */
export const namePlace = (rosterId: string) => ({ table: 'roster', column: 'name_sealed', rowId: rosterId })

/**
 * Takes an uploaded staff list: its bytes sealed in chunks, then the list and the job that reads it together, so that
 * a stop before that leaves nothing but chunks (a daily job erases them). A repeat with the same key gives the same
 * list. Refuses with `roster_refused` when nothing came, `payload_too_large`, and `roster_uploaded_before` (the detail
 * is the earlier list's id) for bytes that the company uploaded before.
 */
export async function receiveRoster(edge: Edge, upload: Upload, raw: Buffer): Promise<{ id: Id<'roster'> }> {
  const companyId = companyOf(edge.actor)
  if (raw.length === 0) refuse('roster_refused', { detail: { zh: '文件是空的。', en: 'The file is empty.' } })
  if (raw.length > rosterLimits.fileBytes) refuse('payload_too_large', { detail: sayLimit(rosterLimits.fileBytes) })
  const { seal } = edge.house
  const contentIndex = seal.blindIndex('roster.content', createHash('sha256').update(raw).digest('hex'))
  const nameIndex = seal.blindIndex('roster.name', upload.fileName)
  const rosterId = edge.newId('roster')
  const chunkCount = await writeRosterFile(edge, rosterId, raw)
  const input = { contentIndex, nameIndex, again: upload.again }
  try {
    const taken = await edge.tx((tx) =>
      once(tx, `roster.receive:${companyId}`, upload.key, input, async () => {
        if (!upload.again) await refuseKnown(tx, companyId, rosterId, contentIndex)
        await insertRoster(tx, rosterId, { fileName: upload.fileName, contentIndex, sizeBytes: raw.length, chunkCount })
        return { id: rosterId }
      }),
    )
    if (taken.id !== rosterId) await dropChunks(edge, rosterId)
    return taken
  } catch (error) {
    await dropChunks(edge, rosterId)
    throw error
  }
}

/** Two uploads of the same bytes at once wait for each other at the key; the second then sees the first's list. */
async function refuseKnown(tx: Tx, companyId: string, rosterId: Id<'roster'>, contentIndex: string): Promise<void> {
  await once(tx, `roster.content:${companyId}`, contentIndex, {}, () => Promise.resolve({ id: rosterId }))
  const [earlier] = await sql<{ id: string }>(
    tx.em,
    "select id from roster where company_id = ? and content_index = ? and state <> 'rejected' order by id desc limit 1",
    [companyId, contentIndex],
  )
  if (earlier) refuse('roster_uploaded_before', { detail: earlier.id })
}

interface ReceivedFile {
  readonly fileName: string
  readonly contentIndex: string
  readonly sizeBytes: number
  readonly chunkCount: number
}

async function insertRoster(tx: Tx, id: Id<'roster'>, file: ReceivedFile): Promise<void> {
  const { fileName, ...facts } = file
  const now = tx.clock.now()
  await tx.em.insert(Roster, {
    id,
    companyId: companyOf(tx.actor),
    state: 'received',
    version: 1,
    nameSealed: tx.house.seal.seal(namePlace(id), fileName),
    ...facts,
    rowsRead: 0,
    rowCount: 0,
    faultyCount: 0,
    markLeavers: false,
    createdBy: memberOf(tx.actor),
    createdAtMs: now,
    eraseAtMs: now + KEPT_MS,
  })
  await enqueue(tx, [{ kind: 'roster.import', key: `roster.import:${id}:1`, args: { rosterId: id } }])
  await trail(tx, { objectId: id, act: 'roster.received', toState: 'received' })
}

function dropChunks(edge: Edge, rosterId: Id<'roster'>): Promise<number> {
  return edge.tx((tx) => change(tx.em, 'delete from roster_chunk where roster_id = ?', [rosterId]))
}

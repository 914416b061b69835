import type { Id } from '../../../contract/ids.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { RosterChunk } from './tables.ts'

/** Bytes of one chunk before sealing. */
const CHUNK_BYTES = 1024 * 1024

const place = (rosterId: string, seq: number) => ({
  table: 'roster_chunk',
  column: 'bytes_sealed',
  rowId: `${rosterId}:${seq}`,
})

/** Writes an uploaded file as sealed chunks, each in a transaction of its own; returns how many. */
export async function writeRosterFile(edge: Edge, rosterId: Id<'roster'>, bytes: Buffer): Promise<number> {
  let seq = 0
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
    const piece = bytes.subarray(from, from + CHUNK_BYTES).toString('base64')
    const bytesSealed = edge.house.seal.seal(place(rosterId, seq), piece)
    const row = { rosterId, seq, bytesSealed }
    await edge.tx((tx) => tx.em.insert(RosterChunk, row))
    seq += 1
  }
  return seq
}

/** The uploaded bytes of a list, or null when they are erased. Any process can read them. */
export async function readRosterFile(
  edge: Edge,
  file: { readonly id: Id<'roster'>; readonly chunkCount: number },
): Promise<Buffer | null> {
  const pieces: Buffer[] = []
  for (let seq = 0; seq < file.chunkCount; seq += 1) {
    const sealed = await edge.read((tx) => readChunk(tx, file.id, seq))
    if (sealed === null) return null
    pieces.push(Buffer.from(edge.house.seal.open(place(file.id, seq), sealed), 'base64'))
  }
  return Buffer.concat(pieces)
}

async function readChunk(tx: Tx, rosterId: Id<'roster'>, seq: number): Promise<Uint8Array | null> {
  const [row] = await sql<{ bytes_sealed: Uint8Array }>(
    tx.em,
    'select bytes_sealed from roster_chunk where roster_id = ? and seq = ?',
    [rosterId, seq],
  )
  return row?.bytes_sealed ?? null
}

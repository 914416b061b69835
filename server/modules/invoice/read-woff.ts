import { inflateSync } from 'node:zlib'

const HEADER = 44
const ENTRY = 20

/**
 * The TrueType font inside a WOFF 1.0 file (W3C WOFF, 3 and 4): its tables inflated, with a plain directory before them.
 * The PDF library reads WOFF too, but takes half a minute for a Chinese one. Throws on anything else.
 */
export function readWoff(file: Buffer): Buffer {
  if (file.toString('latin1', 0, 4) !== 'wOFF') throw new Error('not a WOFF file')
  const count = file.readUInt16BE(12)
  const tables = Array.from({ length: count }, (_, index) => {
    const at = HEADER + index * ENTRY
    const [offset, packed, length] = [4, 8, 12].map((more) => file.readUInt32BE(at + more)) as [number, number, number]
    const stored = file.subarray(offset, offset + packed)
    const data = packed < length ? inflateSync(stored) : stored
    if (data.length !== length) throw new Error('WOFF: a table has another length than it says')
    return { tag: file.subarray(at, at + 4), checksum: file.subarray(at + 16, at + 20), data }
  })
  const head = Buffer.alloc(12 + count * 16)
  file.copy(head, 0, 4, 8)
  const log = Math.floor(Math.log2(count))
  head.writeUInt16BE(count, 4)
  head.writeUInt16BE(16 * 2 ** log, 6)
  head.writeUInt16BE(log, 8)
  head.writeUInt16BE(16 * (count - 2 ** log), 10)
  const parts = [head]
  let offset = head.length
  for (const [index, { tag, checksum, data }] of tables.entries()) {
    const at = 12 + index * 16
    tag.copy(head, at)
    checksum.copy(head, at + 4)
    head.writeUInt32BE(offset, at + 8)
    head.writeUInt32BE(data.length, at + 12)
    const padded = Buffer.alloc(Math.ceil(data.length / 4) * 4)
    data.copy(padded)
    parts.push(padded)
    offset += padded.length
  }
  return Buffer.concat(parts)
}

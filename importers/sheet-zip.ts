import { fromBufferPromise } from 'yauzl'
import type { Entry, ZipFile } from 'yauzl'
import { SaxesParser } from 'saxes'
import { rosterLimits } from '../contract/roster-limits.ts'
import { SheetRefusal } from './sheet-refusal.ts'

/** The parts of an xlsx package whose directory has passed the limits. */
export interface Package {
  entries: ReadonlyMap<string, Entry>
  zip: ZipFile
}

/** Reads the directory only and refuses, before anything is expanded, what would grow beyond the limits. */
export async function openPackage(bytes: Uint8Array): Promise<Package> {
  const entries = new Map<string, Entry>()
  try {
    const zip = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      lazyEntries: true,
      autoClose: false,
    })
    if (zip.entryCount > rosterLimits.zipEntries) throw new SheetRefusal('zip_bomb')
    let expanded = 0
    for await (const entry of zip.eachEntry()) {
      expanded += entry.uncompressedSize
      const ratio = entry.uncompressedSize / Math.max(1, entry.compressedSize)
      const steep = entry.uncompressedSize > rosterLimits.ratioCheckedFromBytes && ratio > rosterLimits.expansionRatio
      if (steep || expanded > rosterLimits.expandedBytes) throw new SheetRefusal('zip_bomb')
      if (entry.isEncrypted()) throw new SheetRefusal('password_protected')
      entries.set(entry.fileName.replace(/^\//, '').toLowerCase(), entry)
    }
    return { entries, zip }
  } catch (cause) {
    throw cause instanceof SheetRefusal ? cause : new SheetRefusal('truncated', '', { cause })
  }
}

/** What a part's reader is told; names come without their namespace prefix. */
export interface XmlReader {
  open(name: string, attributes: Record<string, string>): void
  text?(text: string): void
  close?(name: string): void
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1)

function parserFor(reader: XmlReader): SaxesParser {
  const parser = new SaxesParser({ position: false })
  parser.on('doctype', () => {
    throw new SheetRefusal('external_entities')
  })
  parser.on('error', (cause) => {
    throw new SheetRefusal('truncated', cause.message, { cause })
  })
  parser.on('opentag', (tag) => {
    const attributes: Record<string, string> = {}
    for (const [name, value] of Object.entries(tag.attributes)) attributes[local(name)] = value
    reader.open(local(tag.name), attributes)
  })
  parser.on('text', (text) => reader.text?.(text))
  parser.on('cdata', (text) => reader.text?.(text))
  parser.on('closetag', (tag) => reader.close?.(local(tag.name)))
  return parser
}

/** Parses one part piece by piece, pausing after each piece so that the caller can hand rows on. */
export async function* readPart(parts: Package, name: string, reader: XmlReader): AsyncGenerator<void> {
  const entry = parts.entries.get(name.toLowerCase())
  if (!entry) return
  const parser = parserFor(reader)
  let decoder: InstanceType<typeof TextDecoder> | undefined
  const stream = await openStream(parts, entry)
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer
      decoder ??= new TextDecoder(xmlEncoding(bytes))
      parser.write(decoder.decode(bytes, { stream: true }))
      yield
    }
    parser.write(decoder?.decode() ?? '')
    parser.close()
    yield
  } catch (cause) {
    throw cause instanceof SheetRefusal ? cause : new SheetRefusal('truncated', '', { cause })
  } finally {
    stream.destroy()
  }
}

async function openStream(parts: Package, entry: Entry): ReturnType<ZipFile['openReadStreamPromise']> {
  try {
    return await parts.zip.openReadStreamPromise(entry)
  } catch (cause) {
    throw new SheetRefusal('truncated', '', { cause })
  }
}

function xmlEncoding(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const declared = /encoding=["']([\w-]+)["']/.exec(bytes.subarray(0, 200).toString('latin1'))?.[1]
  return declared && /^gb/i.test(declared) ? 'gb18030' : 'utf-8'
}

/** Parses one part to its end. */
export async function readWholePart(parts: Package, name: string, reader: XmlReader): Promise<void> {
  for await (const _ of readPart(parts, name, reader)) continue
}

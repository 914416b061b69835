import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'

const place = (rowId: Id<'cover'>) => ({ table: 'cover', column: 'picture_sealed', rowId })

export const sealPicture = (tx: Tx, id: Id<'cover'>, jpeg: Buffer): Buffer =>
  tx.house.seal.seal(place(id), jpeg.toString('base64'))

export const openPicture = (tx: Tx, id: Id<'cover'>, sealed: Uint8Array): Buffer =>
  Buffer.from(tx.house.seal.open(place(id), sealed), 'base64')

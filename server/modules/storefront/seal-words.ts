import type { Id } from '../../../contract/ids.ts'
import type { Scope } from '../../kernel/context.ts'

const place = (rowId: Id<'order'>) => ({ table: 'store_order', column: 'greeting_sealed', rowId })

/** What a buyer wrote, sealed: it may name people. */
export const sealGreeting = ({ house }: Pick<Scope, 'house'>, id: Id<'order'>, text: string): Buffer =>
  house.seal.seal(place(id), text)

/** Empty once it was forgotten. */
export const openGreeting = ({ house }: Pick<Scope, 'house'>, id: Id<'order'>, sealed: Uint8Array): string =>
  sealed.length === 0 ? '' : house.seal.open(place(id), sealed)

import type { Id } from '../../../contract/ids.ts'
import type { WecomValue } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { NoticeRefused } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import { WecomEvent } from './tables.ts'

/** A stored callback, opened. What stands in `fields` may be personal: not for logs, jobs or the trail. */
export interface WecomEventView {
  readonly id: Id<'wecomEvent'>
  /** Null while the corp is connected to no company of ours. */
  readonly companyId: Id<'company'> | null
  readonly suiteId: string | null
  /** Event, InfoType or MsgType in lower case; `other` where it names none. */
  readonly kind: string
  readonly changeType: string | null
  /** The elements by name; empty when the text cannot be read. */
  readonly fields: { readonly [name: string]: WecomValue }
  readonly receivedAtMs: number
  readonly state: 'received' | 'done' | 'unknown' | 'failed'
}

/**
 * A stored callback by id. An event that came before its company was connected finds it now, if it is there by now.
 * Null when it was forgotten. Throws SealBroken.
 */
export async function readEvent(edge: Edge, id: Id<'wecomEvent'>): Promise<WecomEventView | null> {
  const row = await edge.read((tx) => tx.em.findOne(WecomEvent, { id }, { disableIdentityMap: true }))
  if (row === null) return null
  const fields = elementsOf(edge, edge.house.seal.open(messagePlace(id), row.messageSealed))
  const { kind, receivedAtMs, state, changeType = null, suiteId = null } = row
  const companyId = row.companyId ?? (await findCompany(edge, id, suiteId, fields))
  return { id, companyId, suiteId, kind, changeType, fields, receivedAtMs, state }
}

/** Where a sealed callback stands. */
export const messagePlace = (id: Id<'wecomEvent'>) => ({ table: 'wecom_event', column: 'message_sealed', rowId: id })

/** One element as text; null when it is not there, is empty, or is no text. */
export function fieldOf(event: Pick<WecomEventView, 'fields'>, name: string): string | null {
  const value = event.fields[name]
  return typeof value === 'string' && value !== '' ? value : null
}

/** When WeCom says that it happened, in whole seconds; when it came to us where it does not say. */
export function happenedAtMs(event: WecomEventView): number {
  const seconds = Number(fieldOf(event, 'TimeStamp') ?? fieldOf(event, 'CreateTime') ?? NaN)
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds * 1000 : event.receivedAtMs
}

function elementsOf(edge: Edge, message: string): WecomEventView['fields'] {
  try {
    return edge.ports.wecom.readEvent(message)
  } catch (error) {
    if (error instanceof NoticeRefused) return {}
    throw error
  }
}

async function findCompany(
  edge: Edge,
  id: Id<'wecomEvent'>,
  suiteId: string | null,
  fields: WecomEventView['fields'],
): Promise<Id<'company'> | null> {
  const corpId = fieldOf({ fields }, 'AuthCorpId') ?? fieldOf({ fields }, 'ToUserName')
  if (suiteId === null || corpId === null) return null
  return edge.tx(async (tx) => {
    const [row] = await sql<{ id: Id<'company'> }>(
      tx.em,
      'select company_id as id from wecom_connection where corp_id = ? and suite_id = ?',
      [corpId, suiteId],
    )
    if (row) await change(tx.em, 'update wecom_event set company_id = ? where id = ?', [row.id, id])
    return row?.id ?? null
  })
}

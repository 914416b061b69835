import type { Id } from '../../../contract/ids.ts'
import { noticeMoves, type NoticeState } from '../../../contract/states.ts'
import type { NoticeKind } from '../../../contract/store/notice.ts'
import type { WechatSubscriptionMessage } from '../../channels/wechat-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { move } from '../../kernel/move.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { readOpenid } from '../buyer/read-buyer.ts'
import { dropGrants, mayTell, reopenGrant, useGrant } from './count-grants.ts'
import { messageWords } from './message-words.ts'
import { NoticeMessage, type NoticeMessageRow } from './tables.ts'

/** WeChat says that there is no permission (protocols wechat-consumer, 10). */
const NO_PERMISSION = '43101'

/**
 * Job `notice.send`: sends a message by WeChat where its receiver allowed one, at most once: what began and has no answer is never
 * sent again, for nothing tells whether it arrived (protocols wechat-consumer, 10). Whatever comes of it, the inbox has it.
 */
export async function sendNotice(edge: Edge, id: Id<'noticeMessage'>): Promise<void> {
  const begun = await edge.tx((tx) => begin(tx, id))
  if (begun === null) return
  try {
    const { messageId } = await edge.ports.wechat.sendSubscription(begun.message)
    await edge.tx((tx) => settle(tx, id, 'sent', { sent_id: messageId }))
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error
    await edge.tx((tx) => takeError(tx, begun.row, error))
    if (error.outcome === 'busy') throw error
  }
}

interface Begun {
  readonly row: NoticeMessageRow
  readonly message: WechatSubscriptionMessage
}

/** Uses a permission up and says what to send; null: nothing is sent (any more). */
async function begin(tx: Tx, id: Id<'noticeMessage'>): Promise<Begun | null> {
  const row = await tx.em.findOne(NoticeMessage, { id }, { disableIdentityMap: true })
  if (row?.state === 'sending') await settle(tx, id, 'unknown', { reason: 'stopped' })
  if (row?.state !== 'planned') return null
  const reason = await whyNot(tx, row)
  if (reason !== null) {
    await moveNotice(tx, id, 'planned', 'kept', { reason })
    return null
  }
  const message = await write(tx, row)
  if (message === null || !(await useGrant(tx, { buyerId: row.buyerId, kind: row.kind, messageId: id }))) {
    await moveNotice(tx, id, 'planned', 'kept', { reason: message === null ? 'not_connected' : 'no_permission' })
    return null
  }
  // Another worker was faster: all of this is undone.
  if (!(await moveNotice(tx, id, 'planned', 'sending'))) throw new Error(`notice ${id} is begun twice`)
  return { row, message }
}

async function whyNot(tx: Tx, row: NoticeMessageRow): Promise<string | null> {
  if (tx.house.wechat?.templates[row.kind] === undefined) return 'not_connected'
  if (!(await mayTell(tx, row.buyerId, row.kind))) return 'no_permission'
  return row.heldOut ? 'held_out' : null
}

async function write(tx: Tx, row: NoticeMessageRow): Promise<WechatSubscriptionMessage | null> {
  const { wechat, publicUrl } = tx.house
  const template = wechat?.templates[row.kind]
  const openid = wechat === null ? null : await readOpenid(tx, row.buyerId, wechat.appid)
  if (template === undefined || openid === null) return null
  const [card] = await sql<{ brandName: string }>(
    tx.em,
    'select brand.name as brandName from card join brand on brand.id = card.brand_id where card.id = ?',
    [row.cardId],
  )
  const facts = { ...row, brandName: card?.brandName ?? '', expiresAtMs: row.expiresAtMs ?? null }
  const words = messageWords(facts)
  const data = Object.entries(template.keys).map(([word, key]) => [key, words[word as keyof typeof words]] as const)
  return { openid, templateId: template.id, page: `${publicUrl}${pageOf(row)}`, data: Object.fromEntries(data) }
}

/** Where a message leads: to the gift that was given, else to the card that is one's own. */
const pageOf = ({ kind, cardId, giftId }: Pick<NoticeMessageRow, 'kind' | 'cardId' | 'giftId'>): string =>
  kind === 'gift_claimed' && giftId ? `/mine/gifts/${giftId}` : `/mine/cards/${cardId}`

async function takeError(tx: Tx, row: NoticeMessageRow, error: OutsideError): Promise<void> {
  const { id, buyerId, kind } = row
  const reason = error.code.slice(0, 32)
  if (error.outcome === 'unknown') return settle(tx, id, 'unknown', { reason })
  if (error.outcome === 'busy') {
    if (await moveNotice(tx, id, 'sending', 'planned', { reason })) await reopenGrant(tx, id)
    return
  }
  await settle(tx, id, 'failed', { reason })
  if (error.code === NO_PERMISSION) return dropGrants(tx, buyerId, kind)
  // It took no effect, and is for somebody to mend: a template that is gone, keys that do not fit, a credential.
  await reopenGrant(tx, id)
  tx.log.error({ kind, code: error.code }, 'wechat takes no subscription message of this kind')
}

/** Records how a call ended, where WeChat's event has not said so before. */
async function settle(
  tx: Tx,
  id: Id<'noticeMessage'>,
  to: 'sent' | 'unknown' | 'failed',
  set: Readonly<Record<string, string | null>>,
): Promise<void> {
  await moveNotice(tx, id, 'sending', to, set)
}

/** Moves a message. False when it stands elsewhere by now. */
export const moveNotice = (
  tx: Tx,
  id: Id<'noticeMessage'>,
  from: NoticeState,
  to: NoticeState,
  set: Readonly<Record<string, string | null>> = {},
): Promise<boolean> => move(tx, { table: 'notice_message', id, from, to, moves: noticeMoves, set })

/** A kind of message by its template; null: none of ours. */
export function kindOfTemplate(tx: Pick<Tx, 'house'>, templateId: string): NoticeKind | null {
  const templates = Object.entries(tx.house.wechat?.templates ?? {})
  return (templates.find(([, template]) => template.id === templateId)?.[0] as NoticeKind | undefined) ?? null
}

import type { Id } from '../../../contract/ids.ts'
import type { NoticeState } from '../../../contract/states.ts'
import type { NoticeKind } from '../../../contract/store/notice.ts'
import type { WechatCallback, WechatCallbackQuery, WechatSubscriptionChange } from '../../channels/wechat-port.ts'
import type { Edge, Tx } from '../../kernel/context.ts'
import { useUp } from '../../kernel/once.ts'
import { enqueue } from '../../kernel/outbox.ts'
import { change, sql } from '../../kernel/sql.ts'
import { findBuyer } from '../buyer/read-buyer.ts'
import { countGrant, dropGrants } from './count-grants.ts'
import { kindOfTemplate, moveNotice } from './send-notice.ts'

/** The person withdrew what they told us, or deleted their account: we forget them. */
const farewells: readonly string[] = ['user_authorization_revoke', 'user_authorization_cancellation']

/**
 * Takes an event of our service account: verified and opened, then worked in one transaction, once however often it comes. What tells
 * of nobody that we know, or of something that does not concern us, is answered like any other. Throws NoticeRefused.
 */
export async function takeWechatEvent(edge: Edge, query: WechatCallbackQuery, raw: Buffer): Promise<'success'> {
  const event = edge.ports.wechat.openCallback(query, raw)
  await edge.tx((tx) => work({ ...tx, actor: { kind: 'system', name: 'wechat' } }, event))
  return 'success'
}

async function work(tx: Tx, event: WechatCallback): Promise<void> {
  const appid = tx.house.wechat?.appid
  if (appid === undefined || event.openid === null) return
  if (event.subscriptions.length === 0 && !farewells.includes(event.kind)) return
  const [fresh] = await useUp(tx, 'wechat.event', [event.digest])
  const buyerId = fresh === true ? await findBuyer(tx, { appid, openid: event.openid }) : null
  if (buyerId === null) return
  if (farewells.includes(event.kind))
    await enqueue(tx, [{ kind: 'buyer.forget', key: `buyer.forget:${buyerId}`, args: { buyerId } }])
  for (const one of event.subscriptions) {
    const kind = kindOfTemplate(tx, one.templateId)
    if (kind !== null) await takeChange(tx, { buyerId, kind, atMs: event.createdAtMs }, one)
  }
}

interface About {
  readonly buyerId: Id<'buyer'>
  readonly kind: NoticeKind
  readonly atMs: number
}

async function takeChange(tx: Tx, about: About, told: WechatSubscriptionChange): Promise<void> {
  switch (told.change) {
    case 'accepted':
      return countGrant(tx, { ...about, eventAtMs: about.atMs })
    case 'declined':
      return
    case 'withdrawn':
      return dropGrants(tx, about.buyerId, about.kind)
    case 'delivered':
    case 'failed':
      return settleSent(tx, about, told)
  }
}

/**
 * What became of a message: found by WeChat's id of it, or where the answer that would have told us that id was lost, or is still on
 * its way, as the oldest one of the kind without an answer.
 */
async function settleSent(tx: Tx, { buyerId, kind }: About, told: WechatSubscriptionChange): Promise<void> {
  const [found] = await sql<{ id: Id<'noticeMessage'> }>(
    tx.em,
    `select id from notice_message where buyer_id = ? and kind = ?
        and (sent_id = ? or (sent_id is null and state in ('sending', 'unknown')))
      order by case when sent_id is null then 1 else 0 end, id limit 1`,
    [buyerId, kind, told.messageId ?? ''],
  )
  if (found === undefined) return
  // The answer of the call is often recorded at this very moment: what is written comes after it, held by a write that changes nothing.
  await change(tx.em, 'update notice_message set created_at_ms = created_at_ms where id = ?', [found.id])
  const [row] = await sql<{ id: Id<'noticeMessage'>; state: NoticeState }>(
    tx.em,
    'select id, state from notice_message where id = ?',
    [found.id],
  )
  if (row === undefined || !['sending', 'sent', 'unknown'].includes(row.state)) return
  const to = told.change === 'delivered' ? 'delivered' : 'failed'
  const set = {
    ...(told.messageId === null ? {} : { sent_id: told.messageId }),
    ...(told.code && { reason: told.code }),
  }
  await moveNotice(tx, row.id, row.state, to, set)
}

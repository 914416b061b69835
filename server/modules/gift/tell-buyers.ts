import { isId, type HolderId, type Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'

/** Enqueues what buyers among these people are told of a gift that was claimed or came back. */
export async function tellBuyers(tx: Tx, giftId: Id<'gift'>, people: readonly HolderId[]): Promise<void> {
  if (!people.some((id) => isId('buyer', id))) return
  await enqueue(tx, [{ kind: 'notice.gift', key: `notice.gift:${giftId}`, args: { giftId } }])
}

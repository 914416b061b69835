import { isId, type Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { readGiftEnd } from '../gift/read-gift-end.ts'
import { noteMessages, type NewMessage } from './note-message.ts'

/** Job `notice.gift`: a gift was claimed, or came back because nobody did; whoever of its people is a buyer is told. */
export async function noteGift(tx: Tx, giftId: Id<'gift'>): Promise<void> {
  const gift = await readGiftEnd(tx, giftId)
  if (gift === null || (gift.state !== 'claimed' && gift.state !== 'returned')) return
  const { cardId, amountFen, fromId, toId } = gift
  const about = { subject: giftId, giftId, cardId, amountFen }
  const messages: NewMessage[] = []
  const giver = gift.state === 'claimed' ? 'gift_claimed' : 'gift_returned'
  if (isId('buyer', fromId)) messages.push({ ...about, buyerId: fromId, kind: giver })
  if (gift.state === 'claimed' && isId('buyer', toId)) messages.push({ ...about, buyerId: toId, kind: 'gift_received' })
  await noteMessages(tx, messages)
}

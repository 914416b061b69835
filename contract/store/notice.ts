import { z } from 'zod'
import { fenField, idField, instantField } from '../fields.ts'

/** What people are told of: in the inbox always, and by WeChat where they allowed it. */
export const noticeKinds = ['gift_received', 'gift_claimed', 'gift_returned', 'card_expiring', 'low_balance'] as const
export type NoticeKind = (typeof noticeKinds)[number]

/**
 * GET /store/notices: how many messages of each kind WeChat may still send to the one who asks. One permission is one message; a kind
 * without a template is left out and is not to be asked for.
 */
export const NoticeGrants = z.object({ kinds: z.array(z.object({ kind: z.enum(noticeKinds), left: z.int() })) })
export type NoticeGrants = z.infer<typeof NoticeGrants>
/** POST /store/notices, with an Idempotency-Key: WeChat's own button said that its person accepted these, at this very moment. */
export const AcceptedInput = z.object({ kinds: z.array(z.enum(noticeKinds)).min(1).max(noticeKinds.length) })

export const InboxMessage = z.object({
  id: idField('noticeMessage'),
  kind: z.enum(noticeKinds),
  brandName: z.string(),
  /** The card that it is about; null: it is somebody else's now. */
  cardId: idField('card').nullable(),
  giftId: idField('gift').nullable(),
  /** What was on the card then. */
  amountFen: fenField,
  /** `card_expiring`: when it ends. */
  expiresAtMs: instantField.nullable(),
  createdAtMs: instantField,
  read: z.boolean(),
})
export type InboxMessage = z.infer<typeof InboxMessage>
/** GET /store/inbox: the newest fifty. POST /store/inbox/read: all up to this one were seen. */
export const Inbox = z.object({ messages: z.array(InboxMessage), unread: z.int() })
export type Inbox = z.infer<typeof Inbox>
export const InboxReadInput = z.object({ upTo: idField('noticeMessage') })

/** A message as it lies in the chats of its receivers. `body` is the part under its msgtype. */
export interface Message {
  readonly id: string
  readonly agentId: number
  readonly msgtype: string
  readonly body: Readonly<Record<string, unknown>>
  readonly url: string | null
  readonly atMs: number
  readonly taskId: string | null
  /** When it was taken back; it stays in the chat as a line that says so. */
  recalledAtMs: number | null
}

export interface Received {
  readonly message: Message
  /** When the chat was looked at; until then the message counts as unread. */
  seenAtMs: number | null
  /** When the message was tapped. */
  openedAtMs: number | null
  /** What the card says since it was updated for this member. */
  update: CardUpdate | null
}

/** A card after update_template_card: its button's new words, or another card in its place. */
export type CardUpdate =
  { readonly replaceName: string } | { readonly body: Readonly<Record<string, unknown>>; readonly url: string | null }

/** A message that vanished on its way to a member. */
export interface Drop {
  readonly agentId: number
  readonly userid: string
  readonly messageId: string
  readonly atMs: number
  /** The limit it broke, or the dial that lost it. */
  readonly why: 'minute' | 'hour' | 'dial'
}

/** A code with which cards can be changed, once within 72 hours (5.3). */
export interface ResponseCode {
  readonly messageId: string
  readonly expiresAtMs: number
  used: boolean
}

/** Limits of the house, each with its reason. */
export const limits = {
  /** Items of one slice: a transaction that small never holds a lock for long, and SQLite's only writer moves on. */
  cardsPerSlice: 1000,
  /** Card numbers handed out at a time: one short counter transaction for ten slices. */
  numbersPerBlock: 10_000,
  /** Cards of one order: a company of 200,000 with one card each. */
  itemsPerOrder: 200_000,
  /** Cards that pay one purchase: more than anybody scans at a till. */
  cardsPerPurchase: 20,
  /** A payment code pays for so long: long enough for a queue, too short for a photograph. */
  payCodeMs: 60_000,
  /** Value set aside by a till goes back after so long at most: a day for a deposit, an hour unless the till says. */
  longestHoldMs: 7 * 86_400_000,
  usualHoldMs: 3_600_000,
  /** A slip of the hand is undone within five minutes, without a manager. */
  undoMs: 5 * 60_000,
  /** A gift waits for its receiver over a weekend, and then returns whole. */
  giftMs: 72 * 3_600_000,
  /** Words on a gift, as on a campaign. */
  giftGreetingCharacters: 300,
  /** A word of thanks fits on the screen that it is written on. */
  thanksCharacters: 200,
  /** Words on gifts and of thanks are kept for a year: for the season after, no longer. */
  wordsKeptMs: 365 * 86_400_000,
  /** How often a card may be passed on where a company allows it at all: more is a trade in cards, not a present. */
  mostGiftDepth: 5,
  /** A card that was bought goes to a friend, and once more to somebody whom it suits better. */
  boughtGiftDepth: 2,
  /** An order that nobody pays gives its card back after so long. */
  unpaidOrderMs: 15 * 60_000,
  /** A device link waits until the other device is at hand. */
  deviceLinkMs: 30 * 60_000,
  /** An uploaded picture: what a phone's camera makes, and no more than a phone sends in some seconds. */
  coverBytes: 5 * 1024 * 1024,
  /** A buyer tries some pictures before one pleases; thousands a day would fill the disk. */
  coversPerDay: 20,
} as const

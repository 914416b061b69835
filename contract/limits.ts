/** Limits of the house, each with its reason. */
export const limits = {
  /** Items of one slice: a transaction that small never holds a lock for long, and SQLite's only writer moves on. */
  cardsPerSlice: 1000,
  /** Card numbers handed out at a time: one short counter transaction for ten slices. */
  numbersPerBlock: 10_000,
  /** Cards of one order: a company of 200,000 with one card each. */
  itemsPerOrder: 200_000,
} as const

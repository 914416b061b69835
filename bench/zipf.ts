/** Ranks 0 … count-1 drawn by Zipf's law with exponent 1: the second comes half as often as the first, and so on. */
function zipf(count: number, random: () => number = Math.random): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank += 1) {
    sum += 1 / (rank + 1)
    sums[rank] = sum
  }
  return () => {
    const at = random() * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Of all purchases on one card. */
const HOT_SHARE = 0.25
/** Neighbours in popularity are no neighbours in the table. */
const STEP = 7_919

/** Draws cards: a quarter of all on the first, the rest by Zipf's law over the others. */
export function cardPicker<T>(cards: readonly T[]): () => { readonly cardId: T; readonly hot: boolean } {
  const rankOf = zipf(cards.length - 1)
  return () => {
    const hot = Math.random() < HOT_SHARE
    return { cardId: hot ? cards[0]! : cards[1 + ((rankOf() * STEP) % (cards.length - 1))]!, hot }
  }
}

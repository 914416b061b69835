import type { ReviewPort } from '../ports.ts'
import { plainText } from './plain-text.ts'

/**
 * Judges without asking anybody: texts by a list of words (words-file.ts), and every picture as `pictures` says. A service that
 * looks at pictures is another adapter of the same port.
 */
export function reviewAdapter(options: {
  readonly words: readonly string[]
  /** `person`: somebody of the platform looks at each. `pass`: nobody does, in the sandbox alone. */
  readonly pictures: 'person' | 'pass'
}): ReviewPort {
  return {
    reviewText: (text) => {
      const plain = plainText(text)
      return Promise.resolve(options.words.some((word) => plain.includes(word)) ? 'refuse' : 'pass')
    },
    reviewPicture: () => Promise.resolve(options.pictures === 'pass' ? 'pass' : 'person'),
  }
}

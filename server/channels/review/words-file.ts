import { readFileSync } from 'node:fs'
import { plainText } from './plain-text.ts'

/** One sign would refuse half of what people write. */
const SHORTEST = 2

/** The words that come with the house. */
export const ownWordsFile = `${import.meta.dirname}/words.txt`

/**
 * Reads a list of words that no greeting may hold: one a line, empty lines and lines that begin with # left out. Throws when
 * the file cannot be read, holds no word, or holds one that is shorter than two letters.
 */
export function readWords(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8').split(/\r?\n/)
  const given = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  const words = given.map(plainText)
  const short = words.findIndex((word) => Array.from(word).length < SHORTEST)
  if (short >= 0) throw new Error(`a word that is too short to be looked for: number ${short + 1}`)
  if (words.length === 0) throw new Error('no words')
  return [...new Set(words)]
}

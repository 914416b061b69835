import type { Scope } from '../../kernel/context.ts'

/** No I, L, O, U: a secret that is read aloud or typed by hand stays itself. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Characters of which nobody guesses one: 5 bits each. 256 is a multiple of 32, so every one is equally likely. */
export const makeSecret = (scope: Pick<Scope, 'random'>, characters: number): string =>
  [...scope.random(characters)].map((byte) => ALPHABET[byte & 31]!).join('')

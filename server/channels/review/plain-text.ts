/**
 * A text as a list of words is compared with: full width, case, accents of letters, spaces, signs and marks that cannot be
 * seen make no difference. What is left are letters and digits.
 */
export function plainText(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
}

import { OutsideError } from './outside.ts'

/**
 * Reads an answer as it comes and stops where it grows beyond `limit` bytes. Throws OutsideError `unknown` TOO_LARGE, naming
 * whose answer it was.
 */
export async function readLimited(
  answer: { readonly body: AsyncIterable<Uint8Array> | null },
  limit: number,
  whose: string,
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop ends the stream.
  for await (const chunk of answer.body ?? []) {
    size += chunk.length
    if (size > limit)
      throw new OutsideError('unknown', 'TOO_LARGE', `the answer of ${whose} is larger than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

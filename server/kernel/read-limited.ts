import { OutsideError } from './outside.ts'

/**
 * Reads an answer as it comes and stops where it grows beyond `limit` bytes. Throws OutsideError `unknown` TOO_LARGE, naming
 * whose answer it was.
 */
export async function readLimited(response: Response, limit: number, whose: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    size += part.value.length
    if (size > limit) {
      await reader?.cancel()
      throw new OutsideError('unknown', 'TOO_LARGE', `the answer of ${whose} is larger than ${limit} bytes`)
    }
    chunks.push(part.value)
  }
  return Buffer.concat(chunks, size)
}

import type { Context } from 'koa'

/** The raw bytes of a request; answers 413 above the limit. */
export async function readBody(ctx: Context, limit: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of ctx.req) {
    const bytes = part as Buffer
    size += bytes.length
    if (size > limit) ctx.throw(413)
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}

import { z } from 'zod'
import { reject } from './gate.ts'
import type { Answer } from './gate.ts'

/** Reads a call's body by its schema: the value, or the refusal that points at what is wrong. */
export function readBody<T>(schema: z.ZodType<T>, raw: Buffer): { readonly value: T } | { readonly refusal: Answer } {
  const parsed = schema.safeParse(json(raw))
  return parsed.success ? { value: parsed.data } : { refusal: badParameters(parsed.error) }
}

function json(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

/** 400 PARAM_ERROR; fields that nobody knows are listed (protocol sheet 2.1). */
export function badParameters(error: z.ZodError): Answer {
  const issue = error.issues[0]
  if (issue?.code === 'unrecognized_keys') {
    const pointers = issue.keys.map((key) => `/${[...issue.path, key].join('/')}`)
    return reject(400, 'PARAM_ERROR', '请求中含有未在API文档中定义的参数', {
      location: 'body',
      field: pointers[0],
      value: pointers,
      issue: 'undefined field',
    })
  }
  const detail = { location: 'body', field: `/${(issue?.path ?? []).join('/')}`, issue: issue?.message ?? '' }
  return reject(400, 'PARAM_ERROR', '参数错误', detail)
}

/** The same text for the same parameters, whatever the order of their keys. */
export function sortedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${pairs.map(([key, inner]) => `${JSON.stringify(key)}:${sortedText(inner)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

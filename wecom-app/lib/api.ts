import { ref, type Ref } from 'vue'
import { takeEarly } from './early-reads.ts'
import en from './locales/en/common.json' with { type: 'json' }
import zh from './locales/zh-CN/common.json' with { type: 'json' }

interface ProblemFacts {
  readonly status: number
  /** One of contract/error-codes.ts, or `network` when no answer came. */
  readonly code: string
  /** What happened and what to do now, in the reader's language; never empty. */
  readonly title: string
  readonly detail: string | null
  readonly field: string | null
  readonly row: number | null
  /** Where too little is to be had: what could be had instead. */
  readonly availableFen: number | null
  readonly requestId: string | null
}

/** What the server answered instead of the thing asked for. Status 0: no answer came at all. */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string | null
  readonly field: string | null
  readonly row: number | null
  readonly availableFen: number | null
  readonly requestId: string | null
  constructor(facts: ProblemFacts) {
    super(facts.detail === null ? facts.title : `${facts.title} ${facts.detail}`)
    this.name = 'ApiProblem'
    this.status = facts.status
    this.code = facts.code
    this.title = facts.title
    this.detail = facts.detail
    this.field = facts.field
    this.row = facts.row
    this.availableFen = facts.availableFen
    this.requestId = facts.requestId
  }
}

/** Reads an RFC 9457 body, or makes the best of whatever else came. Never throws. */
export function readProblem(status: number, body: string, requestId: string | null): ApiProblem {
  const facts = asRecord(body)
  const text = (key: string): string | null => {
    const value = facts[key]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const number = (key: string): number | null => {
    const value = facts[key]
    return typeof value === 'number' ? value : null
  }
  return new ApiProblem({
    status,
    code: text('code') ?? (status === 0 ? 'network' : `http_${status}`),
    title: text('title') ?? noAnswer(),
    detail: text('detail'),
    field: text('field'),
    row: number('row'),
    availableFen: number('availableFen'),
    requestId: text('requestId') ?? requestId,
  })
}

/** In place of a title where none of our servers has spoken. */
function noAnswer(): string {
  return (document.documentElement.lang.startsWith('zh') ? zh : en).error.network
}

function asRecord(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Whether the thing that an address names does not exist: nobody has it, or the address was mistyped. */
export function isMissing(problem: ApiProblem | null): boolean {
  return problem?.status === 404 || (problem?.code === 'malformed_request' && problem.field === 'id')
}

/** Any thrown value as a problem, so that a page has one thing to show. */
export function toApiProblem(error: unknown): ApiProblem {
  return error instanceof ApiProblem ? error : readProblem(0, '', null)
}

type QueryValue = string | number | boolean | null | undefined

/** A path of ours with its query; values that are null, undefined or '' are left out. */
export function withQuery(path: string, query: Readonly<Record<string, QueryValue>> = {}): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === null || value === undefined || value === '' ? [] : [[key, String(value)] as [string, string]],
  )
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs).toString()}`
}

/**
 * Reads from the server; a lost connection is tried twice more. `search` is what a person typed to find somebody: it
 * travels as a header, for addresses are logged. Throws ApiProblem.
 */
export async function get<T>(
  path: string,
  query?: Readonly<Record<string, QueryValue>>,
  signal?: AbortSignal,
  search?: string,
): Promise<T> {
  const headers: Record<string, string> = search === undefined || search === '' ? {} : { 'X-Search': inHeader(search) }
  return call<T>('GET', withQuery(path, query), null, headers, signal)
}

/** A text that people wrote, as a header can carry it; half a sign at either end is left out. */
const inHeader = (text: string): string => encodeURIComponent(text.replace(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/g, ''))

type Write = 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Writes to the server. With a key (from `keptKey`) the request may be repeated without being done twice, so a lost
 * connection is tried twice more. Throws ApiProblem.
 */
export async function send<T = void>(method: Write, path: string, body?: object, key?: KeptKey): Promise<T> {
  if (key === undefined) return call<T>(method, path, body ?? null, {})
  const content = `${method} ${path} ${JSON.stringify(body ?? null)}`
  try {
    const answer = await call<T>(method, path, body ?? null, { [keyHeader]: key.value(content) })
    key.settle(content)
    return answer
  } catch (error) {
    if (isAnswered(error)) key.settle(content)
    throw error
  }
}

/**
 * The Idempotency-Key of one intent: the same until the server has answered, then a new one. Somebody who corrects what
 * they sent means something else: each content has a key of its own. To settle no content in particular settles all.
 */
export interface KeptKey {
  readonly value: (content?: string) => string
  readonly settle: (content?: string) => void
}

/** Keep one per form or button. */
export function keptKey(): KeptKey {
  const keys = new Map<string, string>()
  return {
    value: (content = '') => {
      const key = keys.get(content) ?? newKey()
      keys.set(content, key)
      return key
    },
    settle: (content) => {
      if (content === undefined) keys.clear()
      else keys.delete(content)
    },
  }
}

/** 128 random bits; works on plain http too, where randomUUID does not exist. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A refusal settles the intent; a lost connection or a fault of the server leaves it open. */
function isAnswered(error: unknown): boolean {
  return error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429
}

const keyHeader = 'Idempotency-Key'
const waitsMs = [400, 1500]

async function call<T>(
  method: string,
  path: string,
  body: object | null,
  more: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<T> {
  for (let turn = 0; ; turn += 1) {
    try {
      return await once<T>(method, path, body, more, signal)
    } catch (error) {
      const wait = waitsMs[turn]
      const mayRepeat = method === 'GET' || keyHeader in more
      const worthIt = error instanceof ApiProblem && (error.status === 0 || error.status === 503)
      if (wait === undefined || !mayRepeat || !worthIt || signal?.aborted === true) throw error
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
}

async function once<T>(
  method: string,
  path: string,
  body: object | null,
  more: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<T> {
  const headers: Record<string, string> = {
    Accept: 'application/json',
    'Accept-Language': document.documentElement.lang,
    ...more,
  }
  if (body !== null) headers['Content-Type'] = 'application/json'
  let answer: Response
  let text: string
  try {
    const early = method === 'GET' ? takeEarly(path) : null
    answer = await (early ??
      fetch(path, {
        method,
        headers,
        credentials: 'same-origin',
        ...(body === null ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      }))
    text = await answer.text()
  } catch (error) {
    if (signal?.aborted === true) throw error
    throw readProblem(0, '', null)
  }
  if (!answer.ok) throw noted(readProblem(answer.status, text, answer.headers.get('x-request-id')))
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** True once the server has said that nobody is signed in: the app then shows the way to sign in. */
export const signedOut: Ref<boolean> = ref(false)

function noted(problem: ApiProblem): ApiProblem {
  if (problem.status === 401 && problem.code === 'unauthenticated') signedOut.value = true
  return problem
}

/** Sends a file as it is, with its name in a header, telling how much has gone (0 to 1). Throws ApiProblem. */
export function upload<T>(path: string, file: File, key: KeptKey, progress: (done: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.setRequestHeader('Accept', 'application/json')
    request.setRequestHeader('Accept-Language', document.documentElement.lang)
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    request.setRequestHeader(keyHeader, key.value())
    request.setRequestHeader('X-File-Name', inHeader(file.name.slice(-200)))
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total)
    })
    request.addEventListener('load', () => {
      if (request.status < 500) key.settle()
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as T)
      else reject(noted(readProblem(request.status, request.responseText, request.getResponseHeader('x-request-id'))))
    })
    for (const lost of ['error', 'abort', 'timeout'] as const) {
      request.addEventListener(lost, () => reject(readProblem(0, '', null)))
    }
    request.send(file)
  })
}

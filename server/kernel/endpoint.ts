import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { Ability } from '../../contract/abilities.ts'
import type { Lang } from '../../contract/error-codes.ts'
import type { Edge, Tx } from './context.ts'
import type { CookieOptions } from './cookies.ts'
import { AppError } from './errors.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Sends one server-sent event; false when the other side has gone. */
export type SendEvent = (event: string, data: unknown) => boolean

/** What an endpoint sees of the request, and the few things of the answer that are not its output. */
export interface Http {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly raw: Buffer | null
  readonly idempotencyKey: string | null
  readonly lang: Lang
  readonly requestId: string
  /** Where the request came from, for throttling only: it is never logged, and stored for a day as a fingerprint at most. */
  readonly ip: string
  /** The very address, for whom it must be told to (WeChat Pay wants the payer's): never logged, stored sealed only. */
  readonly clientIp: string
  setCookie(name: string, value: string, options?: CookieOptions): void
  setHeader(name: string, value: string): void
  redirect(url: string): void
  /** Answer with server-sent events until `produce` ends; `gone` aborts when the other side leaves. */
  sse(produce: (send: SendEvent, gone: AbortSignal) => Promise<void>): void
}

interface Scopes {
  readonly read: Tx
  readonly tx: Tx
  readonly edge: Edge
}
type Streamed = Readable | Buffer | string | void
type Output<O> = O extends z.ZodType ? z.input<O> : Streamed

interface Shape {
  readonly method: Method
  readonly path: string
  readonly may: Ability
  readonly body?: 'json' | 'raw' | 'none'
  readonly idempotent?: boolean
  readonly limitBytes?: number
  /**
   * Asked by many people who are not signed in behind one address at once; it has throttles of its own. The address may
   * ask ten times as often as elsewhere.
   */
  readonly crowd?: true
  /** Told by a provider in great numbers, and answered by a status alone: no cookies, no headers, no sign-in (bare-lane.ts). */
  readonly bare?: true
  /** Asked by a program that signs each request over its raw bytes (docs/pos.md) instead of signing in. */
  readonly signed?: true
  /**
   * Inputs that a header brings instead of the query, percent-encoded UTF-8: what people write into them is personal
   * (names, phones), and addresses stand in histories and in the logs of whatever lies in between.
   */
  readonly headerInputs?: Readonly<Record<string, string>>
}

/** The text that people search for. */
export const searchHeader = { 'x-search': 'query' } as const
/** The name of an uploaded file. */
export const fileNameHeader = { 'x-file-name': 'fileName' } as const

export interface EndpointSpec<
  S extends keyof Scopes,
  I extends z.ZodType,
  O extends z.ZodType | 'stream',
> extends Shape {
  readonly scope: S
  /** Reads query, JSON body and path parameters merged into one object; the path wins. */
  readonly input: I
  readonly output: O
  readonly run: (scope: Scopes[S], input: z.output<I>, http: Http) => Promise<Output<O>>
}

/** An endpoint as data. Routes, access checks and OpenAPI derive from it. */
export interface Endpoint extends Shape {
  readonly scope: keyof Scopes
  readonly input: z.ZodType
  readonly output: z.ZodType | 'stream'
  /** Parses the input, runs in the right scope, parses the output. */
  readonly handle: (edge: Edge, given: unknown, http: Http) => Promise<unknown>
}

/** Declares an endpoint with its types inferred from the schemas. */
export function endpoint<S extends keyof Scopes, I extends z.ZodType, O extends z.ZodType | 'stream'>(
  spec: EndpointSpec<S, I, O>,
): Endpoint {
  const { run, ...data } = spec
  const output: z.ZodType | 'stream' = spec.output
  return {
    ...data,
    handle: async (edge, given, http) => {
      const input = spec.input.parse(given)
      const within = (scope: Tx | Edge): Promise<unknown> => run(scope as Scopes[S], input, http)
      const result = await runIn(spec.scope, edge, within)
      if (output === 'stream') return result
      const shown = output.safeParse(result)
      if (!shown.success) throw new AppError('internal', { cause: shown.error })
      return shown.data
    },
  }
}

function runIn(kind: keyof Scopes, edge: Edge, work: (scope: Tx | Edge) => Promise<unknown>): Promise<unknown> {
  switch (kind) {
    case 'edge':
      return work(edge)
    case 'tx':
      return edge.tx(work)
    case 'read':
      return edge.read(work)
  }
}

import type { SealKeys } from './callback-seal.ts'

/** A callback address with its keys, once it was verified. */
export interface SavedCallback extends SealKeys {
  readonly url: string
  readonly verifiedAtMs: number
}

/** Where events of one kind go (2.3, 2.5). `app`: an app's own callback. `command`, `data`: the two of a suite. */
export interface Endpoint {
  readonly shape: 'app' | 'command' | 'data'
  readonly callback: SavedCallback
  /** Stands in the envelope and, in app shape, in the event. */
  readonly toUserName: string
  /** Encrypted with the text: whom it is meant for. */
  readonly receiveId: string
  /** Stands in the envelope of app-related callbacks only. */
  readonly agentId: number | null
  /** Where its deliveries are kept, the newest first. */
  readonly log: Delivery[]
}

/** One event on its way to the callback address, with every try. */
export interface Delivery {
  readonly id: string
  /** Event or InfoType. */
  readonly event: string
  readonly changeType: string | null
  readonly userid: string
  readonly url: string
  readonly shape: Endpoint['shape']
  readonly receiveId: string
  /** The text before encryption: the same in every try. */
  readonly plain: string
  readonly atMs: number
  /** Status 0: no answer in time. */
  readonly tries: { readonly status: number; readonly tookMs: number; readonly crooked: string | null }[]
  /** What WeCom would write into its error log: a command callback that was not answered with `success`. */
  error: string | null
  state: 'waiting' | 'taken' | 'refused' | 'given up' | 'lost'
}

/** What sending needs to remember, and the switches that decide where the documentation does not. */
export interface CallbackState {
  /** Events that wait to be sent in reverse. */
  held: (() => Promise<void>)[]
  /** Doc 90238 retries whatever is not 200, doc 90930 only connections that failed: both happen. */
  retryWrongStatus: boolean
  /** After so many events in a row that nobody took, an address gets no more until it is saved again; null: never. */
  dropAfter: number | null
  /** By address: events in a row that nobody took. */
  readonly failures: Map<string, number>
  /** Posts that are out, and those that wait for one to come back. */
  posting: number
  readonly queue: (() => void)[]
}

/** Sending before the first event. */
export function emptyCallbacks(): CallbackState {
  return { held: [], retryWrongStatus: true, dropAfter: null, failures: new Map(), posting: 0, queue: [] }
}

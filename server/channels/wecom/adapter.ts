import type { PushKeys } from '../../kernel/push-envelope.ts'
import { changeTypeOf, elementsOrNone, kindOf, readEvent } from '../../kernel/push-xml.ts'
import { memoryRows } from '../../kernel/shared-memory.ts'
import { sharedState, type SharedState } from '../../kernel/shared-state.ts'
import type { WecomCallbackKeys, WecomPort } from '../ports.ts'
import { authorised } from './authorise.ts'
import { caller, type WecomBases } from './call.ts'
import { openCallback, verifyUrl } from './callback.ts'
import { customerCalls } from './customers.ts'
import { directoryCalls } from './directory.ts'
import { identityCalls } from './identity.ts'
import { massSendCalls } from './mass-sends.ts'
import { mediaCalls } from './media.ts'
import { messageCalls } from './messages.ts'
import { qrImageCalls } from './qr-image.ts'
import { suiteCalls } from './suites.ts'
import { tagCalls } from './tags.ts'
import { ticketCalls } from './tickets.ts'
import { tokensOf, type ProviderSecret, type SuiteSecret } from './tokens.ts'

export interface WecomOptions extends WecomBases {
  readonly now: () => number
  /** What all processes share; the memory of this one when it is not said. */
  readonly shared?: SharedState
  readonly suites?: readonly SuiteSecret[]
  readonly provider?: ProviderSecret | null
  /** The newest suite_ticket that WeCom pushed for a suite; null while there is none. */
  readonly suiteTicket?: (suiteId: string) => Promise<string | null>
}

/** WeCom over HTTPS, for the three kinds of app. Errors name the API and the code and never hold a token or a secret. */
export function wecomAdapter(options: WecomOptions): WecomPort {
  const request = caller(options)
  const shared = options.shared ?? sharedState(memoryRows(), options.now)
  const tokens = tokensOf({
    shared,
    request,
    suites: options.suites ?? [],
    provider: options.provider ?? null,
    suiteTicket: options.suiteTicket ?? (async () => null),
  })
  const api = authorised(request, tokens, shared)
  const testSuites = new Set((options.suites ?? []).filter((one) => one.test === true).map((one) => one.suiteId))
  return {
    checkCredential: (app) => tokens.check(app),
    ...messageCalls(api),
    ...mediaCalls(api, shared),
    ...identityCalls(api, options),
    ...ticketCalls(api, shared),
    ...directoryCalls(api),
    ...customerCalls(api, options.now),
    ...qrImageCalls(options),
    ...tagCalls(api),
    ...massSendCalls(api),
    ...suiteCalls(api, options, testSuites),
    ...callbackReaders(options.now),
  }
}

function callbackReaders(now: () => number): Pick<WecomPort, 'verifyCallback' | 'openCallback' | 'readEvent'> {
  return {
    verifyCallback: (keys, query) => verifyUrl(pushKeysOf(keys), query, now()),
    openCallback(keys, query, raw) {
      const { message, receiveId } = openCallback(pushKeysOf(keys), query, raw, now())
      const elements = elementsOrNone(message)
      return { kind: kindOf(elements), changeType: changeTypeOf(elements), receiveId, message }
    },
    readEvent,
  }
}

function pushKeysOf(keys: WecomCallbackKeys): PushKeys {
  return { token: keys.token, aesKey: keys.encodingAesKey, receiveIds: keys.receiveIds }
}

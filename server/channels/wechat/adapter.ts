import { OutsideError } from '../../kernel/outside.ts'
import { memoryRows } from '../../kernel/shared-memory.ts'
import { sharedState, type SharedState } from '../../kernel/shared-state.ts'
import type { WechatPort } from '../wechat-port.ts'
import type { WechatAccount } from './account.ts'
import { caller, type WechatBases } from './call.ts'
import { callbackReaders } from './callback.ts'
import { identityCalls } from './identity.ts'
import { messageCalls } from './messages.ts'
import { authorised, ticketCalls } from './tokens.ts'

export interface WechatOptions extends WechatBases {
  /** Null: none is configured, and every call is `broken`. */
  readonly account: WechatAccount | null
  readonly now: () => number
  /** What all processes share; the memory of this one when it is not said. */
  readonly shared?: SharedState
}

/** WeChat's consumer side over HTTPS. Errors name the API and the code and never hold a token, a code or a secret. */
export function wechatAdapter(options: WechatOptions): WechatPort {
  const { account, now } = options
  if (account === null) return nobody
  const request = caller(options)
  const shared = options.shared ?? sharedState(memoryRows(), now)
  const api = authorised(request, shared, account)
  return {
    ...identityCalls(request, options, account),
    ...ticketCalls(api, shared, account),
    ...messageCalls(api),
    ...callbackReaders(account, now),
  }
}

const notConfigured = (): never => {
  throw new OutsideError('broken', 'not_configured', 'no service account of wechat is configured')
}
const nobody: WechatPort = {
  authoriseUrl: notConfigured,
  identityByCode: async () => notConfigured(),
  identityByMiniProgramCode: async () => notConfigured(),
  jsTicket: async () => notConfigured(),
  sendSubscription: async () => notConfigured(),
  verifyCallback: notConfigured,
  openCallback: notConfigured,
}

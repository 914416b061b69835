import type { WecomSandbox } from '../../sandbox/wecom/server.ts'
import type { WecomPort } from '../channels/ports.ts'
import { wecomAdapter } from '../channels/wecom/adapter.ts'

/** The real adapter, speaking with a sandbox. */
export const wecomOf = (
  { baseUrl }: Pick<WecomSandbox, 'baseUrl'>,
  more: { readonly now?: () => number; readonly timeoutMs?: number } = {},
): WecomPort => wecomAdapter({ apiBase: baseUrl, oauthBase: baseUrl, loginBase: baseUrl, now: Date.now, ...more })

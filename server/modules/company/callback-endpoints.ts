import { SuiteCommandInput, SuiteDataInput, WecomCallbackInput } from '../../../contract/outside/wecom.ts'
import type { WecomCallbackQuery } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { change } from '../../kernel/sql.ts'
import { readKeysOf, type CallbackSource } from './read-callback-keys.ts'
import { receiveCallback } from './receive-callback.ts'

/** An event is a few kilobytes; a list of names in one may be longer. */
const CALLBACK_BYTES = 256 * 1024

/** The bare text, for a suite's address is judged by exactly its characters (protocols wecom, 2.4 and 2.5). */
function plain(http: Http, text: string): string {
  http.setHeader('Content-Type', 'text/plain; charset=utf-8')
  return text
}

async function echo(edge: Edge, http: Http, source: CallbackSource, query: WecomCallbackQuery): Promise<string> {
  const answer = edge.ports.wecom.verifyCallback(await readKeysOf(edge, source, 'echo'), query)
  if (source.kind === 'app')
    await edge.tx((tx) =>
      change(tx.em, 'update wecom_connection set callback_seen_at_ms = ? where company_id = ?', [
        tx.clock.now(),
        source.companyId,
      ]),
    )
  return plain(http, answer)
}

async function take(edge: Edge, http: Http, source: CallbackSource, query: WecomCallbackQuery): Promise<string> {
  return plain(http, await receiveCallback(edge, source, query, http.raw ?? Buffer.alloc(0)))
}

const asked = { method: 'GET', may: 'notice', scope: 'edge', output: 'stream' } as const
/** WeCom sends everybody's events from a few addresses: a festival's are not to be held up by the count of an address. */
const told = {
  crowd: true as const,
  ...({ method: 'POST', may: 'notice', scope: 'edge', output: 'stream' } as const),
  ...({ body: 'raw', limitBytes: CALLBACK_BYTES } as const),
}
const app = '/callback/wecom/:companyId'
const command = '/callback/wecom-suite/:suiteId/command'
const data = '/callback/wecom-suite/:suiteId/data/:corpId'

/** Where WeCom calls. Its signature stands in for a sign-in; nothing slow happens before the answer. */
export const callbackEndpoints: readonly Endpoint[] = [
  endpoint({
    ...asked,
    path: app,
    input: WecomCallbackInput,
    run: (edge, { companyId, ...query }, http) => echo(edge, http, { kind: 'app', companyId }, query),
  }),
  endpoint({
    ...told,
    path: app,
    input: WecomCallbackInput,
    run: (edge, { companyId, ...query }, http) => take(edge, http, { kind: 'app', companyId }, query),
  }),
  endpoint({
    ...asked,
    path: command,
    input: SuiteCommandInput,
    run: (edge, { suiteId, ...query }, http) => echo(edge, http, { kind: 'command', suiteId }, query),
  }),
  endpoint({
    ...told,
    path: command,
    input: SuiteCommandInput,
    run: (edge, { suiteId, ...query }, http) => take(edge, http, { kind: 'command', suiteId }, query),
  }),
  endpoint({
    ...asked,
    path: data,
    input: SuiteDataInput,
    run: (edge, { suiteId, corpId, ...query }, http) => echo(edge, http, { kind: 'data', suiteId, corpId }, query),
  }),
  endpoint({
    ...told,
    path: data,
    input: SuiteDataInput,
    run: (edge, { suiteId, corpId, ...query }, http) => take(edge, http, { kind: 'data', suiteId, corpId }, query),
  }),
]

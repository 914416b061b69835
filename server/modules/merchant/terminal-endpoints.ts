import type { Id } from '../../../contract/ids.ts'
import {
  NewTerminalInput,
  NewWebhookInput,
  TerminalInput,
  TerminalKey,
  Terminals,
  TerminalsInput,
  WebhookInput,
  WebhookKey,
  Webhooks,
  WebhooksInput,
} from '../../../contract/operator/terminal.ts'
import type { Tx } from '../../kernel/context.ts'
import { endpoint, type Endpoint, type Http } from '../../kernel/endpoint.ts'
import { refuse } from '../../kernel/errors.ts'
import { once } from '../../kernel/once.ts'
import { createTerminal } from './create-terminal.ts'
import { createWebhook } from './create-webhook.ts'
import { pauseWebhook } from './pause-webhook.ts'
import { findMerchant } from './read-merchants.ts'
import { readNewKey, readTerminals } from './read-terminals.ts'
import { readNewWebhookKey, readWebhooks } from './read-webhooks.ts'
import { revokeTerminal } from './revoke-terminal.ts'
import { rotateTerminalKey } from './rotate-terminal-key.ts'

const reads = { method: 'GET', may: 'merchant.read', scope: 'read' } as const
const makes = { method: 'POST', may: 'merchant.manage', scope: 'tx', body: 'json', idempotent: true } as const
const acts = { method: 'POST', may: 'merchant.manage', scope: 'tx' } as const

const keyIn = (http: Http): string => http.idempotencyKey ?? refuse('idempotency_key_missing')
const mustBeThere = async (tx: Tx, id: Id<'merchant'>): Promise<void> => {
  if ((await findMerchant(tx, id)) === null) refuse('not_found')
}

const terminalPages = [
  endpoint({
    ...reads,
    path: '/operator/merchants/:id/terminals',
    input: TerminalsInput,
    output: Terminals,
    run: async (tx, { id }) => {
      await mustBeThere(tx, id)
      return { terminals: await readTerminals(tx, id) }
    },
  }),
  endpoint({
    ...makes,
    path: '/operator/shops/:id/terminals',
    input: NewTerminalInput,
    output: TerminalKey,
    run: async (tx, { id: shopId, name }, http) => {
      const made = await once(tx, `terminal.create:${shopId}`, keyIn(http), { name }, async () => ({
        id: await createTerminal(tx, { shopId, name }),
        asked: { version: 1, atMs: tx.clock.now() },
      }))
      return { id: made.id, secret: await readNewKey(tx, made.id, made.asked) }
    },
  }),
  endpoint({
    ...acts,
    path: '/operator/terminals/:id/rotate',
    idempotent: true,
    input: TerminalInput,
    output: TerminalKey,
    run: async (tx, { id }, http) => {
      const asked = await once(tx, `terminal.rotate:${id}`, keyIn(http), {}, async () => ({
        version: await rotateTerminalKey(tx, id),
        atMs: tx.clock.now(),
      }))
      return { id, secret: await readNewKey(tx, id, asked) }
    },
  }),
  endpoint({
    ...acts,
    path: '/operator/terminals/:id/revoke',
    input: TerminalInput,
    output: 'stream',
    run: (tx, { id }) => revokeTerminal(tx, id),
  }),
]

const webhookPages = [
  endpoint({
    ...reads,
    path: '/operator/merchants/:id/webhooks',
    input: WebhooksInput,
    output: Webhooks,
    run: async (tx, { id }) => {
      await mustBeThere(tx, id)
      return { endpoints: await readWebhooks(tx, id) }
    },
  }),
  endpoint({
    ...makes,
    path: '/operator/merchants/:id/webhooks',
    input: NewWebhookInput,
    output: WebhookKey,
    run: async (tx, { id: merchantId, url }, http) => {
      const { id } = await once(tx, `webhook.create:${merchantId}`, keyIn(http), { url }, async () => ({
        id: await createWebhook(tx, { merchantId, url }),
      }))
      return { id, secret: await readNewWebhookKey(tx, id) }
    },
  }),
  endpoint({
    ...acts,
    path: '/operator/webhooks/:id/pause',
    input: WebhookInput,
    output: 'stream',
    run: (tx, { id }) => pauseWebhook(tx, id, 'paused'),
  }),
  endpoint({
    ...acts,
    path: '/operator/webhooks/:id/resume',
    input: WebhookInput,
    output: 'stream',
    run: (tx, { id }) => pauseWebhook(tx, id, 'active'),
  }),
]

/** The tills of a merchant that speak to us by themselves, and where it is told of them. */
export const terminalEndpoints: readonly Endpoint[] = [...terminalPages, ...webhookPages]

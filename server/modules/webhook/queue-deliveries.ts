import type { Id } from '../../../contract/ids.ts'
import type { Tx } from '../../kernel/context.ts'
import { enqueue } from '../../kernel/outbox.ts'

/** Sets events on their way now that a person wants sent again; one of each address is enough, it takes the others along. */
export async function queueDeliveries(
  tx: Tx,
  first: readonly {
    readonly id: Id<'webhookDelivery'>
    readonly endpointId: Id<'webhookEndpoint'>
    readonly version: number
  }[],
): Promise<void> {
  await enqueue(
    tx,
    first.map(({ id, endpointId, version }) => ({
      kind: 'webhook.deliver',
      key: `webhook.deliver:${id}:v${version}`,
      args: { endpointId },
      lane: 'webhook',
    })),
  )
}

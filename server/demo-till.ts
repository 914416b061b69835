import { demoMerchants } from './demo-shops.ts'
import type { Outside } from './house.ts'
import type { Edge, Tx } from './kernel/context.ts'
import { findBrandByPrefix } from './modules/catalog/change-brand.ts'
import { createTerminal } from './modules/merchant/create-terminal.ts'
import { createWebhook } from './modules/merchant/create-webhook.ts'
import { findMerchantByName } from './modules/merchant/read-merchants.ts'
import { findShopByName } from './modules/merchant/read-shops.ts'
import { findTerminal, readTerminals } from './modules/merchant/read-terminals.ts'
import { readWebhooks, readWebhookTarget } from './modules/merchant/read-webhooks.ts'
import { terminalSecretPlace } from './modules/merchant/terminal-secret.ts'

const NAME = '沙箱收银机'

/**
 * Puts the sandbox's till to work in the first shop of the demo's brand: it has a terminal there, and is told of what
 * happens at it. The sandbox forgets with each start, so it is told the keys again; where it does not listen the rest of
 * the demo works without.
 */
export async function connectDemoTill(edge: Edge, outside: Outside): Promise<void> {
  const keys = await edge.tx((tx) => findKeys(tx, outside))
  if (keys === null) return
  const answer = await fetch(`${outside.payUrl}/__ctl/till`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ serverUrl: edge.house.publicUrl, ...keys }),
  }).catch(() => null)
  if (answer?.ok !== true) edge.log.warn({}, "the sandbox's till is not connected")
}

async function findKeys(tx: Tx, outside: Outside) {
  const brand = await findBrandByPrefix(tx, '6230')
  const [entry] = demoMerchants
  const merchant = brand && entry && (await findMerchantByName(tx, brand.id, entry.name))
  const shop = merchant && (await findShopByName(tx, merchant.id, entry?.shops[0]?.name ?? ''))
  if (!shop || shop.state !== 'open') return null
  const { merchantId } = shop
  const known = (await readTerminals(tx, merchantId)).find((one) => one.name === NAME && one.state === 'active')
  const terminalId = known?.id ?? (await createTerminal(tx, { shopId: shop.id, name: NAME }))
  const terminal = await findTerminal(tx, terminalId)
  const url = `${outside.payUrl}/till/webhook`
  const hung = (await readWebhooks(tx, merchantId)).find((one) => one.url === url)
  const target = await readWebhookTarget(tx, hung?.id ?? (await createWebhook(tx, { merchantId, url })))
  return {
    terminalId,
    secret: tx.house.seal.open(terminalSecretPlace(terminalId, 'secret'), terminal!.secretSealed),
    webhookSecret: target?.secret ?? '',
  }
}

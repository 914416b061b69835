import type { WechatPayMerchant } from '../../channels/wechatpay-port.ts'
import type { Edge } from '../../kernel/context.ts'
import { insertIgnore } from '../../kernel/sql.ts'
import type { Party, Relation } from './rules.ts'
import { ShareRelation } from './tables.ts'

const relationOf: Readonly<Record<Party, Relation>> = {
  platform: 'SERVICE_PROVIDER',
  channel: 'DISTRIBUTOR',
  brand: 'BRAND',
}

/**
 * Tells WeChat Pay of receivers that a collecting merchant has not named yet (protocols wechat-pay 5.1: telling again
 * changes nothing, so a repeat after any stop is harmless). Throws OutsideError.
 */
export async function ensureRelations(
  edge: Edge,
  merchant: WechatPayMerchant,
  receivers: readonly { readonly account: string; readonly party: Party }[],
): Promise<void> {
  const { mchid } = merchant
  const where = { mchid, account: { $in: receivers.map((one) => one.account) } }
  const known = await edge.read((tx) => tx.em.find(ShareRelation, where, { disableIdentityMap: true }))
  const told = new Set(known.map((one) => one.account))
  for (const { account, party } of receivers.filter((one) => !told.has(one.account))) {
    await edge.ports.wechatPay.addReceiver(merchant, { account, relation: relationOf[party] })
    await edge.tx((tx) =>
      insertIgnore(tx.em, 'share_relation', [
        { id: tx.newId('shareRelation'), mchid, account, added_at_ms: tx.clock.now() },
      ]),
    )
  }
}

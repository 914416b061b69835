import type { WechatPayMerchant } from '../../channels/wechatpay-port.ts'
import type { Tx } from '../../kernel/context.ts'
import { readCollectingMerchants } from '../catalog/read-collecting-merchants.ts'

/** Every merchant whose bills are ours to read: the brands' and the platform's, each once. */
export async function merchantsOf(tx: Tx): Promise<WechatPayMerchant[]> {
  const { platform } = tx.house.wechatPay
  const all = [...(platform === null ? [] : [platform]), ...(await readCollectingMerchants(tx))]
  return [...new Map(all.map((one) => [one.mchid, one])).values()]
}

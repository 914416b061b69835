import type { WechatPayPort } from '../wechatpay-port.ts'
import { fetchBill } from './bills.ts'
import type { Caller } from './call.ts'
import { platformKeys } from './certificates.ts'
import { fitsObject, secretKey, type MerchantCredentials } from './crypto.ts'
import { closeCombined, combinedBody, prepareCombined, queryCombined } from './combined.ts'
import { readIncome } from './income.ts'
import { openNotice, type NoticeKey } from './notice.ts'
import { meansFor, noticeMerchants, type WechatPayOptions } from './options.ts'
import { close, jsapiParameters, paymentBody, prepare, query } from './payments.ts'
import { queryRefund, refund, refundBody, refundToMerchant } from './refunds.ts'
import { queryReturn, returnBody, returnShare } from './returns.ts'
import * as sharing from './sharing.ts'

/** The port to WeChat Pay over API v3. Requests are signed per merchant; every 2xx is verified before it is believed. */
export function wechatPayAdapter(options: WechatPayOptions): WechatPayPort {
  const meansOf = meansFor(options)
  const platform = platformKeys(options, meansOf)
  const caller: Caller = { options, meansOf, platform }
  const { notifyUrl } = options
  return {
    paymentBody: (wish) => paymentBody(notifyUrl, wish),
    prepare: (merchant, product, body) => prepare(caller, merchant, product, body),
    jsapiParameters: (merchant, prepayId) => jsapiParameters(caller, merchant, prepayId),
    query: (merchant, outTradeNo) => query(caller, merchant, outTradeNo),
    close: (merchant, outTradeNo) => close(caller, merchant, outTradeNo),
    combinedBody: (wish) => combinedBody(notifyUrl, wish),
    prepareCombined: (initiator, product, body) => prepareCombined(caller, initiator, product, body),
    queryCombined: (initiator, combineNo) => queryCombined(caller, initiator, combineNo),
    closeCombined: (initiator, combineNo, subOrders) => closeCombined(caller, initiator, combineNo, subOrders),
    refundBody: (wish) => refundBody(notifyUrl, wish),
    refund: (merchant, body) => refund(caller, merchant, body),
    queryRefund: (merchant, outRefundNo) => queryRefund(caller, merchant, outRefundNo),
    refundToMerchant: (merchant, refundId, no) => refundToMerchant(caller, merchant, refundId, no),
    addReceiver: (merchant, receiver) => sharing.addReceiver(caller, merchant, receiver),
    deleteReceiver: (merchant, account) => sharing.deleteReceiver(caller, merchant, account),
    shareBody: sharing.shareBody,
    share: (merchant, body) => sharing.share(caller, merchant, body),
    queryShare: (merchant, transactionId, no) => sharing.queryShare(caller, merchant, transactionId, no),
    unfreezeBody: sharing.unfreezeBody,
    unfreeze: (merchant, body) => sharing.unfreeze(caller, merchant, body),
    unsplitAmount: (merchant, transactionId) => sharing.unsplitAmount(caller, merchant, transactionId),
    returnBody,
    returnShare: (merchant, body) => returnShare(caller, merchant, body),
    queryReturn: (merchant, outOrderNo, no) => queryReturn(caller, merchant, outOrderNo, no),
    maxRatioBp: (merchant, subMchid) => sharing.maxRatioBp(caller, merchant, subMchid),
    fetchBill: (merchant, kind, day) => fetchBill(caller, merchant, kind, day),
    readIncome: (merchant, day) => readIncome(caller, merchant, day),
    openNotice: noticeOpener(caller),
  }
}

/** Opens notices. Nobody says in clear whose one is: the keys are tried, those first that fitted last. */
function noticeOpener({ options, platform }: Caller): WechatPayPort['openNotice'] {
  let known: readonly MerchantCredentials[] = []
  let keys: NoticeKey[] = []
  return (headers, raw) => {
    const merchants = noticeMerchants(options)
    if (merchants !== known) {
      known = merchants
      const distinct = new Set(merchants.map(({ apiV3Key }) => apiV3Key))
      keys = [...distinct].map(secretKey).map((apiV3Key) => ({ apiV3Key, fits: fitsObject(apiV3Key) }))
    }
    return openNotice(headers, raw, {
      platformKey: (serial) =>
        platform.known(serial) ??
        platform.find(
          serial,
          merchants.map(({ mchid }) => mchid),
        ),
      apiV3Keys: keys,
      hit: (key) => {
        if (keys[0] !== key) keys = [key, ...keys.filter((other) => other !== key)]
      },
      nowMs: options.now(),
    })
  }
}

import type { ErrorText } from './money-error-codes.ts'

/** The refusals of spending a card, passing it on and keeping it safe. All others stand in error-codes.ts. */
export const tillErrorCodes = {
  pay_code_invalid: {
    status: 409,
    zh: '付款码无效或已过期，请让顾客刷新付款码后重新扫。',
    en: 'This payment code is not valid or has expired. Ask the customer to refresh it and scan again.',
  },
  pay_code_used: {
    status: 409,
    zh: '这个付款码已经用过，请让顾客刷新付款码后重新扫。',
    en: 'This payment code was used before. Ask the customer to refresh it and scan again.',
  },
  card_locked: {
    status: 409,
    zh: '这张卡还在冷静期，请在解锁后再用，或先选择现在启用。',
    en: 'This card is still in its cooling-off period. Use it after it unlocks, or choose to use it now.',
  },
  card_frozen: {
    status: 409,
    zh: '这张卡已挂失或冻结，请持卡人在卡包里解冻或补办。',
    en: 'This card is frozen or reported lost. Its holder can unfreeze or replace it in the card pack.',
  },
  card_expired: {
    status: 409,
    zh: '这张卡已过有效期，请持卡人在卡包里延期后再用。',
    en: 'This card has expired. Its holder can extend it in the card pack.',
  },
  card_ended: {
    status: 409,
    zh: '这张卡已用完、已退或已作废，请换一张卡。',
    en: 'This card is used up, refunded or void. Use another card.',
  },
  card_foreign: {
    status: 409,
    zh: '这张卡不是本品牌的卡，请到卡上写的品牌门店使用。',
    en: 'This card is of another issuer. Use it in a shop of the brand named on the card.',
  },
  card_value_short: {
    status: 409,
    zh: '卡内可用余额不足，请减少金额，或余下部分用其他方式支付。',
    en: 'The card has less than that. Lower the amount or pay the rest in another way.',
  },
  card_day_limit: {
    status: 409,
    zh: '已到这张卡当天的消费上限，请减少金额或明天再用。',
    en: 'The limit of this card for today is reached. Lower the amount or use it tomorrow.',
  },
  amount_not_valid: {
    status: 422,
    zh: '金额不正确，请填写大于 0 的整数（单位：分）。',
    en: 'The amount is not valid. Give a whole number of fen above 0.',
  },
  amount_over_authorised: {
    status: 409,
    zh: '金额超过已预留的部分，请减少金额或重新扫码。',
    en: 'That is more than was set aside. Lower the amount or scan again.',
  },
  refund_over_capture: {
    status: 409,
    zh: '退款超过这笔消费还能退的金额，请减少金额。',
    en: 'The refund is more than this purchase has left to refund. Lower the amount.',
  },
  undo_too_late: {
    status: 409,
    zh: '已过撤销时间或已交班，请由店长办理退款。',
    en: 'It is too late to undo this, or the shift was closed. Ask a manager for a refund.',
  },
  shift_missing: {
    status: 409,
    zh: '还没有开班或已经交班，请先开班再收款。',
    en: 'No shift is open. Open a shift first.',
  },
  clerk_link_refused: {
    status: 401,
    zh: '登录链接已失效，请向店长或平台要一个新的。',
    en: 'This sign-in link is no longer valid. Ask your manager or the platform for a new one.',
  },
  merchant_name_taken: {
    status: 409,
    zh: '这个品牌已有同名商户，请换一个名称。',
    en: 'This brand has a merchant of that name already. Choose another name.',
  },
  shop_name_taken: {
    status: 409,
    zh: '这个商户已有同名门店，请换一个名称。',
    en: 'This merchant has a shop of that name already. Choose another name.',
  },
  card_not_giftable: {
    status: 409,
    zh: '这张卡不能转赠：发卡单位没有开放，或已到转赠次数上限，请联系人事。',
    en: 'This card cannot be passed on: its giver does not allow it, or it was passed on often enough. Ask HR.',
  },
  gift_closed: {
    status: 409,
    zh: '这份礼物已被领取、收回或过期，请联系送礼的人。',
    en: 'This gift was claimed, taken back or has ended. Ask whoever sent it.',
  },
  bind_refused: {
    status: 403,
    zh: '没有绑定成功，请核对卡号和密码后再试；多次不成功请稍后再来。',
    en: 'The card was not bound. Check number and secret and try again; after several attempts, come back later.',
  },
  pos_signature_invalid: {
    status: 401,
    zh: '签名不正确，请检查终端密钥、时间和签名内容后重试。',
    en: 'The signature is not valid. Check the terminal key, the clock and what is signed.',
  },
  pos_nonce_used: {
    status: 401,
    zh: '该随机数已使用过，请换一个新的随机数后重试。',
    en: 'This nonce was used before. Send a new one.',
  },
  terminal_off: {
    status: 403,
    zh: '这台终端已停用，或商户、门店已暂停收卡，请联系平台。',
    en: 'This terminal was revoked, or its merchant or shop takes no cards at present. Contact the platform.',
  },
  till_limit_reached: {
    status: 409,
    zh: '数量已到上限，请先停用不再使用的。',
    en: 'There are as many as there may be. Revoke or pause those that are not used any more.',
  },
  webhook_url_refused: {
    status: 422,
    zh: '通知地址不能用，请填写公网可以访问的 https 地址。',
    en: 'This address cannot be used. Give an https address that the public internet reaches.',
  },
  report_too_wide: {
    status: 422,
    zh: '报表的范围太大，请把日期缩短到一年以内，或只看一个活动。',
    en: 'This report is of too much at once. Choose a year at the most, or one campaign.',
  },
} as const satisfies Record<string, ErrorText>

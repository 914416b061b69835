import type { Lang } from './error-codes.ts'

interface ReasonText {
  /** Whether sending again, after what the advice says, can help. */
  readonly retryable: boolean
  readonly zh: string
  readonly en: string
}

/** Why a message did not reach a person, and what to do now. Mapped from WeCom's answers (protocol sheet wecom, 4.2). */
export const deliveryReasons = {
  no_wecom_account: {
    retryable: true,
    zh: '企业微信里找不到此人：核对手机号，或填写企业微信账号后重发',
    en: 'Not found in WeCom. Check the mobile number or enter the WeCom account, then resend',
  },
  not_visible: {
    retryable: true,
    zh: '此人不在应用可见范围：请管理员在企业微信后台加入可见范围后重发',
    en: 'Outside the app’s visible range. Ask the WeCom administrator to add this person, then resend',
  },
  unlicensed: {
    retryable: true,
    zh: '此人的企业微信账号没有接口许可：激活许可后重发',
    en: 'The WeCom account has no API licence. Activate one, then resend',
  },
  lookup_rationed: {
    retryable: true,
    zh: '企业微信限制了手机号查询：稍后重发，或填写企业微信账号',
    en: 'WeCom rations look-ups by mobile number. Resend later or enter the WeCom account',
  },
  quota_used_up: {
    retryable: true,
    zh: '今天的企业微信发送额度已用完：明天重发',
    en: 'Today’s WeCom message quota is used up. Resend tomorrow',
  },
  app_not_connected: {
    retryable: true,
    zh: '企业微信应用未连接或凭证已失效：请管理员在设置里修复后重发',
    en: 'The WeCom app is not connected or its credential is wrong. Mend it in settings, then resend',
  },
  app_disabled: {
    retryable: true,
    zh: '企业微信后台停用了这个应用：请管理员启用后重发',
    en: 'The app is disabled in WeCom. Ask the WeCom administrator to enable it, then resend',
  },
  permission_missing: {
    retryable: true,
    zh: '应用没有发消息的权限：请管理员在设置的企业微信连接里核对权限后重发',
    en: 'The app may not send messages. Check its permissions with the connection wizard in settings, then resend',
  },
  address_not_trusted: {
    retryable: true,
    zh: '企业可信 IP 里没有本系统的地址：请管理员在企业微信后台加入后重发',
    en: 'Our address is not in the app’s trusted IP list. Ask the WeCom administrator to add it, then resend',
  },
  domain_not_trusted: {
    retryable: true,
    zh: '应用的可信域名没有设置好：请管理员在企业微信后台设置后重发',
    en: 'The app’s trusted domain is not set. Ask the WeCom administrator to set it, then resend',
  },
  content_refused: {
    retryable: false,
    zh: '企业微信没有通过消息里的文字：卡已在卡包里，可请本人直接打开；下次请改活动名称',
    en: 'WeCom refused the words of the message. The card is in the card pack all the same; choose another title next time',
  },
  recalled: {
    retryable: true,
    zh: '消息已撤回，卡仍在卡包里：需要时可以重发',
    en: 'The message was recalled; the card is still in the card pack. Resend it when you like',
  },
  refused_by_wecom: {
    retryable: true,
    zh: '企业微信拒绝了这条消息：请把请求编号告知支持人员后重发',
    en: 'WeCom refused the message. Tell support, then resend',
  },
  person_left: {
    retryable: false,
    zh: '此人已离职：消息不再发送，未打开的卡可在通讯录里收回',
    en: 'This person has left. Nothing more is sent; take the unopened card back in the directory',
  },
  person_returned: {
    retryable: true,
    zh: '此人已回到公司，卡已可用：需要时可以重发',
    en: 'This person is back and their card can be used. Resend the message when you like',
  },
  taken_back: {
    retryable: false,
    zh: '卡已追回，款项退回付款方：不再发送',
    en: 'The card was taken back and its money returned. Nothing more is sent',
  },
  outcome_unknown: {
    retryable: true,
    zh: '不确定是否已送达：请向本人确认，没收到再重发',
    en: 'It is not known whether this arrived. Ask the person, and resend only if it did not',
  },
} as const satisfies Record<string, ReasonText>

export type DeliveryReason = keyof typeof deliveryReasons
export const deliveryReasonCodes = Object.keys(deliveryReasons) as DeliveryReason[]

/** The sentence for a reason: what happened and what to do. */
export function deliveryReasonSentence(reason: DeliveryReason, lang: Lang): string {
  return deliveryReasons[reason][lang]
}

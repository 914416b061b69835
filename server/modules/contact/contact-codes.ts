import type { Lang } from '../../../contract/error-codes.ts'

/** What a code of WeCom means for customer contact, and what to do (protocols wecom 6.2, 6.4). */
const sentences: Readonly<Record<string, Readonly<Record<Lang, string>>>> = {
  41045: {
    zh: '企业的「联系我」二维码已达上限：请停用不再使用的二维码后重试',
    en: 'The company has reached its limit of contact QR codes. End those no longer used, then try again',
  },
  41054: {
    zh: '有接待成员还没有激活企业微信：请换一位成员后重新制作',
    en: 'A member who serves it has not activated WeCom. Choose another member and make it anew',
  },
  40098: {
    zh: '有接待成员还没有实名认证：请换一位成员后重新制作',
    en: 'A member who serves it is not verified. Choose another member and make it anew',
  },
  60011: {
    zh: '应用没有这些成员的客户联系权限：请管理员在企业微信后台把应用加入「可调用应用」，并把成员加入使用范围',
    en: 'The app may not act for these members. Ask the WeCom administrator to allow the app under customer contact and to add the members to its range',
  },
  84074: {
    zh: '没有客户联系权限：请管理员在企业微信后台为接待成员开启客户联系',
    en: 'Customer contact is not granted. Ask the WeCom administrator to enable it for the serving members',
  },
  41048: {
    zh: '没有可以发送的外部联系人：他们可能已经删除了接待成员',
    en: 'There is no contact to send to. They may have removed the serving members',
  },
  not_connected: {
    zh: '企业微信未连接或凭证已失效：请管理员在设置里修复后重试',
    en: 'WeCom is not connected or its credential is wrong. Mend it in settings, then try again',
  },
}

/** The sentence for a code: what happened and what to do; for a code that nobody has met, whom to ask. */
export function contactCodeSentence(code: string, lang: Lang): string {
  const known = sentences[code]
  if (known !== undefined) return known[lang]
  return lang === 'zh'
    ? `企业微信拒绝了（${code}）：请稍后重试，仍不行请把这个编号告知支持人员`
    : `WeCom refused (${code}). Try again later; if it goes on, tell support this number`
}

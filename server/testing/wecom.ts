import type { WecomSandbox } from '../../sandbox/wecom/server.ts'
import type { PassPort, ReviewPort, SmsPort, WebhookPort, WecomApp, WecomPort } from '../channels/ports.ts'
import { invoiceAdapter } from '../channels/invoice/adapter.ts'
import { wechatAdapter } from '../channels/wechat/adapter.ts'
import type { WechatPort } from '../channels/wechat-port.ts'
import { passAdapter } from '../channels/pass/adapter.ts'
import { reviewAdapter } from '../channels/review/adapter.ts'
import { ownWordsFile, readWords } from '../channels/review/words-file.ts'
import { wecomAdapter, type WecomOptions } from '../channels/wecom/adapter.ts'

/** The real adapter, speaking with a sandbox. */
export const wecomOf = ({ baseUrl }: Pick<WecomSandbox, 'baseUrl'>, more: Partial<WecomOptions> = {}): WecomPort =>
  wecomAdapter({
    apiBase: baseUrl,
    oauthBase: baseUrl,
    loginBase: baseUrl,
    installBase: baseUrl,
    now: Date.now,
    ...more,
  })

/** A house without short messages: any use of them throws. */
export const noSms: SmsPort = {
  sendCode: async () => {
    throw new Error('no short messages in this test')
  },
}

/** A house without an invoice service: requests wait. */
export const noInvoices = invoiceAdapter({ service: null, now: Date.now })

/** A house whose merchants want to hear nothing. */
export const noWebhooks: WebhookPort = {
  send: () => {
    throw new Error('this test tells no merchant anything')
  },
}

/** A house without a service account: any use of it is `broken`. */
export const noWechat: WechatPort = wechatAdapter({ apiBase: '', oauthBase: '', account: null, now: Date.now })

/** No certificate for passes. */
export const noPasses: PassPort = passAdapter(null)

/** Texts are judged by the words of the house; pictures pass as in the sandbox. */
export const easyReview: ReviewPort = reviewAdapter({ words: readWords(ownWordsFile), pictures: 'pass' })

/** What the sandbox is told of a self-built app. */
export const corpOf = ({ corpId, agentId, secret }: WecomApp) => ({ corpId, agentId, secret })

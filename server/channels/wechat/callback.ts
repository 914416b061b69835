import { createHash } from 'node:crypto'
import { OutsideError, NoticeRefused } from '../../kernel/outside.ts'
import { checkSignature, encryptedPart, openPush } from '../../kernel/push-envelope.ts'
import { kindOf, readEvent, type Elements } from '../../kernel/push-xml.ts'
import type { WecomValue } from '../ports.ts'
import type { WechatPort, WechatSubscriptionChange } from '../wechat-port.ts'
import type { WechatAccount } from './account.ts'

/** Pushes of the service account (11). The safe mode alone: in the plain one nothing proves the body. */
export function callbackReaders(
  account: WechatAccount,
  now: () => number,
): Pick<WechatPort, 'verifyCallback' | 'openCallback'> {
  const keysOf = () => {
    if (account.callback === null)
      throw new OutsideError('broken', 'not_configured', 'no callback of wechat is configured')
    return account.callback
  }
  return {
    verifyCallback(query) {
      if (!query.echostr) throw new NoticeRefused('malformed')
      checkSignature(keysOf().token, query, query.signature, [], now())
      return query.echostr
    },
    openCallback(query, raw) {
      const { token, encodingAesKey: aesKey } = keysOf()
      const encrypted = encryptedPart(raw)
      const { message } = openPush({ token, aesKey, receiveIds: [account.appid] }, query, encrypted, now())
      const elements = readEvent(message)
      const kind = kindOf(elements)
      return {
        kind,
        openid: textOf(elements['FromUserName']),
        createdAtMs: (Number(textOf(elements['CreateTime'])) || 0) * 1000,
        subscriptions: changesIn(kind, elements),
        digest: createHash('sha256').update(message).digest('hex'),
      }
    },
  }
}

/**
 * What an event tells of permissions. Its name says which it is and not the wrapper: WeChat's own sample once told a change
 * in that of a popup (10).
 */
function changesIn(kind: string, elements: Elements): readonly WechatSubscriptionChange[] {
  const read = readers[kind]
  if (read === undefined) return []
  return wrappers
    .flatMap((name) => itemsOf(elements[name]))
    .flatMap((item) => {
      const templateId = textOf(item['TemplateId'])
      const change = templateId === null ? null : read(item)
      return templateId === null || change === null ? [] : [{ templateId, ...change }]
    })
}

type Change = Omit<WechatSubscriptionChange, 'templateId'>

const wrappers = ['SubscribeMsgPopupEvent', 'SubscribeMsgChangeEvent', 'SubscribeMsgSentEvent'] as const
const readers: Readonly<Record<string, (item: Elements) => Change | null>> = {
  subscribe_msg_popup_event: (item) => answered(item, { accept: 'accepted', reject: 'declined' }),
  subscribe_msg_change_event: (item) => answered(item, { reject: 'withdrawn' }),
  subscribe_msg_sent_event: sent,
}

function answered(item: Elements, words: Readonly<Record<string, Change['change']>>): Change | null {
  const change = words[textOf(item['SubscribeStatusString']) ?? '']
  return change === undefined ? null : { change, messageId: null, code: null }
}

function sent(item: Elements): Change {
  const code = textOf(item['ErrorCode']) ?? '0'
  const messageId = textOf(item['MsgID']) ?? textOf(item['MsgId'])
  return code === '0' ? { change: 'delivered', messageId, code: null } : { change: 'failed', messageId, code }
}

/** The items of a list, where siblings of the name `List` repeat, there is one, or a list was written as JSON would be. */
function itemsOf(wrapper: WecomValue | undefined): readonly Elements[] {
  return many(wrapper).flatMap((one) => (isElements(one) ? many(one['List']).filter(isElements) : []))
}

const many = (value: WecomValue | undefined): readonly WecomValue[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly WecomValue[]) : [value]

function isElements(value: WecomValue): value is Elements {
  return typeof value === 'object' && !Array.isArray(value)
}

const textOf = (value: WecomValue | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value : null

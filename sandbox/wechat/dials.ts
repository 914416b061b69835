import { callDials } from '../call-faults.ts'
import type { DialGroup } from '../look/dials-page.ts'
import type { Fault } from './state.ts'

type Dials = readonly (DialGroup & {
  readonly dials: readonly (DialGroup['dials'][number] & { kind: Fault['kind'] })[]
})[]

/** Every kind of fault of WeChat's consumer side, in words. */
export const wechatDials: Dials = [
  {
    title: '接口调用',
    lead: '作用于福利卡调用微信的请求。',
    dials: [
      ...callDials({
        lost: '订阅消息不应再发第二次，网页授权的 code 已经用掉。',
        errcodes: '-1 系统繁忙，45009 超过限额，40001 令牌无效，43101 没有订阅',
      }),
    ],
  },
  {
    title: '网页授权和微信内网页',
    lead: '作用于买家手机上的微信。',
    dials: [
      {
        kind: 'double_redirect',
        name: '重复跳转',
        does: '同一个 code 送到两次：先在后台请求一次，再真正跳转。第二次会得到 40163。',
        fields: [],
      },
      { kind: 'pay_says_ok', name: '页面以为付成了', does: '不管实际结果，页面得到 ok。', fields: [] },
      { kind: 'pay_says_cancel', name: '页面以为取消了', does: '不管实际结果，页面得到 cancel。', fields: [] },
      { kind: 'pay_says_fail', name: '页面以为付款失败', does: '不管实际结果，页面得到 fail。', fields: [] },
      {
        kind: 'tags_unsupported',
        name: '不支持开放标签',
        does: '下一个打开的网页得到 WeixinOpenTagsError，订阅按钮不出现。',
        fields: [],
      },
    ],
  },
  {
    title: '推送',
    lead: '作用于微信推送给福利卡的事件。没有人收就再推，一共 3 次。',
    dials: [
      { kind: 'push_lose', name: '丢失', does: '下一个事件不推送，也不再推。', fields: [] },
      { kind: 'push_delay', name: '延迟', does: '下一个事件晚一些推送。', fields: ['delayMs'] },
      { kind: 'push_repeat', name: '重复', does: '同一个事件同时推送多份。', fields: ['copies'] },
      { kind: 'push_wrong_signature', name: '签名错误', does: '下一次推送的签名对不上，应被拒绝。', fields: [] },
      { kind: 'push_stale', name: '过期', does: '下一次推送的时间是一小时前，应被拒绝。', fields: [] },
      { kind: 'push_plain', name: '明文', does: '下一次推送不加密，签名不含正文，应被拒绝。', fields: [] },
    ],
  },
]

/** The calls that a fault may be limited to. */
export const wechatPaths = [
  ['', '全部'],
  ['sns/oauth2/access_token', '网页授权换身份 sns/oauth2/access_token'],
  ['sns/jscode2session', '小程序登录 sns/jscode2session'],
  ['cgi-bin/stable_token', '取令牌 cgi-bin/stable_token'],
  ['cgi-bin/ticket/getticket', '取 JS 票据 cgi-bin/ticket/getticket'],
  ['cgi-bin/message/subscribe/bizsend', '发订阅消息 bizsend'],
] as const

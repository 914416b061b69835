import { callDials } from '../call-faults.ts'
import type { DialGroup } from '../look/dials-page.ts'
import type { Fault } from './state.ts'

type Dials = readonly (DialGroup & {
  readonly dials: readonly (DialGroup['dials'][number] & { kind: Fault['kind'] })[]
})[]

/** Every kind of fault of the WeCom half, in words. */
export const wecomDials: Dials = [
  {
    title: '接口调用',
    lead: '作用于福利卡调用企业微信的请求。企业微信不用 HTTP 429 限流：超出频率时回答 HTTP 200，errcode 45009，用“返回错误码”来演。',
    dials: [
      ...callDials({
        lost: '重发时应由排重挡住第二条消息。',
        errcodes: '45009 频率超限，42001 令牌过期，-1 系统繁忙，60011 没有权限',
      }),
      {
        kind: 'message_lose',
        name: '消息丢失',
        does: '回答 errcode 0，员工却收不到。真实的企业微信在每人每分钟超过 30 条时就是这样。',
        fields: [],
      },
    ],
  },
  {
    title: '回调事件',
    lead: '作用于企业微信发给福利卡的事件（先在“回调”页保存回调地址）。没有收到 200 的事件最多补发 3 次，内容不变，签名每次都是新的。',
    dials: [
      { kind: 'callback_lose', name: '丢失', does: '下一个事件不发出，也不补发。', fields: [] },
      { kind: 'callback_delay', name: '延迟', does: '下一个事件晚一些发出。', fields: ['delayMs'] },
      { kind: 'callback_repeat', name: '重复', does: '同一个事件同时发出多份。', fields: ['copies'] },
      {
        kind: 'callback_reorder',
        name: '乱序',
        does: '接下来几个事件攒在一起，倒着发出；10 秒内没有攒够也发出。',
        fields: [],
        times: 2,
      },
      {
        kind: 'callback_wrong_signature',
        name: '签名错误',
        does: '下一次发送的签名对不上。应被拒绝，随后补发的一次是对的。',
        fields: [],
      },
      {
        kind: 'callback_stale',
        name: '时间过旧',
        does: '签名正确，但时间是一小时以前，像是被人重放。应被拒绝。',
        fields: [],
      },
      {
        kind: 'callback_wrong_receiver',
        name: '收件企业不对',
        does: '签名正确，密文里写的是别的企业。应被拒绝。',
        fields: [],
      },
      {
        kind: 'callback_truncate',
        name: '正文被截断',
        does: '只发出前半段正文。应被拒绝，随后补发的一次是完整的。',
        fields: [],
      },
      {
        kind: 'callback_unknown',
        name: '夹带未知事件',
        does: '在下一个事件之前，先发一个福利卡不认识的事件。应照常回答并留下记录。',
        fields: [],
      },
      {
        kind: 'callback_bare_change_type',
        name: 'ChangeType 不带 CDATA',
        does: '下一个事件的 ChangeType 不用 CDATA 包住，真实的企业微信也常这样。',
        fields: [],
      },
    ],
  },
  {
    title: '短信',
    lead: '作用于福利卡发出的验证码短信。变慢、500、断开用上面的“接口调用”，接口选“短信”。',
    dials: [
      { kind: 'sms_lose', name: '短信丢失', does: '回答成功，手机却收不到。', fields: [] },
      { kind: 'sms_refuse', name: '短信被拒', does: '回答 400：这个号码不收短信。', fields: [] },
      { kind: 'sms_busy', name: '短信限流', does: '什么也没做，回答 429，请对方 2 秒后再来。', fields: [] },
    ],
  },
]

/** The calls that a fault can be meant for. */
export const wecomPaths = [
  ['', '全部接口'],
  ['message/send', '发送消息 message/send'],
  ['gettoken', '取令牌 gettoken'],
  ['/sms/messages', '短信 /sms/messages'],
  ['user/getuserid', '手机号查成员 user/getuserid'],
  ['auth/getuserinfo', '登录换身份 auth/getuserinfo'],
  ['message/update_template_card', '更新卡片 message/update_template_card'],
  ['message/recall', '撤回消息 message/recall'],
  ['media/upload', '上传素材 media/upload'],
  ['user/list_id', '成员账号列表 user/list_id'],
  ['user/simplelist', '部门成员 user/simplelist'],
  ['department/simplelist', '部门列表 department/simplelist'],
  ['get_jsapi_ticket', '企业 JS 票据 get_jsapi_ticket'],
  ['ticket/get', '应用 JS 票据 ticket/get'],
  ['service/v2/get_permanent_code', '换永久授权码 v2/get_permanent_code'],
  ['service/get_corp_token', '取企业令牌 get_corp_token'],
  ['externalcontact/add_contact_way', '新建联系我 add_contact_way'],
  ['externalcontact/send_welcome_msg', '发欢迎语 send_welcome_msg'],
  ['externalcontact/add_msg_template', '建群发任务 add_msg_template'],
] as const

import type { DialGroup } from '../look/dials-page.ts'
import type { Mutation } from './notices.ts'
import type { Fault } from './state.ts'

type Dials = readonly (DialGroup & {
  readonly dials: readonly (DialGroup['dials'][number] & { kind: Fault['kind'] })[]
})[]

/** Every kind of fault of the WeChat Pay half, in words. */
export const payDials: Dials = [
  {
    title: '支付通知',
    lead: '作用于付款成功后发给福利卡的通知。没有收到 200 或 204 的通知，按 15 秒、15 秒、30 秒、3 分钟……最多补发 15 次。',
    dials: [
      {
        kind: 'notice_lose',
        name: '丢失',
        does: '下一笔付款的通知不发出，也不补发。福利卡应靠查询知道钱到了。',
        fields: [],
      },
      { kind: 'notice_delay', name: '延迟', does: '下一笔付款的通知晚一些发出。', fields: ['delayMs'] },
      { kind: 'notice_repeat', name: '重复', does: '同一条通知同时发出多份。订单只应入账一次。', fields: ['copies'] },
      {
        kind: 'notice_reorder',
        name: '乱序',
        does: '接下来几条通知攒在一起，倒着发出；10 秒内没有攒够也发出。',
        fields: [],
        times: 2,
      },
      {
        kind: 'notice_wrong_signature',
        name: '签名错误',
        does: '用别人的密钥签名。应被拒绝，随后补发的一次是对的。',
        fields: [],
      },
      {
        kind: 'notice_wrong_signature_probe',
        name: '签名探测',
        does: '微信支付会不时发来故意签错的通知（WECHATPAY/SIGNTEST/），看商户有没有验签。应被拒绝。',
        fields: [],
      },
      { kind: 'notice_stale', name: '时间过旧', does: '签名正确，但时间是 5 分钟以前。应被拒绝。', fields: [] },
    ],
  },
  {
    title: '接口调用',
    lead: '作用于福利卡调用微信支付的请求。',
    dials: [
      { kind: 'delay', name: '回答变慢', does: '先照常执行，过一会儿才回答。', fields: ['path', 'delayMs'] },
      {
        kind: 'status429',
        name: '429 限流',
        does: '不执行，回答 HTTP 429 FREQUENCY_LIMITED。应隔一会儿用同样的参数再试。',
        fields: ['path'],
      },
      { kind: 'cut_before', name: '请求丢失', does: '什么也没做，连接断开。', fields: ['path'] },
      { kind: 'cut_after', name: '回答丢失', does: '已经做完，回答没有送到，连接断开。', fields: ['path'] },
      {
        kind: 'status500_before',
        name: '500，未执行',
        does: '什么也没做，回答 HTTP 500 SYSTEM_ERROR。',
        fields: ['path'],
      },
      {
        kind: 'status500_after',
        name: '500，已执行',
        does: '已经做完，却回答 HTTP 500 SYSTEM_ERROR。',
        fields: ['path'],
      },
      {
        kind: 'broken_response_signature',
        name: '回答验签不过',
        does: '已经做完，但回答的签名对不上。福利卡应当作“结果不明”，再去查询。',
        fields: ['path'],
      },
    ],
  },
]

/** The calls that a fault can be meant for: a part of the path. */
export const payPaths = [
  ['', '全部接口'],
  ['/native', '下单 native'],
  ['/out-trade-no/', '查单和关单 out-trade-no'],
  ['/close', '关单 close'],
] as const

/** A notice that is sent again by hand, straight or broken in one way. */
export const noticeWords: Record<Mutation, string> = {
  signature: '签名错误',
  probe: '签名探测（SIGNTEST）',
  stale: '时间过旧',
  serial: '公钥编号不认识',
  cipher: '密文解不开',
  body: '正文多一个空格',
  amount: '金额多一分',
  merchant: '别的商户号',
  unknown_order: '没有这个订单号',
}

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
    lead: '作用于付款、退款和分账的通知。没有收到 200 或 204 的通知，按 15 秒、15 秒、30 秒、3 分钟……最多补发 15 次。',
    dials: [
      {
        kind: 'notice_lose',
        name: '丢失',
        does: '下一笔的通知不发出，也不补发。福利卡应靠查询知道钱到了。',
        fields: [],
      },
      { kind: 'notice_delay', name: '延迟', does: '下一笔的通知晚一些发出。', fields: ['delayMs'] },
      {
        kind: 'notice_early',
        name: '先于下单的回答',
        does: '下一笔订单还没有回答就已付清，通知也先到。订单应照常入账。',
        fields: [],
      },
      {
        kind: 'notice_repeat',
        name: '同时重复',
        does: '同一条通知同时发出多份。订单只应入账一次。',
        fields: ['copies'],
      },
      {
        kind: 'notice_again',
        name: '先后重复',
        does: '同一条通知收到确认后，又一份接一份地发。订单只应入账一次。',
        fields: ['copies'],
      },
      {
        kind: 'notice_reorder',
        name: '乱序',
        does: '接下来几条通知攒在一起，倒着发出；10 秒内没有攒够也发出。',
        fields: [],
        times: 2,
      },
    ],
  },
  {
    title: '有问题的通知',
    lead: '先发一条有问题的通知，15 秒后补发一条对的。有问题的应被拒绝，或记下来等人处理，不能入账。',
    dials: [
      { kind: 'notice_wrong_signature', name: '签名错误', does: '用别人的密钥签名。', fields: [] },
      {
        kind: 'notice_wrong_signature_probe',
        name: '签名探测',
        does: '微信支付会不时发来故意签错的通知（WECHATPAY/SIGNTEST/），看商户有没有验签。',
        fields: [],
      },
      { kind: 'notice_stale', name: '时间过旧', does: '签名正确，但时间是 5 分钟以前。', fields: [] },
      { kind: 'notice_serial', name: '公钥编号不认识', does: '签名用的编号没有人认识。', fields: [] },
      { kind: 'notice_body', name: '正文多一个空格', does: '签名之后，正文多了一个空格。', fields: [] },
      { kind: 'notice_cipher', name: '密文解不开', does: '用别的 APIv3 密钥加密。', fields: [] },
      { kind: 'notice_merchant', name: '别的商户号', does: '签名正确，内容是别的商户号。', fields: [] },
      { kind: 'notice_appid', name: '别的 appid', does: '签名正确，内容是别的 appid。', fields: [] },
      { kind: 'notice_amount', name: '金额多一分', does: '签名正确，金额与订单不同。', fields: [] },
      { kind: 'notice_unknown_order', name: '没有这个订单号', does: '签名正确，订单号谁也没有下过。', fields: [] },
      { kind: 'notice_event', name: '不认识的事件类型', does: '签名正确，event_type 是新的。', fields: [] },
      {
        kind: 'notice_profitsharing',
        name: '以支付之名的分账通知',
        does: 'event_type 是 TRANSACTION.SUCCESS，original_type 却是 profitsharing。',
        fields: [],
      },
      { kind: 'notice_xml', name: '旧版 XML', does: '发来 v2 的 XML 通知。', fields: [] },
    ],
  },
  {
    title: '接口调用：没有执行',
    lead: '作用于福利卡调用微信支付的请求：什么也没有做。',
    dials: [
      {
        kind: 'status429',
        name: '429 限流',
        does: '回答 HTTP 429 FREQUENCY_LIMITED。应隔一会儿用同样的参数再试。',
        fields: ['path'],
      },
      { kind: 'cut_before', name: '请求丢失', does: '连接断开。', fields: ['path'] },
      { kind: 'timeout_before', name: '没有回音', does: '一分钟不回答，然后断开。', fields: ['path'] },
      { kind: 'status500_before', name: '500，未执行', does: '回答 HTTP 500 SYSTEM_ERROR。', fields: ['path'] },
      { kind: 'status502_before', name: '502，未执行', does: '回答 HTTP 502。', fields: ['path'] },
    ],
  },
  {
    title: '接口调用：已经执行',
    lead: '作用于福利卡调用微信支付的请求：事情已经做完，福利卡却无从知道。应当作“结果不明”，先查询，再用同一个单号。',
    dials: [
      { kind: 'delay', name: '回答变慢', does: '先照常执行，过一会儿才回答。', fields: ['path', 'delayMs'] },
      { kind: 'cut_after', name: '回答丢失', does: '回答没有送到，连接断开。', fields: ['path'] },
      { kind: 'timeout_after', name: '没有回音，已执行', does: '一分钟不回答，然后断开。', fields: ['path'] },
      { kind: 'truncated_after', name: '回答只有一半', does: '回答送到一半，连接断开。', fields: ['path'] },
      { kind: 'status500_after', name: '500，已执行', does: '回答 HTTP 500 SYSTEM_ERROR。', fields: ['path'] },
      { kind: 'status502_after', name: '502，已执行', does: '回答 HTTP 502。', fields: ['path'] },
      {
        kind: 'status429_after',
        name: '429，已执行',
        does: '回答 HTTP 429，退款尤其如此：可能已经受理。',
        fields: ['path'],
      },
      {
        kind: 'broken_response_signature',
        name: '回答验签不过',
        does: '回答的签名对不上。',
        fields: ['path'],
      },
    ],
  },
]

/** The calls that a fault can be meant for: a part of the path. */
export const payPaths = [
  ['', '全部接口'],
  ['/pay/transactions/native', '下单 native'],
  ['/pay/transactions/jsapi', '下单 jsapi'],
  ['/pay/transactions/h5', '下单 h5'],
  ['/combine-transactions/', '合单'],
  ['/out-trade-no/', '查单和关单 out-trade-no'],
  ['/close', '关单 close'],
  ['/refund/domestic/refunds', '退款'],
  ['/profitsharing/receivers', '分账接收方'],
  ['/profitsharing/orders', '分账、解冻和查询'],
  ['/profitsharing/return-orders', '分账回退'],
  ['/bill', '账单'],
  ['/certificates', '平台证书'],
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
  appid: '别的 appid',
  event: '不认识的事件类型',
  profitsharing: '以支付通知之名的分账通知',
  xml: '旧版 XML 通知',
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Context, Next } from 'koa'
import type { DialGroup } from './look/dials-page.ts'

/** What may go wrong with a call that answers by an errcode, at WeCom and at WeChat alike. */
export const callFaultKinds = [
  'delay',
  'cut_before',
  'cut_after',
  'status500_before',
  'status500_after',
  'errcode',
] as const

/** Answers a call as its fault says; one of another kind, or none, leaves it alone. `refuse` answers by an errcode. */
export async function callWith(
  fault: { readonly kind: string; readonly delayMs: number; readonly errcode: number } | null,
  ctx: Context,
  next: Next,
  refuse: (errcode: number) => void,
): Promise<void> {
  switch (fault?.kind) {
    case 'delay':
      await next()
      await sleep(fault.delayMs)
      return
    case 'status500_before':
      ctx.status = 500
      return
    case 'errcode':
      return refuse(fault.errcode)
    case 'status500_after':
      await next()
      ctx.status = 500
      ctx.body = 'sandbox fault'
      return
    case 'cut_after':
      await next()
      return cut(ctx)
    case 'cut_before':
      return cut(ctx)
    default:
      return next()
  }
}

function cut(ctx: Context): void {
  ctx.respond = false
  ctx.req.socket.destroy()
}

/** The same in words. `lost`: what must follow from an answer that was lost; `errcodes`: those worth trying. */
export function callDials(words: {
  readonly lost: string
  readonly errcodes: string
}): readonly (DialGroup['dials'][number] & { readonly kind: (typeof callFaultKinds)[number] })[] {
  return [
    {
      kind: 'delay',
      name: '回答变慢',
      does: '先照常执行，过一会儿才回答。超过对方的等待时间，就成了“做了但不知道”。',
      fields: ['path', 'delayMs'],
    },
    { kind: 'cut_before', name: '请求丢失', does: '什么也没做，连接断开。', fields: ['path'] },
    {
      kind: 'cut_after',
      name: '回答丢失',
      does: `已经做完，回答没有送到，连接断开。${words.lost}`,
      fields: ['path'],
    },
    { kind: 'status500_before', name: '500，未执行', does: '什么也没做，回答 HTTP 500。', fields: ['path'] },
    { kind: 'status500_after', name: '500，已执行', does: '已经做完，却回答 HTTP 500。', fields: ['path'] },
    {
      kind: 'errcode',
      name: '返回错误码',
      does: `不执行，回答指定的 errcode：${words.errcodes}。`,
      fields: ['path', 'errcode'],
    },
  ]
}

import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { WechatState } from './state.ts'

/** What a page hands to `wx.config`, and where it stands. */
export const pageConfig = z.object({
  url: z.string().max(4_000),
  appId: z.string(),
  timestamp: z.union([z.number(), z.string()]).transform(String),
  nonceStr: z.string(),
  signature: z.string(),
})
export type PageConfig = z.output<typeof pageConfig>

/** What WeChat's client says of it (5.1): null, or the message of `wx.error` with the part that differs. */
export function judgePage(
  state: WechatState,
  page: PageConfig,
): { readonly errMsg: string; readonly differs: string } | null {
  const app = state.apps.get(page.appId)
  if (app?.kind !== 'service') return { errMsg: 'config:invalid appid', differs: 'appId' }
  if (!URL.canParse(page.url) || !app.domains.includes(new URL(page.url).host))
    return { errMsg: 'config:invalid url domain', differs: 'url' }
  const wrong = (differs: string) => ({ errMsg: 'config:invalid signature', differs })
  if (!app.ticket || app.ticket.untilMs <= state.now()) return wrong('ticket')
  const { value } = app.ticket
  const fits = (one: PageConfig) => signatureOf(value, one) === page.signature
  const [bare = ''] = page.url.split('#', 1)
  if (fits({ ...page, url: bare })) return null
  const [path = ''] = bare.split('?', 1)
  if (fits(page) || fits({ ...page, url: path }) || fits({ ...page, url: encodeURIComponent(bare) }))
    return wrong('url')
  if (fits({ ...page, url: bare, timestamp: page.timestamp.slice(0, 10) })) return wrong('timestamp')
  return wrong('ticket, noncestr, timestamp or url')
}

function signatureOf(ticket: string, { url, nonceStr, timestamp }: PageConfig): string {
  const text = `jsapi_ticket=${ticket}&noncestr=${nonceStr}&timestamp=${timestamp}&url=${url}`
  return createHash('sha1').update(text).digest('hex')
}

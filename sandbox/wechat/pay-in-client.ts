import { z } from 'zod'
import { openidOf } from './ids.ts'
import { takeFault, type Person, type WechatState } from './state.ts'

const params = z.object({
  appId: z.string(),
  timeStamp: z.string(),
  nonceStr: z.string(),
  package: z.string(),
  signType: z.string(),
  paySign: z.string(),
})
const asked = z.object({ params, outcome: z.enum(['success', 'cancel', 'bank_limit']).default('success') })
const sheet = z.object({ refused: z.string() }).or(z.looseObject({ amount: z.number() }))
const paid = z.object({ paid: z.boolean(), message: z.string() })

/**
 * The pay sheet of a phone: it asks WeChat Pay over HTTP, in the name of whoever's phone it is. What the page is told
 * (`says`) may differ from what happened, as the dials want.
 */
export async function payInClient(
  state: WechatState,
  at: { readonly person: Person | null; readonly payPort: number | undefined },
  said: unknown,
  step: 'sheet' | 'pay',
): Promise<object> {
  const { params: signed, outcome } = asked.parse(said)
  const app = state.apps.get(signed.appId)
  if (at.payPort === undefined) return { refused: '支付沙箱没有运行。' }
  if (at.person === null) return { refused: '先在沙箱里选一位买家的手机。' }
  if (!app) return { refused: '这个 appId 不是公众号：订单要用服务号的 appid。' }
  const openid = openidOf(app, at.person)
  const body = JSON.stringify({ ...signed, openid, outcome })
  const answer = await fetch(`http://127.0.0.1:${at.payPort}/jsapi/${step}`, { method: 'POST', body })
  if (step === 'sheet') return sheet.parse(await answer.json())
  const { paid: done, message } = paid.parse(await answer.json())
  const truth = done ? 'ok' : outcome === 'cancel' ? 'cancel' : 'fail'
  return { says: whatIsSaid(state) ?? truth, message }
}

function whatIsSaid(state: WechatState): 'ok' | 'cancel' | 'fail' | null {
  const fault = takeFault(state, ['pay_says_ok', 'pay_says_cancel', 'pay_says_fail'], null)
  return fault ? (fault.kind.slice('pay_says_'.length) as 'ok' | 'cancel' | 'fail') : null
}

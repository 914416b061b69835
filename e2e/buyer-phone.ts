import type { Page } from 'playwright-core'
import { press, SLOW } from './browser.ts'

/** Makes this browser the phone of a person with WeChat (chenyu, wangfang, lina, zhaolei, …). */
export async function holdPhone(page: Page, wechatUrl: string, personId: string): Promise<void> {
  await page.goto(`${wechatUrl}/phone/${personId}`)
  await page.getByRole('link', { name: '福利卡商城' }).waitFor(SLOW)
}

/** WeChat's pay sheet over the page: one tap pays, the other leaves. Waits until it is gone. */
export async function answerPaySheet(page: Page, button: '确认支付' | '取消' = '确认支付'): Promise<void> {
  const sheet = page.getByRole('dialog', { name: '微信支付' })
  await press(sheet, button)
  await sheet.waitFor({ state: 'hidden', ...SLOW })
}

/** Sends the page to a friend by WeChat's own menu. */
export async function shareWith(page: Page, friendName: string): Promise<void> {
  await press(page, '微信菜单')
  const sent = page.waitForResponse((answer) => answer.url().endsWith('/client/share'), SLOW)
  await press(page, `转发给${friendName}`)
  await sent
}

/** Opens the newest link that a friend sent, as the one whose phone it is. */
export async function openFromFriend(page: Page, wechatUrl: string, personId: string, friendId: string): Promise<void> {
  await page.goto(`${wechatUrl}/phone/${personId}/with/${friendId}`)
  await page.locator('[data-last] a.card').click(SLOW)
}

/** A one-time code of somebody's phone, as a browser would bring it back; the person is made where there is none yet. */
export async function codeOfPhone(wechatUrl: string, appid: string, personId: string): Promise<string> {
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${wechatUrl}/__ctl/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as { readonly code: string }
  }
  await post('persons', { id: personId })
  return (await post('code', { appid, personId })).code
}

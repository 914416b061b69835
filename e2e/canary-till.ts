import { change, sql } from '../server/kernel/sql.ts'
import { askPos, type PosKey } from '../server/testing/pos.ts'
import { canaries as c } from './canaries.ts'
import type { OpenStage } from './stage.ts'
import { freshKey, Refused, Visitor } from './visitor.ts'

/** What became of a card at the tills. */
export interface Spent {
  /** Keys, codes and tokens of links that were handed out on the way, by name. */
  readonly tokens: Readonly<Record<string, string>>
  readonly shown: unknown
  /** What a till carries away: the file of its day. */
  readonly dayFile: string
}

type Made = { readonly id: string; readonly secret: string | null }

/** A merchant is made for the card's brand, with a clerk, a terminal and a webhook; the card is paid with at both tills. */
export async function spendCard(
  stage: OpenStage,
  operator: Visitor,
  { company, cardId }: { readonly company: string; readonly cardId: string },
): Promise<Spent> {
  const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
  const brandId = await edge.tx(async (tx) => {
    await change(tx.em, 'update card set locked_until_ms = issued_at_ms where id = ?', [cardId])
    const [row] = await sql<{ id: string }>(tx.em, 'select brand_id as id from card where id = ?', [cardId])
    return row!.id
  })
  const make = (path: string, json: unknown) => operator.call<Made>(path, { json, key: freshKey() })
  const merchant = await make('/operator/merchants', { brandId, name: '金丝雀商户' })
  const shop = await make(`/operator/merchants/${merchant.id}/shops`, { name: '一店', city: '上海', address: '一路' })
  const { id: clerkId } = await make(`/operator/shops/${shop.id}/clerks`, { name: c.clerkName, role: 'manager' })
  const terminal = await make(`/operator/shops/${shop.id}/terminals`, { name: '收款机' })
  const webhook = await make(`/operator/merchants/${merchant.id}/webhooks`, { url: `${stage.payUrl}/hook` })
  const { url } = await operator.call<{ url: string }>(`/operator/clerks/${clerkId}/link`, { method: 'POST' })
  const phone = new Visitor(stage.serverUrl, 'wxwork')
  await phone.signIn('employee', company, c.userid)
  const readCode = async (): Promise<string> =>
    (await phone.call<{ code: string }>(`/employee/cards/${cardId}/pay-code`, { json: {} })).code

  const till = new Visitor(stage.serverUrl)
  const token = url.split('/').at(-1) ?? ''
  // As a phone opens it, whose address the log must not keep either.
  await till.send(url)
  await till.call('/merchant/sign-in', { json: { token } })
  await expectRefused(till.call('/merchant/sign-in', { json: { token } }))
  await till.call('/merchant/shifts', { json: {} })
  const clerkCode = await readCode()
  const { id } = await till.call<{ id: string }>('/merchant/scans', { json: { codes: [clerkCode] } })
  await till.call(`/merchant/purchases/${id}/redeem`, { json: { billFen: 1_000, partial: false } })
  await expectRefused(till.call('/merchant/scans', { json: { codes: [clerkCode] } }))

  const first = { base: stage.serverUrl, terminalId: terminal.id, secret: terminal.secret ?? '', now: Date.now }
  const posCode = await readCode()
  const bill = { codes: [posCode], billFen: 1_000, capture: true }
  const paid = await answerOf(first, 'POST', '/pos/v1/authorisations', bill)
  await expectRefused(answerOf(first, 'POST', '/pos/v1/authorisations', bill))
  await expectRefused(answerOf({ ...first, secret: c.operatorKey }, 'POST', '/pos/v1/authorisations', bill))
  const rotated = await make(`/operator/terminals/${terminal.id}/rotate`, {})
  const second = { ...first, secret: rotated.secret ?? '' }
  const day = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)
  const dayFile = await answerOf(second, 'GET', `/pos/v1/days/${day}/file`)
  const tokens = {
    clerkLink: token,
    clerkCode,
    posCode,
    terminalKey: first.secret,
    newTerminalKey: second.secret,
    webhookKey: webhook.secret ?? '',
  }
  for (const [name, value] of Object.entries(tokens)) if (value.length < 16) throw new Error(`no ${name}`)
  return { tokens, shown: { session: await till.call('/merchant/session'), paid }, dayFile }
}

async function answerOf(key: PosKey, method: 'GET' | 'POST', path: string, body?: unknown): Promise<string> {
  const answer = await askPos(key, method, path, body)
  const text = await answer.text()
  if (!answer.ok) throw new Refused(answer.status, 'pos', text)
  return text
}

async function expectRefused(asked: Promise<unknown>): Promise<void> {
  const was = await asked.then(
    () => null,
    (error: unknown) => error,
  )
  if (!(was instanceof Refused)) throw new Error('what was used up is taken again', { cause: was })
}

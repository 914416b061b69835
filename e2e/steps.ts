import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import type { Approved, CampaignContent, CreatedCampaign, DryRun, Templates } from '../contract/hr/campaign.ts'
import type { Progress } from '../contract/hr/delivery.ts'
import type { OrderView, PaymentView } from '../contract/hr/funding.ts'
import type { WalletView } from '../contract/hr/wallet.ts'
import type { RosterDetail, UploadedRoster } from '../contract/hr/staff.ts'
import type { Opened, Pack } from '../contract/employee/pack.ts'
import type { ImportedStatement, Proof } from '../contract/operator/platform.ts'
import { freshKey, Visitor } from './visitor.ts'

/** Where everything is. */
export interface Stage {
  readonly serverUrl: string
  readonly wecomUrl: string
  readonly payUrl: string
  readonly wechatUrl: string
  /** As the sandbox is told of it. */
  readonly corp: {
    readonly corpId: string
    readonly agentId: number
    readonly secret: string
    /** Left out: enough for whatever is sent. */
    readonly accountLimit?: number
  }
  readonly operatorKey: string
}

type Json<T extends z.ZodType> = z.output<T>

/** Asks again and again until there is an answer; throws when it takes longer than the limit. */
async function until<T>(what: string, limitMs: number, ask: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (Date.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s`)
    await sleep(200)
  }
}
const LONG = 600_000

/** Somebody of the demo company at their console. */
export async function memberOf(stage: Stage, userid: string, company = 'demo'): Promise<Visitor> {
  const visitor = new Visitor(stage.serverUrl)
  await visitor.signIn('hr', company, userid)
  return visitor
}

/** The platform's operator, signed in by access key. */
export async function operatorOf(stage: Stage): Promise<Visitor> {
  const visitor = new Visitor(stage.serverUrl)
  await visitor.call('/operator/session', { json: { key: stage.operatorKey } })
  return visitor
}

/** Puts people into the sandbox's WeCom. */
export async function fillDirectory(
  stage: Stage,
  members: readonly { userid: string; name: string; mobile: string | null; licensed?: boolean; visible?: boolean }[],
): Promise<void> {
  const trustedDomains = [new URL(stage.serverUrl).host]
  await control(`${stage.wecomUrl}/__ctl/corps`, { accountLimit: 20_000, ...stage.corp, trustedDomains, members })
}

/** One call of the sandbox's own control. */
export async function control<T = unknown>(url: string, body?: unknown): Promise<T> {
  const answer = await fetch(
    url,
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  )
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${(await answer.text()).slice(0, 300)}`)
  return (await answer.json()) as T
}

/** A file's name and a search text travel as headers: people write names and phones into them, and addresses are logged. */
export const fileNamed = (fileName: string) => ({ 'x-file-name': encodeURIComponent(fileName) })
export const searchFor = (text: string) => ({ headers: { 'x-search': encodeURIComponent(text) } })

/** HR uploads a file; the roster's id. */
export async function uploadRoster(hr: Visitor, fileName: string, raw: Uint8Array): Promise<string> {
  const uploaded = await hr.call<Json<typeof UploadedRoster>>('/hr/rosters?again=true', {
    raw,
    headers: fileNamed(fileName),
  })
  return uploaded.id
}

/** Waits until a roster is in one of these states; throws when it was rejected instead. */
export async function waitRoster(
  hr: Visitor,
  id: string,
  states: readonly RosterDetail['state'][],
  onStep?: (roster: RosterDetail) => void,
): Promise<RosterDetail> {
  return until('the roster', LONG, async () => {
    const roster = await hr.call<RosterDetail>(`/hr/rosters/${id}`)
    onStep?.(roster)
    if (roster.state === 'rejected') throw new Error(`roster rejected: ${roster.refusal?.message ?? ''}`)
    return states.includes(roster.state) ? roster : null
  })
}

/** HR takes the list over without its faulty rows. */
export async function applyRoster(hr: Visitor, id: string): Promise<RosterDetail> {
  await hr.call(`/hr/rosters/${id}/apply`, { json: { leaveOutFaulty: true, markLeavers: false } })
  return waitRoster(hr, id, ['used'])
}

/** HR drafts a campaign on a list: everybody, the amount of the column where the list has one, else one amount. */
export async function draftCampaign(
  hr: Visitor,
  wish: { rosterId: string; title: string; amountFrom: 'same' | 'column'; faceFen: number; templateName?: string },
): Promise<string> {
  const { templates } = await hr.call<Json<typeof Templates>>('/hr/templates')
  const template = templates.find((one) => one.name === (wish.templateName ?? '节日礼品卡')) ?? templates[0]
  if (template === undefined) throw new Error('the catalogue is empty')
  const content = {
    title: wish.title,
    occasion: 'mid_autumn',
    cover: 'mid_autumn',
    templateVersionId: template.versionId,
    rosterId: wish.rosterId as CampaignContent['rosterId'],
    selection: { kind: 'all' },
    amountFrom: wish.amountFrom,
    faceFen: wish.amountFrom === 'same' ? (wish.faceFen as CampaignContent['faceFen']) : null,
    greeting: '{姓名}，中秋快乐！感谢这一年的辛苦，愿你和家人团圆安康。',
    sendAtMs: null,
  } satisfies CampaignContent
  const { id } = await hr.call<Json<typeof CreatedCampaign>>('/hr/campaigns', { json: content })
  return id
}

/** HR looks at the dry run and submits exactly that; another person approves it. */
export async function submitAndApprove(
  hr: Visitor,
  approver: Visitor,
  campaignId: string,
): Promise<{ orderId: string; dryRun: DryRun }> {
  const dryRun = await hr.call<DryRun>(`/hr/campaigns/${campaignId}/dry-run`)
  if (!dryRun.canSubmit) throw new Error(`not to be submitted: ${dryRun.notes.map((note) => note.text).join(' ')}`)
  await hr.call(`/hr/campaigns/${campaignId}/submit`, { json: { contentHash: dryRun.contentHash } })
  const seen = await approver.call<DryRun>(`/hr/campaigns/${campaignId}/dry-run`)
  const { orderId } = await approver.call<Json<typeof Approved>>(`/hr/campaigns/${campaignId}/approve`, {
    json: { contentHash: seen.contentHash },
  })
  return { orderId, dryRun }
}

/** The order as finance sees it. */
export const readOrder = (finance: Visitor, orderId: string): Promise<OrderView> =>
  finance.call<OrderView>(`/hr/orders/${orderId}`)

/** Finance opens a payment from a source. */
export function openPayment(
  finance: Visitor,
  orderId: string,
  source: PaymentView['source'],
  amountFen: number,
): Promise<PaymentView> {
  return finance.call<PaymentView>(`/hr/orders/${orderId}/payments`, { json: { source, amountFen } })
}

/** Somebody scans the QR code with WeChat and pays: through the sandbox's cashier. */
export async function payByScan(stage: Stage, payment: PaymentView, openid?: string): Promise<void> {
  if (payment.codeUrl === null) throw new Error('the payment shows no QR code')
  const scan = await fetch(`${stage.payUrl}/scan?${new URLSearchParams({ code_url: payment.codeUrl }).toString()}`, {
    redirect: 'manual',
  })
  const cashier = new URL(scan.headers.get('location') ?? '', stage.payUrl)
  await control(`${stage.payUrl}/__ctl/pay`, {
    mchid: cashier.searchParams.get('mchid'),
    outTradeNo: decodeURIComponent(cashier.pathname.split('/').at(-1) ?? ''),
    outcome: 'success',
    ...(openid === undefined ? {} : { openid }),
  })
}

/** The company transfers money at its bank, writing the reference on it. */
export async function transfer(
  stage: Stage,
  reference: string,
  fen: number,
  payerName = '青禾制造有限公司',
  payerAccount = '6222020200012345678',
): Promise<void> {
  await control(`${stage.payUrl}/__ctl/bank/transfers`, {
    reference: `福利款 ${reference}`,
    payerName,
    payerAccount,
    fen,
  })
}

/** The platform's finance takes the bank's statement over. */
export async function importStatement(
  stage: Stage,
  operator: Visitor,
  fileName = `statement-${freshKey()}.csv`,
): Promise<Json<typeof ImportedStatement>> {
  const statement = await fetch(`${stage.payUrl}/__ctl/bank/statement.csv`)
  const raw = new Uint8Array(await statement.arrayBuffer())
  return operator.call('/operator/bank-statements', { raw, headers: fileNamed(fileName) })
}

/** The company's wallet. */
export const readWallet = (finance: Visitor): Promise<WalletView> => finance.call<WalletView>('/hr/wallet')

/** Waits until an order's money is there. */
export async function waitFunded(finance: Visitor, orderId: string): Promise<OrderView> {
  return until('the money', 60_000, async () => {
    const order = await readOrder(finance, orderId)
    return order.state === 'awaiting_funds' ? null : order
  })
}

/** Waits until every head is sent or failed. */
export async function waitDelivered(
  hr: Visitor,
  campaignId: string,
  onStep?: (progress: Progress) => void,
): Promise<Progress> {
  return until('the messages', LONG, async () => {
    const progress = await hr.call<Progress>(`/hr/campaigns/${campaignId}/progress`)
    onStep?.(progress)
    const done = progress.heads > 0 && progress.issued === progress.heads && progress.delivery.pending === 0
    return done ? progress : null
  })
}

/** An employee taps the message on the phone: silent sign-in, the pack, the card is opened. */
export async function openPack(stage: Stage, userid: string, campaignId: string, company = 'demo'): Promise<Pack> {
  const phone = new Visitor(stage.serverUrl, 'Mozilla/5.0 (iPhone) MicroMessenger/8.0 wxwork/4.1')
  await phone.signIn('employee', company, userid)
  const pack = await phone.call<Pack>('/employee/pack')
  await phone.call<Json<typeof Opened>>(`/employee/campaigns/${campaignId}/opened`, { json: {} })
  return pack
}

/** The books, recounted by the platform. */
export const proveBooks = (operator: Visitor): Promise<Proof> => operator.call<Proof>('/operator/prove', { json: {} })

import { setTimeout as sleep } from 'node:timers/promises'
import { fen } from '../contract/fen.ts'
import type { Id } from '../contract/ids.ts'
import type { Bills, Differences } from '../contract/operator/reconciliation.ts'
import type { Payouts, Splits } from '../contract/operator/settlement.ts'
import type { Brands } from '../contract/operator/terms.ts'
import type { Edge } from '../server/kernel/context.ts'
import { compareBillOf } from '../server/modules/reconciliation/compare-bill.ts'
import { readBills } from '../server/modules/reconciliation/read-bills.ts'
import { driveSplit } from '../server/modules/settlement/drive-split.ts'
import { planSettlement } from '../server/modules/settlement/plan-settlement.ts'
import type { z } from 'zod'
import type { OpenStage } from './stage.ts'
import * as step from './steps.ts'
import type { Visitor } from './visitor.ts'

const YUAN = 100
const MINUTE_MS = 60_000

interface People {
  readonly hr: Visitor
  readonly approver: Visitor
  readonly finance: Visitor
  readonly operator: Visitor
  /** A staff list to give cards to. */
  readonly rosterId: string
}

/**
 * Settlement in its states: a split that ended and one that needs a person, payouts in each state, a refund that hangs,
 * and differences of each kind. Answers the brand whose terms are looked at.
 */
export async function makeSettlement(stage: OpenStage, people: People): Promise<{ brand: string }> {
  const { operator } = people
  const { brands } = await operator.call<Brands>('/operator/brands')
  const brand = brands.find((one) => one.name === '青禾优选')
  if (brand === undefined) throw new Error('the demo has no such brand')
  await agree(operator, brand)
  const rules = { minShareAgeMs: 0, shareLatencyMs: 0, orderIntervalMs: 0 }
  await step.control(`${stage.payUrl}/__ctl/money-rules`, rules)
  const good = await sell(stage, people, '国庆礼遇')
  await settle(stage, operator, good)
  await makePayouts(operator)
  const account = brand.terms.channels?.[0]?.mchid ?? ''
  await step.control(`${stage.payUrl}/__ctl/money-outcomes`, { of: 'receiver', account, failReason: 'NO_AUTH' })
  await settle(stage, operator, await sell(stage, people, '重阳敬老礼遇'))
  await hangRefund(stage, people)
  await makeDifferences(stage, operator)
  return { brand: brand.id }
}

/** Shares at once, and earlier terms to look back at. */
async function agree(operator: Visitor, { id, terms }: Brands['brands'][number]): Promise<void> {
  const { number: _number, createdAtMs: _createdAtMs, ...entry } = terms
  const long = '华东大区企业福利联合推广服务中心（含上海、杭州、苏州驻场人员）'
  const channels = (entry.channels ?? []).map((one) => ({ ...one, name: long }))
  const json = { ...entry, channels, holdMs: 0, walletCredit: false }
  await operator.call(`/operator/brands/${id}/terms`, { json })
}

/** An order that is paid by WeChat Pay and from the wallet, and issued. */
async function sell(stage: OpenStage, { hr, approver, finance, rosterId }: People, title: string): Promise<string> {
  const campaign = await step.draftCampaign(hr, { rosterId, title, amountFrom: 'same', faceFen: 33 * YUAN })
  const { orderId, dryRun } = await step.submitAndApprove(hr, approver, campaign)
  const fromWallet = 1_000 * YUAN
  await step.openPayment(finance, orderId, 'wallet', fromWallet)
  const payment = await step.openPayment(finance, orderId, 'wechat_pay', dryRun.faceTotalFen - fromWallet)
  await step.payByScan(stage, payment)
  await step.waitFunded(finance, orderId)
  await step.waitDelivered(hr, campaign)
  return orderId
}

/** The same house, some time later. */
function later(edge: Edge, ms: number): Edge {
  const clock = { now: () => edge.clock.now() + ms }
  return {
    ...edge,
    clock,
    tx: (work) => edge.tx((tx) => work({ ...tx, clock })),
    read: (work) => edge.read((tx) => work({ ...tx, clock })),
  }
}
const edgeOf = (stage: OpenStage): Edge => stage.running.open.edgeFor({ kind: 'system', name: 'test' })

/** Plans and shares an order's money as if its window had ended. */
async function settle(stage: OpenStage, operator: Visitor, orderId: string): Promise<void> {
  const edge = later(edgeOf(stage), 30 * MINUTE_MS)
  await planSettlement(edge, orderId as Id<'order'>)
  for (let turn = 0; turn < 12; turn += 1) {
    const { splits } = await operator.call<z.infer<typeof Splits>>(`/operator/splits?orderId=${orderId}`)
    if (splits.length > 0 && splits.every((one) => one.state === 'finished' || one.state === 'stuck')) return
    for (const { id } of splits) await driveSplit(edge, id, turn)
  }
}

/** One payout waits for the statement, one was refused, one has no account; what is settled later is on none. */
async function makePayouts(operator: Visitor): Promise<void> {
  await operator.call('/operator/payouts/draft', { json: {} })
  const { payouts } = await operator.call<Payouts>('/operator/payouts')
  for (const { payee } of payouts.slice(1)) {
    const json = { holder: '收款人有限公司', number: '6222020200088888888', bank: '中国工商银行苏州分行' }
    await operator.call(`/operator/payees/${encodeURIComponent(payee)}/account`, { method: 'PUT', json })
  }
  await operator.call('/operator/payouts/export', { json: {} })
  const refused = payouts[1]
  if (refused) await operator.call(`/operator/payouts/${refused.id}/failed`, { json: { problem: 'account_wrong' } })
}

/** Money that goes back to a payer whose account takes nothing. */
async function hangRefund(stage: OpenStage, people: People): Promise<void> {
  const { hr, approver, finance, operator, rosterId } = people
  const wish = { rosterId, title: '冬至礼遇', amountFrom: 'same', faceFen: 20 * YUAN } as const
  const campaign = await step.draftCampaign(hr, wish)
  const { orderId, dryRun } = await step.submitAndApprove(hr, approver, campaign)
  const half = Math.floor(dryRun.faceTotalFen / 2)
  const payment = await step.openPayment(finance, orderId, 'wechat_pay', half)
  await step.payByScan(stage, payment)
  await sleep(500)
  await step.control(`${stage.payUrl}/__ctl/money-outcomes`, { of: 'refund', outcome: 'user_abnormal' })
  await finance.call(`/hr/orders/${orderId}/give-up`, { json: {} })
  for (let looks = 0; looks < 50; looks += 1) {
    const { parts } = await operator.call<{ parts: unknown[] }>('/operator/refund-parts')
    if (parts.length > 0) return
    await sleep(100)
  }
  throw new Error('no refund hangs')
}

/** Bills of today, as they might come tomorrow: a foreign payment, one of another amount, and the others missing. */
async function makeDifferences(stage: OpenStage, operator: Visitor): Promise<void> {
  const edge = later(edgeOf(stage), 24 * 60 * MINUTE_MS)
  const { wechatPay } = edge.ports
  const there = { kind: 'there', text: '' } as const
  const told = { ...edge, ports: { ...edge.ports, wechatPay: { ...wechatPay, fetchBill: async () => there } } }
  await readBills(told)
  const { bills } = await operator.call<z.output<typeof Bills>>('/operator/bills?limit=100')
  const [one] = bills
  for (const bill of bills) {
    const foreign = { ...paid, row: 7, outTradeNo: 'SHOP20261001000017', amountFen: fen(88_00) }
    const rows = bill.kind === 'trade' && bill.day === one?.day && bill.mchid === one.mchid ? [foreign] : []
    await compareBillOf(told, bill.id, { trade: () => rows, fundFlow: () => [], sharing: () => [] })
  }
  const list = () => operator.call<z.output<typeof Differences>>('/operator/differences')
  const missing = (await list()).differences.find((difference) => difference.subject.startsWith('paid FLK'))
  const bill = bills.find(
    (some) => some.mchid === missing?.mchid && some.day === missing.day && some.kind === missing.bill,
  )
  if (missing && bill) {
    const outTradeNo = missing.subject.split(' ')[1] ?? ''
    const other = { ...paid, row: 12, outTradeNo, amountFen: fen((missing.oursFen ?? 0) - 1) }
    await compareBillOf(told, bill.id, { trade: () => [other], fundFlow: () => [], sharing: () => [] })
  }
  const [taken, closed] = (await list()).differences
  if (taken) await operator.call(`/operator/differences/${taken.id}/take`, { method: 'POST' })
  const note = '商户在自己的小程序里收的款，与福利卡无关，已和商户财务确认。'
  if (closed) await operator.call(`/operator/differences/${closed.id}/close`, { json: { note } })
}

const paid = { refundId: null, outRefundNo: null, failed: false, kind: 'paid' } as const

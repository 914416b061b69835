import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Progress } from '../contract/hr/delivery.ts'
import type { OrderView } from '../contract/hr/funding.ts'
import type { RosterDetail } from '../contract/hr/staff.ts'
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { Refused, Visitor } from './visitor.ts'

interface Told {
  hr: Visitor
  approver: Visitor
  finance: Visitor
  bytes: Uint8Array
  rosterId: string
  campaignId: string
  orderId: string
  order: OrderView
  delivered: Progress
}

// The walk of docs/ARCHITECTURE.md, stop by stop, over HTTP with clean-200.xlsx.
describe.each(dialectsHere())('the walk (%s)', (dialect) => {
  let stage: OpenStage
  const told = {} as Told

  beforeAll(async () => {
    stage = await openStage(dialect)
    told.hr = await step.memberOf(stage, 'linxiao')
    told.approver = await step.memberOf(stage, 'zhoumin')
    told.finance = await step.memberOf(stage, 'chenli')
  })
  afterAll(() => stage.close())

  test('1 HR picks the file', async () => {
    told.bytes = await readFile(new URL('../samples/rosters/clean-200.xlsx', import.meta.url))
    expect(told.bytes.length).toBeGreaterThan(1000)
  })

  test('2 the roster is received, and the same file again is noticed', async () => {
    told.rosterId = await step.uploadRoster(told.hr, 'clean-200.xlsx', told.bytes)
    const again = told.hr.call('/hr/rosters?fileName=clean-200.xlsx', { raw: told.bytes })
    await expect(again).rejects.toMatchObject({ status: 409, code: 'roster_uploaded_before' })
  })

  test('3 the roster is read, shown against the staff, and applied', async () => {
    const done = await told.hr.follow<RosterDetail>(
      `/hr/rosters/${told.rosterId}/events`,
      (one) => one.state === 'ready',
    )
    expect([done.rowCount, done.faultyCount]).toEqual([200, 0])
    expect(await told.hr.call(`/hr/rosters/${told.rosterId}/changes`)).toMatchObject({
      joiners: 200,
      leavers: 0,
      changed: 0,
    })
    expect((await step.applyRoster(told.hr, told.rosterId)).state).toBe('used')
  })

  test('4 a campaign is drafted', async () => {
    told.campaignId = await step.draftCampaign(told.hr, {
      rosterId: told.rosterId,
      title: '中秋礼遇',
      amountFrom: 'same',
      faceFen: 50_000,
    })
    expect(await told.hr.call(`/hr/campaigns/${told.campaignId}`)).toMatchObject({ state: 'draft', title: '中秋礼遇' })
  })

  test('5 somebody else than its maker approves it', async () => {
    const { orderId, dryRun } = await step.submitAndApprove(told.hr, told.approver, told.campaignId)
    expect([dryRun.heads, dryRun.faceTotalFen]).toEqual([200, 10_000_000])
    expect(dryRun.notes.map((note) => note.level)).not.toContain('block')
    told.orderId = orderId
  })

  test('6 three payments are opened', async () => {
    const order = await step.readOrder(told.finance, told.orderId)
    expect([order.state, order.missingFen]).toEqual(['awaiting_funds', 10_000_000])
    const { reference } = await step.readWallet(told.finance)
    await step.transfer(stage, reference, 3_000_000)
    const bank = await step.openPayment(told.finance, told.orderId, 'bank_transfer', 4_500_000)
    await step.transfer(stage, bank.reference ?? '', 4_500_000)
    const scan = await step.openPayment(told.finance, told.orderId, 'wechat_pay', 2_500_000)
    expect(scan.codeUrl).toMatch(/^weixin:/)
    await step.payByScan(stage, scan)
  })

  test('7 the money arrives, the order is funded exactly once', async () => {
    await step.importStatement(stage, await step.operatorOf(stage))
    expect((await step.readWallet(told.finance)).balanceFen).toBe(3_000_000)
    await step.openPayment(told.finance, told.orderId, 'wallet', 3_000_000)
    told.order = await step.waitFunded(told.finance, told.orderId)
    expect(told.order.securedFen).toBe(told.order.totalFen)
    const paid = told.order.payments.filter((one) => one.state === 'paid').map((one) => [one.source, one.paidFen])
    expect(paid).toEqual(
      expect.arrayContaining([
        ['wallet', 3_000_000],
        ['wechat_pay', 2_500_000],
        ['bank_transfer', 4_500_000],
      ]),
    )
    expect(paid).toHaveLength(3)
  })

  test('8 cards are issued and 9 pushed: one for each head', async () => {
    told.delivered = await told.hr.follow<Progress>(
      `/hr/campaigns/${told.campaignId}/progress/events`,
      (one) => one.issued === 200 && one.delivery.pending === 0,
    )
    const { heads, issued, delivery } = told.delivered
    expect([heads, issued]).toEqual([200, 200])
    expect(delivery.sent + delivery.failed).toBe(200)
    expect(delivery.sent).toBe(200)
  })

  test('10 an employee taps the message and finds the card in the pack', async () => {
    const person = await told.hr.call<{ people: { wecomUserId: string | null }[] }>(
      `/hr/campaigns/${told.campaignId}/people?limit=3`,
    )
    const userid = person.people[0]?.wecomUserId ?? ''
    const inbox = await step.control<{ message: { url: string } }[]>(
      `${stage.wecomUrl}/__ctl/inbox/${stage.corp.corpId}/${userid}`,
    )
    expect(inbox).toHaveLength(1)
    expect(inbox[0]?.message.url).toContain('/pack/')
    const pack = await step.openPack(stage, userid, told.campaignId)
    expect(pack.cards).toHaveLength(1)
    expect(pack.cards[0]).toMatchObject({ balanceFen: 50_000, view: 'active', campaignId: told.campaignId })
    const progress = await told.hr.call<Progress>(`/hr/campaigns/${told.campaignId}/progress`)
    expect(progress.delivery).toMatchObject({ pending: 0, opened: 1, sent: 200 })
  })

  test('the books are proved', async () => {
    expect(await step.proveBooks(await step.operatorOf(stage))).toMatchObject({
      balanced: true,
      findings: [],
      cards: 200,
    })
  })

  test('a person without a sign-in, and one of another kind, get nothing', async () => {
    const anybody = new Visitor(stage.serverUrl)
    await expect(anybody.call('/hr/rosters')).rejects.toBeInstanceOf(Refused)
    await expect(anybody.call('/operator/jobs')).rejects.toMatchObject({ status: 401 })
    await expect(told.finance.call('/hr/rosters?fileName=a.xlsx', { raw: told.bytes })).rejects.toMatchObject({
      status: 403,
    })
  })
})

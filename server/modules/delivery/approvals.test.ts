import { afterEach, beforeEach, expect, test } from 'vitest'
import { handlers } from '../../../jobs/handlers.ts'
import { workOnce } from '../../../jobs/worker.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { Ports } from '../../channels/ports.ts'
import type { Actor, Edge } from '../../kernel/context.ts'
import { change, sql } from '../../kernel/sql.ts'
import { someContent } from '../../testing/campaigns.ts'
import { aTemplate } from '../../testing/cards.ts'
import { aCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aUsedRoster } from '../../testing/used-roster.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { approveCampaign } from '../campaign/approve-campaign.ts'
import { createCampaign } from '../campaign/create-campaign.ts'
import { editCampaign } from '../campaign/edit-campaign.ts'
import { planCampaign } from '../campaign/plan-campaign.ts'
import { readCampaign } from '../campaign/read-campaign.ts'
import { rejectCampaign } from '../campaign/reject-campaign.ts'
import { submitCampaign } from '../campaign/submit-campaign.ts'
import { createBrand } from '../catalog/create-template.ts'
import { answerApproval } from './answer-approval.ts'

const HOUR_MS = 3_600_000
let box: WecomSandbox
let nowMs: number
beforeEach(async () => {
  nowMs = Date.now() + 600_000
  box = await startWecomSandbox({ now: () => nowMs })
})
afterEach(() => box.close())

const system: Actor = { kind: 'system', name: 'test' }
interface Card {
  readonly task_id?: string
  readonly main_title: { readonly desc: string }
  readonly sub_title_text?: string
  readonly horizontal_content_list: readonly { readonly keyname: string; readonly value: string }[]
  readonly button_list?: readonly { readonly text: string; readonly key?: string; readonly url?: string }[]
}

onBothDatabases('approving in WeCom', (database) => {
  const edgeAs = (actor: Actor = system) =>
    database.edge({ wecom: wecomOf(box, { now: () => nowMs }) } as Ports, actor, () => nowMs)
  const work = async (edge: Edge = edgeAs()) => {
    for (const lanes = ['fast', 'small', 'bulk'] as const; ;) {
      const worked = await Promise.all(lanes.map((lane) => workOnce(edge, handlers, lane)))
      if (!worked.includes(true)) return
    }
  }
  const rows = <T>(text: string, values: unknown[] = []) => database.tx((tx) => sql<T>(tx.em, text, values))
  const tamper = (text: string, values: unknown[] = []) => database.tx((tx) => change(tx.em, text, values))
  const states = async () =>
    (await rows<{ state: string }>('select state from notification order by id')).map(({ state }) => state)

  async function aStage() {
    const company = await aCompany(database, { sandbox: box, name: '青禾信息' })
    const roster = await aUsedRoster(database, company, [
      { name: '张三', userid: 'u0' },
      { name: '李四', userid: 'u1' },
    ])
    const version = await database.tx(async (tx) =>
      aTemplate(tx, await createBrand(tx, { name: '青禾', issuerPrefix: '6230' }), { minFaceFen: fen(101) }),
    )
    const content = someContent(version, roster.id)
    const stateOf = async (id: Id<'campaign'>) => (await database.tx((tx) => readCampaign(tx, id)))?.state
    const hash = (id: Id<'campaign'>) =>
      database.tx(async (tx) => (await planCampaign(tx, (await readCampaign(tx, id))!)).contentHash)
    const submit = async (id: Id<'campaign'>, as: Actor = company.as('hr')) => {
      const contentHash = await hash(id)
      await edgeAs(as).tx((tx) => submitCampaign(tx, { id, contentHash }))
    }
    const draft = (as: Actor = company.as('hr')) => edgeAs(as).tx((tx) => createCampaign(tx, content))
    /** The newest card of a member as it shows now, with what took its place. */
    const cardOf = (userid: string) => {
      const received = box.control.inbox(company.wecom.corpId, userid)!.at(-1)!
      const update = received.update as { body: Card } | null
      return { card: received.message.body as unknown as Card, now: update?.body ?? null }
    }
    const press = (userid: string, more: Readonly<Record<string, string>> = {}, edge = edgeAs()) =>
      answerApproval(edge, {
        id: 'wev_0000000000001' as Id<'wecomEvent'>,
        companyId: company.id,
        suiteId: null,
        kind: 'template_card_event',
        changeType: null,
        state: 'received',
        fields: { FromUserName: userid, EventKey: 'approve', TaskId: cardOf(userid).card.task_id ?? '', ...more },
        receivedAtMs: nowMs,
      })
    return { company, content, draft, submit, stateOf, hash, cardOf, press }
  }

  test('everybody who may approve gets a card; one presses, it is approved, and all cards say by whom', async () => {
    const stage = await aStage()
    const id = await stage.draft()
    await stage.submit(id)
    await work()
    for (const userid of ['approver', 'admin']) {
      const { card } = stage.cardOf(userid)
      expect(card.main_title.desc).toBe('中秋福利')
      expect(card.horizontal_content_list.map(({ value }) => value)).toEqual([
        '2 人',
        '¥1,000.00',
        '¥1,000.00',
        '还差 ¥1,000.00',
        '林人事',
      ])
      expect(card.button_list?.map(({ text }) => text)).toEqual(['同意', '查看'])
      expect(card.button_list?.[1]?.url).toContain(`return=%2Fconsole%2Fcampaigns%2F${id}`)
    }
    expect(box.control.inbox(stage.company.wecom.corpId, 'hr')).toEqual([])
    await stage.press('approver')
    expect(await stage.stateOf(id)).toBe('approved')
    await work()
    for (const userid of ['approver', 'admin'])
      expect(stage.cardOf(userid).now?.sub_title_text).toBe('已由 赵审批 同意')
    expect(await states()).toEqual(['closed', 'closed'])
    // A second press, and one that comes back later, change nothing.
    await stage.press('approver', { ResponseCode: 'SANDBOXdead' })
    await stage.press('admin')
    await work()
    expect(await stage.stateOf(id)).toBe('approved')
    expect(await rows('select id from orders')).toHaveLength(1)
    const [actor] = await rows<{ actor: string }>("select actor from trail where act = 'campaign.approved'")
    expect(actor?.actor).toBe(stage.company.members.approver)
    const stored = await rows<{ body: Buffer | null }>('select body_sealed as body from notification')
    expect(stored.map(({ body }) => String(body)).join()).not.toMatch(/touser|approver/)
  })

  test('whoever made it gets no card, and cannot approve by another’s', async () => {
    const stage = await aStage()
    const id = await stage.draft(stage.company.as('admin'))
    await stage.submit(id, stage.company.as('admin'))
    await work()
    expect(box.control.inbox(stage.company.wecom.corpId, 'admin')).toEqual([])
    const { card } = stage.cardOf('approver')
    for (const userid of ['admin', 'hr', 'finance', 'nobody']) {
      const fields = { FromUserName: userid, TaskId: card.task_id ?? '', EventKey: 'approve' }
      await answerApproval(edgeAs(), {
        id: 'wev_0000000000001' as Id<'wecomEvent'>,
        companyId: stage.company.id,
        suiteId: null,
        kind: 'template_card_event',
        changeType: null,
        fields,
        receivedAtMs: nowMs,
        state: 'received',
      })
    }
    // Another company's event about this card.
    const other = await aCompany(database)
    await answerApproval(edgeAs(), {
      id: 'wev_0000000000001' as Id<'wecomEvent'>,
      companyId: other.id,
      suiteId: null,
      kind: 'template_card_event',
      changeType: null,
      state: 'received',
      fields: { FromUserName: 'approver', TaskId: card.task_id ?? '', EventKey: 'approve' },
      receivedAtMs: nowMs,
    })
    expect(await stage.stateOf(id)).toBe('in_review')
    expect(stage.cardOf('approver').now).toBeNull()
  })

  test('who holds the keys of the callback cannot press in another’s name: the task of a card is not to be guessed', async () => {
    const stage = await aStage()
    const id = await stage.draft()
    await stage.submit(id)
    await work()
    const cards = await rows<{ id: string; receiver: string }>(
      'select id, receiver_id as receiver from notification order by id',
    )
    const theirs = cards.find(({ receiver }) => receiver === stage.company.members.approver)!.id
    const [, tagOfAdmin] = stage.cardOf('admin').card.task_id!.split('@')
    for (const TaskId of [theirs, `${theirs}@`, `${theirs}@${tagOfAdmin}`, `${theirs}@${'0'.repeat(32)}`]) {
      await stage.press('approver', { TaskId })
      expect(await stage.stateOf(id)).toBe('in_review')
    }
    await stage.press('approver')
    expect(await stage.stateOf(id)).not.toBe('in_review')
  })

  test('an approver who lost the role is told so; the others’ cards still work', async () => {
    const stage = await aStage()
    const id = await stage.draft()
    await stage.submit(id)
    await work()
    await tamper("update member set roles = 'finance' where id = ?", [stage.company.members.approver])
    await stage.press('approver')
    await work()
    expect(stage.cardOf('approver').now?.sub_title_text).toContain('没有审批权限')
    expect(await stage.stateOf(id)).toBe('in_review')
    expect(stage.cardOf('admin').now).toBeNull()
    await stage.press('admin')
    await work()
    expect(await stage.stateOf(id)).toBe('approved')
    expect(stage.cardOf('admin').now?.sub_title_text).toBe('已由 孙管理 同意')
  })

  test('decided, sent back or withdrawn on the page, the cards say so; a new submission asks anew', async () => {
    const stage = await aStage()
    const id = await stage.draft()
    await stage.submit(id)
    await work()
    await edgeAs(stage.company.as('admin')).tx((tx) => rejectCampaign(tx, { id, word: '请调整' }))
    await stage.press('approver')
    await work()
    expect(stage.cardOf('approver').now?.sub_title_text).toBe('已由 孙管理 退回')
    const hr = edgeAs(stage.company.as('hr'))
    const redraft = async () => {
      const { version } = (await database.tx((tx) => readCampaign(tx, id)))!
      await hr.tx((tx) => editCampaign(tx, { id, version, content: stage.content }))
    }
    await redraft()
    await stage.submit(id)
    await work()
    expect(box.control.inbox(stage.company.wecom.corpId, 'approver')).toHaveLength(2)
    expect(stage.cardOf('approver').now).toBeNull()
    await redraft()
    await work()
    expect(stage.cardOf('approver').now?.sub_title_text).toContain('已撤回修改')
    await stage.submit(id)
    await work()
    const contentHash = await stage.hash(id)
    await approveCampaign(edgeAs(stage.company.as('approver')), { id, contentHash })
    await work()
    for (const userid of ['approver', 'admin'])
      expect(stage.cardOf(userid).now?.sub_title_text).toBe('已由 赵审批 同意')
    expect(new Set(await states())).toEqual(new Set(['closed']))
  })

  test('what changed under the card is not approved: every card says so', async () => {
    const stage = await aStage()
    const id = await stage.draft()
    await stage.submit(id)
    await work()
    await tamper("update campaign set title = '别的' where id = ?", [id])
    await stage.press('approver')
    await work()
    expect(await stage.stateOf(id)).toBe('in_review')
    for (const userid of ['approver', 'admin']) expect(stage.cardOf(userid).now?.sub_title_text).toMatch(/变|改/)
  })

  test('what is submitted anew at the very moment of a press is not approved by the card of the one before', async () => {
    const stage = await aStage()
    const id = await stage.draft()
    await stage.submit(id)
    await work()
    let reads = 0
    const edge: Edge = {
      ...edgeAs(),
      read: async (step) => {
        const seen = await edgeAs().read(step)
        reads += 1
        if (reads > 1) return seen
        const { version } = (await database.tx((tx) => readCampaign(tx, id)))!
        const content = { ...stage.content, title: '全部翻倍' }
        await edgeAs(stage.company.as('hr')).tx((tx) => editCampaign(tx, { id, version, content }))
        await stage.submit(id)
        return seen
      },
    }
    await stage.press('approver', {}, edge)
    expect(await stage.stateOf(id)).toBe('in_review')
    await work()
    expect(stage.cardOf('approver').now).toBeNull()
    await stage.press('approver')
    expect(await stage.stateOf(id)).not.toBe('in_review')
  })

  test('after 72 hours the card sends people to the page', async () => {
    const stage = await aStage()
    const id = await stage.draft()
    await stage.submit(id)
    await work()
    nowMs += 72 * HOUR_MS
    await stage.press('approver')
    await work()
    expect(await stage.stateOf(id)).toBe('in_review')
    expect(await states()).toEqual(['closed', 'sent'])
  })

  test('decided before the card leaves, it does not leave; a lost answer is repeated with the same bytes', async () => {
    const stage = await aStage()
    const id = await stage.draft()
    await stage.submit(id)
    const ask = async () => {
      await handlers['approval.ask']!(edgeAs(), { campaignId: id })
    }
    await Promise.all([ask(), ask()])
    expect(await states()).toEqual(['planned', 'planned'])
    await edgeAs(stage.company.as('approver')).tx((tx) => rejectCampaign(tx, { id, word: '否' }))
    await work()
    expect(await states()).toEqual(['cancelled', 'cancelled'])
    const second = await stage.draft()
    await stage.submit(second)
    box.control.addFault({ path: 'message/send', kind: 'cut_after', times: 2 })
    for (let i = 0; i < 3; i += 1) {
      await work()
      nowMs += 60_000
    }
    expect(box.control.inbox(stage.company.wecom.corpId, 'approver')).toHaveLength(1)
    expect((await states()).slice(2)).toEqual(['sent', 'sent'])
    box.control.addFault({ path: 'message/update_template_card', kind: 'cut_after', times: 1 })
    await stage.press('approver')
    for (let i = 0; i < 3; i += 1) {
      await work()
      nowMs += 60_000
    }
    expect(await stage.stateOf(second)).toBe('approved')
    expect((await states()).slice(2)).toEqual(['closed', 'closed'])
  })
})

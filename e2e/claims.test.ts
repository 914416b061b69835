import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Claimed } from '../contract/employee/claim.ts'
import type { Pack } from '../contract/employee/pack.ts'
import type { OutsideView } from '../contract/hr/contact.ts'
import { sql } from '../server/kernel/sql.ts'
import { proveBooks } from '../server/modules/analytics/prove-books.ts'
import { dialectsHere, openStage, type OpenStage } from './stage.ts'
import * as step from './steps.ts'
import { Refused, Visitor } from './visitor.ts'

const WORKERS = 2000
const INTRUDERS = 100
const YUAN = 100
/** Two thousand lines at once from one process: some are cut, and asked again as a phone does it. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1)
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof TypeError) || tried === 8) throw error
      await sleep(100 * tried)
    }
}

const mobileOf = (index: number): string => `139${String(index).padStart(8, '0')}`

interface Worker {
  readonly index: number
  readonly phone: Visitor
  readonly card: string
}

// A shift of 2,000 stands before one wall, behind one address, on a real server with its worker and its SMS service.
describe.each(dialectsHere())('2,000 people claim by QR at once (%s)', (dialect) => {
  let stage: OpenStage
  beforeEach(async () => {
    stage = await openStage(dialect)
  }, 60_000)
  afterEach(() => stage.close(), 60_000)

  /** A campaign whose cards are issued, and the token of its QR code. */
  async function openCampaign(
    hr: Visitor,
    heads: number,
  ): Promise<{ readonly campaign: string; readonly token: string }> {
    const [approver, finance] = [await step.memberOf(stage, 'zhoumin'), await step.memberOf(stage, 'chenli')]
    const list = ['姓名,手机号', ...Array.from({ length: heads }, (_, index) => `工友${index},${mobileOf(index)}`)]
    const roster = await step.uploadRoster(hr, 'shift.csv', Buffer.from(list.join('\n')))
    await step.waitRoster(hr, roster, ['ready'])
    await step.applyRoster(hr, roster)
    const total = heads * 10 * YUAN
    await step.transfer(stage, (await step.readWallet(finance)).reference, total)
    await step.importStatement(stage, await step.operatorOf(stage))
    const campaign = await step.draftCampaign(hr, {
      rosterId: roster,
      title: '中秋福利',
      amountFrom: 'same',
      faceFen: 10 * YUAN,
    })
    const { orderId } = await step.submitAndApprove(hr, approver, campaign)
    await step.openPayment(finance, orderId, 'wallet', total)
    await hr.call(`/hr/campaigns/${campaign}/contact-ways`, { json: { site: '一号门', adds: false } })
    const view = await hr.call<OutsideView>(`/hr/campaigns/${campaign}/outside`)
    return { campaign, token: view.ways[0]?.claimUrl.split('/').at(-1) ?? '' }
  }

  async function waitFor(count: string, enough = WORKERS): Promise<void> {
    const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
    for (let waited = 0; waited < 600; waited += 1) {
      const rows = await edge.read((tx) => sql<{ n: unknown }>(tx.em, count))
      if (Number(rows[0]?.n) >= enough) return
      await sleep(100)
    }
    throw new Error(`not there within a minute: ${count}`)
  }

  /** Until the SMS service has taken everybody's code. */
  const waitSent = (): Promise<void> => waitFor("select count(*) as n from sms_code where state = 'sent'")

  async function codeOf(index: number): Promise<string> {
    const path = `${stage.wecomUrl}/__ctl/people/w${index}`
    const { texts } = await again(() => step.control<{ texts: { text: string }[] }>(path))
    return /\d{6}/.exec(texts.at(-1)?.text ?? '')?.[0] ?? ''
  }

  async function arrive(index: number, door: string): Promise<Visitor> {
    const phone = new Visitor(stage.serverUrl)
    await again(() => phone.call(door))
    await again(() => phone.call(`${door}/code`, { json: { mobile: mobileOf(index) } }))
    return phone
  }

  /** With one key, as the page does it: an answer that a cut line swallowed is asked for again. */
  async function claim(index: number, phone: Visitor, door: string, code: string): Promise<Worker> {
    const json = { mobile: mobileOf(index), code }
    const { cardId } = await again(() => phone.call<Claimed>(door, { json, key: `worker-${index}` }))
    return { index, phone, card: cardId }
  }

  async function intrude(index: number, door: string): Promise<string> {
    const phone = new Visitor(stage.serverUrl)
    const mobile = index % 2 === 0 ? mobileOf(WORKERS + index) : mobileOf(index)
    if (index % 2 === 0) await again(() => phone.call(`${door}/code`, { json: { mobile } }))
    const guess = again(() => phone.call(door, { json: { mobile, code: '000000' } }))
    const answer = await guess.catch((error: unknown) => error)
    return answer instanceof Refused ? answer.code : 'let in'
  }

  test('each has exactly their own card; wrong mobiles and guesses get one answer', { timeout: 240_000 }, async () => {
    const hr = await step.memberOf(stage, 'linxiao')
    const { campaign, token } = await openCampaign(hr, WORKERS)
    await waitFor('select count(*) as n from delivery')
    const people = Array.from({ length: WORKERS }, (_, index) => {
      return { id: `w${index}`, name: `工友${index}`, mobile: mobileOf(index) }
    })
    await step.control(`${stage.wecomUrl}/__ctl/people`, { people })
    const door = `/employee/claims/${token}`
    const began = performance.now()
    const spent = process.cpuUsage()
    const tell = (what: string): void => {
      const { user, system } = process.cpuUsage(spent)
      const [wall, cpu] = [performance.now() - began, (user + system) / 1000]
      console.info(`${dialect}: ${what} after ${Math.round(wall)} ms, ${Math.round(cpu)} ms of a processor`)
    }
    const phones = await Promise.all(people.map((_, index) => arrive(index, door)))
    tell(`${WORKERS} codes asked for`)
    await waitSent()
    tell('all of them sent')
    // Reading one's phone is no load on the house, and the sandbox is no part of the try.
    const codes: string[] = []
    for (let from = 0; from < WORKERS; from += 100)
      codes.push(...(await Promise.all(people.slice(from, from + 100).map((_, index) => codeOf(from + index)))))
    const [workers, intruders] = await Promise.all([
      Promise.all(phones.map((phone, index) => claim(index, phone, door, codes[index] ?? ''))),
      Promise.all(Array.from({ length: INTRUDERS }, (_, index) => intrude(index, door))),
    ])
    tell(`${WORKERS} claims`)
    expect(new Set(intruders)).toEqual(new Set(['claim_refused']))
    expect(new Set(workers.map(({ card }) => card)).size).toBe(WORKERS)
    const view = await hr.call<OutsideView>(`/hr/campaigns/${campaign}/outside`)
    expect([view.claimed, view.ways[0]?.claims, view.ways[0]?.visits]).toEqual([WORKERS, WORKERS, WORKERS])
    for (const { index, phone, card } of workers.filter(({ index }) => index % 20 === 0)) {
      expect(await phone.call<{ name: string }>('/employee/session')).toMatchObject({ name: `工友${index}` })
      expect((await phone.call<Pack>('/employee/pack')).cards.map(({ id }) => id)).toEqual([card])
    }
    const edge = stage.running.open.edgeFor({ kind: 'system', name: 'test' })
    expect(await edge.read(proveBooks)).toEqual([])
  })

  test(
    'whoever adds a member by QR is greeted with a link, claims by it, and is tagged',
    { timeout: 120_000 },
    async () => {
      const hr = await step.memberOf(stage, 'linxiao')
      const { campaign } = await openCampaign(hr, 3)
      await waitFor('select count(*) as n from delivery', 3)
      const site = { site: '食堂', adds: true, userIds: ['linxiao'] }
      await hr.call(`/hr/campaigns/${campaign}/contact-ways`, { json: site })
      await waitFor("select count(*) as n from contact_way where adds = 1 and state = 'active'", 1)
      const corp = `${stage.wecomUrl}/__ctl/contact/${stage.corp.corpId}`
      const { ways } = await step.control<{ ways: { qrId: string }[] }>(corp)
      const person = { id: 'w1', name: '工友1', mobile: mobileOf(1) }
      await step.control(`${stage.wecomUrl}/__ctl/people`, { people: [person] })
      const url = `${stage.wecomUrl}/qr/${ways[0]?.qrId}`
      await step.control(`${stage.wecomUrl}/__ctl/customers/scan`, { personId: 'w1', url })
      await waitFor("select count(*) as n from external_contact where welcome = 'sent' and tag = 'unclaimed'", 1)
      const { chats } = await step.control<{ chats: unknown }>(`${stage.wecomUrl}/__ctl/people/w1`)
      const [, token = '', contact = ''] = /\/pack\/claim\/(\w+)\?contact=([\w.]+)/.exec(JSON.stringify(chats)) ?? []
      const door = `/employee/claims/${token}`
      const phone = await arrive(1, door)
      await waitFor("select count(*) as n from sms_code where state = 'sent'", 1)
      await phone.call(door, { json: { mobile: mobileOf(1), code: await codeOf(1), contact } })
      await waitFor("select count(*) as n from external_contact where person_id is not null and tag = 'claimed'", 1)
      expect(await hr.call(`/hr/campaigns/${campaign}/outside`)).toMatchObject({ claimed: 1, contacts: 1, toRemind: 0 })
    },
  )
})

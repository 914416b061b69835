import { afterEach, beforeEach, expect, test } from 'vitest'
import { handlers } from '../../../jobs/handlers.ts'
import { drain } from '../../../jobs/drain.ts'
import type { Id } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { Ports } from '../../channels/ports.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { change, sql } from '../../kernel/sql.ts'
import type { TestCampaign } from '../../testing/campaigns.ts'
import { anUnreachedCampaign, aWay, mobileOf, outsideWorkers } from '../../testing/claims.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { gatewayKey, smsOf } from '../../testing/sms.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { readWecomApp } from '../company/read-wecom-app.ts'
import type { WecomEventView } from '../company/read-event.ts'
import { claimCard } from './claim-card.ts'
import { createMassSend } from './create-mass-send.ts'
import { forgetContacts } from './forget-contacts.ts'
import { makeMassSend } from './make-mass-send.ts'
import { noteContactEvent } from './note-contact-event.ts'
import { pollContacts } from './poll-contacts.ts'
import { pollMassSend } from './poll-mass-send.ts'
import { publishContactWay, withdrawContactWay } from './publish-contact-way.ts'
import { readOutside } from './read-outside.ts'
import { endContactWays, removeContactWay, retryContactWay } from './remove-contact-way.ts'
import { requestCode } from './request-code.ts'
import { contactLimits } from './rules.ts'
import { contactTicketOf } from './seal-contact.ts'
import { steerMassSend } from './steer-mass-send.ts'
import { tagContact } from './tag-contact.ts'

const DAY_MS = 86_400_000

interface Customer {
  readonly externalUserId: string
  readonly personId: string
  readonly followers: readonly { readonly userid: string; readonly tagIds: readonly string[] }[]
}

onBothDatabases('customer contact', (database) => {
  let box: WecomSandbox
  let ports: Ports
  let nowMs: number
  let company: TestCompany
  let campaign: TestCampaign
  let way: { readonly id: Id<'contactWay'>; readonly token: string }
  let events = 0
  beforeEach(async () => {
    nowMs = Date.now()
    box = await startWecomSandbox({ now: () => nowMs })
    box.customers.setSmsKey({ key: gatewayKey })
    ports = {
      wecom: wecomOf(box, { now: () => nowMs }),
      sms: smsOf({ url: `${box.baseUrl}/sms/messages` }),
    } as Ports
    const staff = ['Serve1', 'Serve2'].map((userid) => ({ userid, name: userid }))
    company = await aCompany(database, { name: '青禾科技', sandbox: box, staff })
    campaign = await anUnreachedCampaign(database, company, outsideWorkers(3))
    box.customers.upsertPeople({
      people: [0, 1, 2].map((index) => ({ id: `w${index}`, name: `工友${index}`, mobile: mobileOf(index) })),
    })
    way = await aWay(database, company, campaign.id, { adds: true, userIds: ['Serve1'] })
  })
  afterEach(() => box.close())

  const edge = () => database.edge(ports, undefined, () => nowMs)
  const hr = (of = company) => database.edge(ports, of.as('hr'), () => nowMs)
  const one = async <T>(text: string, values: unknown[] = []): Promise<T> =>
    (await database.tx((tx) => sql<T>(tx.em, text, values)))[0] as T
  const wayRow = () =>
    one<{ state: string; config: string | null; qr: string; code: string | null }>(
      'select state, config_id as config, qr_url as qr, code from contact_way where id = ?',
      [way.id],
    )
  const corpView = () =>
    box.customers.contact(company.wecom.corpId) as {
      readonly ways: readonly { readonly state: string }[]
      readonly customers: readonly Customer[]
      readonly tasks: readonly { readonly id: string }[]
    }
  const customerOf = (personId: string) => corpView().customers.find((each) => each.personId === personId)
  const contactOf = (personId: string) =>
    one<{
      id: Id<'externalContact'>
      state: string
      welcome: string | null
      tag: string | null
      person: string | null
    }>('select id, state, welcome, tag, person_id as person from external_contact order by id limit 1 offset ?', [
      Number(personId.slice(1)),
    ])
  /** An event as WeCom tells it. */
  const told = (changeType: string, personId: string, more: Record<string, string> = {}): WecomEventView => ({
    id: `wev_${String((events += 1)).padStart(13, '0')}` as Id<'wecomEvent'>,
    companyId: company.id,
    suiteId: null,
    kind: 'change_external_contact',
    changeType,
    fields: {
      ExternalUserID: customerOf(personId)?.externalUserId ?? `wm${personId}`,
      UserID: 'Serve1',
      CreateTime: String(Math.floor(nowMs / 1000)),
      ...more,
    },
    receivedAtMs: nowMs,
    state: 'received',
  })
  async function scanned(personId: string, half = false): Promise<void> {
    if ((await wayRow()).state === 'planned') await publishContactWay(edge(), way.id)
    box.customers.scan({ personId, url: (await wayRow()).qr, half })
  }
  async function codeOf(index: number, token = way.token): Promise<string> {
    await requestCode(edge(), { door: { kind: 'way', token }, mobile: mobileOf(index) })
    await drain(edge(), handlers, ['sms.send'])
    const texts = box.customers.person(`w${index}`)?.texts as { text: string }[]
    return /\d{6}/.exec(texts.at(-1)?.text ?? '')?.[0] ?? ''
  }
  async function claims(index: number, contact: string | null = null): Promise<void> {
    const code = await codeOf(index)
    const request = { door: { kind: 'way' as const, token: way.token }, mobile: mobileOf(index), code, contact }
    expect(await claimCard(edge(), { ...request, key: `k${index}`, addressIndex: 'a' })).toMatchObject({
      personId: campaign.personIds[index],
    })
  }

  test('a contact way is made once with its state; its picture comes from WeCom', async () => {
    await publishContactWay(edge(), way.id)
    await publishContactWay(edge(), way.id)
    expect(corpView().ways).toMatchObject([{ state: way.token }])
    expect(way.token).toMatch(/^[0-9A-Z]{26}$/)
    const { state, qr } = await wayRow()
    expect(state).toBe('active')
    const app = (await edge().read((tx) => readWecomApp(tx, company.id)))!
    const image = await ports.wecom.contactWayImage(app, qr)
    expect([image.mime, image.bytes.subarray(1, 4).toString()]).toEqual(['image/png', 'PNG'])
    await expect(ports.wecom.contactWayImage(app, 'https://evil.test/x.png')).rejects.toMatchObject({
      code: 'host_unknown',
    })
  })

  test('an answer that was lost leaves no second QR code in the quota', async () => {
    const real = ports.wecom
    let lost = 0
    const lossy = {
      ...real,
      addContactWay: async (...given: Parameters<typeof real.addContactWay>) => {
        const made = await real.addContactWay(...given)
        if ((lost += 1) === 1) throw new OutsideError('unknown', 'timeout', 'no answer')
        return made
      },
    }
    const broken = database.edge({ ...ports, wecom: lossy }, undefined, () => nowMs)
    await expect(publishContactWay(broken, way.id)).rejects.toMatchObject({ outcome: 'unknown' })
    expect(corpView().ways).toHaveLength(1)
    await publishContactWay(broken, way.id)
    expect(corpView().ways).toHaveLength(1)
    expect((await wayRow()).state).toBe('active')
  })

  test('what WeCom refuses is told with what to do, and may be tried again', async () => {
    box.customers.setContact({ corpId: company.wecom.corpId, wayLimit: 1 })
    const other = await aWay(database, company, campaign.id, { site: '二号门', adds: true, userIds: ['Serve2'] })
    await publishContactWay(edge(), other.id)
    await publishContactWay(edge(), way.id)
    expect(await wayRow()).toMatchObject({ state: 'failed', code: '41045' })
    const view = await hr().read((tx) => readOutside(tx, campaign.id, 'zh'))
    expect(view.ways[0]?.codeText).toMatch(/上限.*停用/)
    await hr().tx((tx) => removeContactWay(tx, other.id))
    await withdrawContactWay(edge(), other.id)
    await hr().tx((tx) => retryContactWay(tx, way.id))
    await publishContactWay(edge(), way.id)
    expect((await wayRow()).state).toBe('active')
  })

  test('whoever scans is greeted once with a link of their own, and tagged', async () => {
    await scanned('w0')
    const chats = JSON.stringify(box.customers.person('w0')?.chats)
    const event = told('add_external_contact', 'w0', { State: way.token, WelcomeCode: 'none' })
    await noteContactEvent(edge(), event)
    expect(chats).toBeTypeOf('string')
    expect(await contactOf('w0')).toMatchObject({ state: 'added', welcome: 'late' })
    await noteContactEvent(edge(), event)
    expect(await one<{ n: unknown }>('select count(*) as n from external_contact')).toMatchObject({ n: 1 })
    const { id } = await contactOf('w0')
    await tagContact(edge(), id)
    expect((await contactOf('w0')).tag).toBe('unclaimed')
    expect(customerOf('w0')?.followers[0]?.tagIds).toHaveLength(1)
    const [before] = customerOf('w0')?.followers[0]?.tagIds ?? []
    await claims(0, contactTicketOf(database.house, id))
    expect((await contactOf('w0')).person).toBe(campaign.personIds[0])
    await drain(edge(), handlers, ['contact.tag'])
    expect((await contactOf('w0')).tag).toBe('claimed')
    const after = customerOf('w0')?.followers[0]?.tagIds ?? []
    expect([after.length, after[0] === before]).toEqual([1, false])
  })

  test('a welcome message goes out inside 20 seconds and not after; another app may be faster', async () => {
    const answers: Record<string, OutsideError | null> = {
      sent: null,
      late: new OutsideError('refused', '41050', 'late'),
      taken: new OutsideError('refused', '41051', 'taken'),
      failed: new OutsideError('refused', '41064', 'bad'),
    }
    await publishContactWay(edge(), way.id)
    let index = 0
    for (const [became, answer] of Object.entries(answers)) {
      const seen: unknown[] = []
      const wecom = {
        ...ports.wecom,
        sendWelcome: async (...given: unknown[]) => {
          seen.push(given[2])
          if (answer !== null) throw answer
        },
      }
      const greeter = database.edge({ ...ports, wecom }, undefined, () => nowMs)
      await noteContactEvent(greeter, told('add_external_contact', `w${index}`, { State: way.token, WelcomeCode: 'c' }))
      expect((await contactOf(`w${index}`)).welcome).toBe(became)
      expect(JSON.stringify(seen)).toContain(`/pack/claim/${way.token}?contact=ext_`)
      index += 1
    }
    const late = told('add_external_contact', 'w9', { State: way.token, WelcomeCode: 'c' })
    nowMs += contactLimits.welcomeMs
    await noteContactEvent(edge(), late)
    expect((await contactOf(`w${index}`)).welcome).toBe('late')
  })

  test('another app that is just sending is waited for, inside the 20 seconds only', async () => {
    await publishContactWay(edge(), way.id)
    let calls = 0
    const wecom = {
      ...ports.wecom,
      sendWelcome: async () => {
        calls += 1
        nowMs += 500
        if (calls < 3) throw new OutsideError('busy', '41096', 'busy', 1)
      },
    }
    const greeter = database.edge({ ...ports, wecom }, undefined, () => nowMs)
    await noteContactEvent(greeter, told('add_external_contact', 'w0', { State: way.token, WelcomeCode: 'c' }))
    expect([calls, (await contactOf('w0')).welcome]).toEqual([3, 'sent'])
    calls = -1_000_000
    await noteContactEvent(greeter, {
      ...told('add_external_contact', 'w1', { State: way.token, WelcomeCode: 'c' }),
      receivedAtMs: nowMs - 18_600,
    })
    expect((await contactOf('w1')).welcome).toBe('late')
  })

  test('contacts of other states are none of our business', async () => {
    await publishContactWay(edge(), way.id)
    await noteContactEvent(edge(), told('add_external_contact', 'w0', { State: 'shop', WelcomeCode: 'c' }))
    await noteContactEvent(edge(), told('del_follow_user', 'w1'))
    const other = await aCompany(database, { sandbox: box })
    await noteContactEvent(edge(), { ...told('add_external_contact', 'w0', { State: way.token }), companyId: other.id })
    expect(await one<{ n: unknown }>('select count(*) as n from external_contact')).toMatchObject({ n: 0 })
  })

  test('events in any order, twice or never: the newest counts, and polling finds what was lost', async () => {
    await scanned('w0')
    const added = told('add_external_contact', 'w0', { State: way.token })
    await noteContactEvent(edge(), added)
    nowMs += 5_000
    const gone = told('del_follow_user', 'w0')
    await noteContactEvent(edge(), gone)
    await noteContactEvent(edge(), gone)
    await noteContactEvent(edge(), added)
    expect((await contactOf('w0')).state).toBe('removed')
    // Lost: w1 added without an event. w0, who removed our member, is still listed by WeCom.
    await scanned('w1')
    nowMs += 5_000
    await pollContacts(edge(), company.id)
    expect(await one<{ n: unknown }>("select count(*) as n from external_contact where state = 'added'")).toMatchObject(
      { n: 1 },
    )
    box.customers.part({ corpId: company.wecom.corpId, personId: 'w1', userid: 'Serve1', by: 'member' })
    nowMs += 5_000
    await pollContacts(edge(), company.id)
    expect(
      await one<{ n: unknown }>("select count(*) as n from external_contact where state = 'removed'"),
    ).toMatchObject({ n: 2 })
  })

  test('half a relation becomes whole; a transfer moves the contact, and one that fails leaves them', async () => {
    await scanned('w0')
    await noteContactEvent(edge(), told('add_half_external_contact', 'w0', { State: way.token }))
    expect((await contactOf('w0')).state).toBe('half')
    nowMs += 1_000
    await noteContactEvent(edge(), told('add_external_contact', 'w0', { State: way.token }))
    expect((await contactOf('w0')).state).toBe('added')
    nowMs += 1_000
    await noteContactEvent(edge(), told('del_external_contact', 'w0', { Source: 'DELETE_BY_TRANSFER' }))
    expect((await contactOf('w0')).state).toBe('moved')
    nowMs += 1_000
    await noteContactEvent(edge(), told('transfer_fail', 'w0', { FailReason: 'customer_refused' }))
    expect((await contactOf('w0')).state).toBe('added')
  })

  test('a reminder names whoever has not claimed, waits for members, and its counts add up', async () => {
    for (const id of ['w0', 'w1', 'w2']) {
      await scanned(id)
      await noteContactEvent(edge(), told('add_external_contact', id, { State: way.token }))
    }
    await claims(0, contactTicketOf(database.house, (await contactOf('w0')).id))
    const id = await hr().tx((tx) => makeMassSend(tx, campaign.id))
    await createMassSend(edge(), id)
    await createMassSend(edge(), id)
    expect(corpView().tasks).toHaveLength(1)
    const row = () =>
      one<Record<string, unknown>>('select state, targets, sent, waiting, message_id as messageId from mass_send')
    expect(await row()).toMatchObject({ state: 'created', targets: 2, sent: 0, waiting: 2 })
    nowMs += 60_000
    await pollMassSend(edge(), id, 0)
    expect(await row()).toMatchObject({ state: 'created', sent: 0, waiting: 2 })
    await steerMassSend(hr(), id, 'remind')
    box.customers.confirmMass({
      corpId: company.wecom.corpId,
      msgid: String((await row())['messageId']),
      userid: 'Serve1',
    })
    await pollMassSend(edge(), id, 1)
    expect(await row()).toMatchObject({ state: 'finished', targets: 2, sent: 2, waiting: 0 })
    await expect(steerMassSend(hr(), id, 'cancel')).rejects.toMatchObject({ code: 'state_conflict' })
  })

  test('a reminder whose answer was lost is found again, and is one task', async () => {
    await scanned('w0')
    await noteContactEvent(edge(), told('add_external_contact', 'w0', { State: way.token }))
    const id = await hr().tx((tx) => makeMassSend(tx, campaign.id))
    const real = ports.wecom
    const wecom = {
      ...real,
      createMassSend: async (...given: Parameters<typeof real.createMassSend>) => {
        await real.createMassSend(...given)
        throw new OutsideError('unknown', 'timeout', 'no answer')
      },
    }
    await expect(
      createMassSend(
        database.edge({ ...ports, wecom }, undefined, () => nowMs),
        id,
      ),
    ).rejects.toThrow()
    await createMassSend(edge(), id)
    expect(corpView().tasks).toHaveLength(1)
    expect(await one('select state from mass_send')).toMatchObject({ state: 'created' })
    nowMs += 8 * DAY_MS
    await pollMassSend(edge(), id, 9)
    expect(await one('select state from mass_send')).toMatchObject({ state: 'finished' })
  })

  test('there is nobody to remind, and nothing of another company', async () => {
    await expect(hr().tx((tx) => makeMassSend(tx, campaign.id))).rejects.toMatchObject({ code: 'mass_send_nobody' })
    const other = hr(await aCompany(database, { sandbox: box }))
    for (const work of [
      () => other.tx((tx) => makeMassSend(tx, campaign.id)),
      () => other.tx((tx) => removeContactWay(tx, way.id)),
      () => other.tx((tx) => retryContactWay(tx, way.id)),
      () => other.read((tx) => readOutside(tx, campaign.id, 'zh')),
    ])
      await expect(work()).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a QR code ends by hand, with its campaign and after 90 days; its place in the quota comes back', async () => {
    await publishContactWay(edge(), way.id)
    await hr().tx((tx) => removeContactWay(tx, way.id))
    await withdrawContactWay(edge(), way.id)
    await withdrawContactWay(edge(), way.id)
    expect(corpView().ways).toEqual([])
    expect(await wayRow()).toMatchObject({ state: 'removed', config: null })
    const second = await aWay(database, company, campaign.id)
    const third = await aWay(database, company, campaign.id, { site: '食堂' })
    expect(await edge().tx(endContactWays)).toBe(0)
    nowMs += contactLimits.wayLifeMs + 60_000
    expect(await edge().tx(endContactWays)).toBe(2)
    expect(await edge().tx(endContactWays)).toBe(0)
    expect(new Set([second.id, third.id, way.id]).size).toBe(3)
    const fresh = await aWay(database, company, campaign.id)
    await database.tx((tx) => change(tx.em, "update delivery set state = 'opened', reason = null"))
    nowMs = Date.now()
    expect(await edge().tx(endContactWays)).toBe(1)
    expect(fresh.id).not.toBe(second.id)
  })

  test('a company that withdraws leaves nobody behind; claim pages stay', async () => {
    await scanned('w0')
    await noteContactEvent(edge(), told('add_external_contact', 'w0', { State: way.token }))
    await claims(0)
    await hr().tx((tx) => makeMassSend(tx, campaign.id))
    while ((await edge().tx((tx) => forgetContacts(tx, company.id))) > 0);
    const left = await one<Record<string, unknown>>(
      `select (select count(*) from external_contact) as contacts, (select count(*) from claim) as claims,
        (select count(*) from contact_way where members_sealed is not null) as ways,
        (select count(*) from mass_send where length(body_sealed) > 0) as bodies`,
    )
    expect(Object.values(left).map(Number)).toEqual([0, 1, 0, 0])
    expect(await codeOf(1)).toMatch(/^\d{6}$/)
  })
})

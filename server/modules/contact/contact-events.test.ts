import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../contract/ids.ts'
import { eventHandlers } from '../../../jobs/wecom-event.ts'
import { fieldsOf, startListener, until, type Listener } from '../../../sandbox/testing/callback-listener.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { Ports } from '../../channels/ports.ts'
import type { Edge } from '../../kernel/context.ts'
import { OutsideError } from '../../kernel/outside.ts'
import { sql } from '../../kernel/sql.ts'
import { anUnreachedCampaign, aWay, outsideWorkers } from '../../testing/claims.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { wecomOf } from '../../testing/wecom.ts'
import type { WecomEventView } from '../company/read-event.ts'
import { noteContactEvent } from './note-contact-event.ts'
import { pollContacts } from './poll-contacts.ts'
import { publishContactWay } from './publish-contact-way.ts'
import { openContact, openServing } from './seal-contact.ts'
import { ContactWay, ExternalContact } from './tables.ts'
import { tagContact } from './tag-contact.ts'

const keys = { token: 'QDG6eK', encodingAesKey: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' }

onBothDatabases('events of customer contact', (database) => {
  let box: WecomSandbox
  let listener: Listener
  let ports: Ports
  let nowMs: number
  let company: TestCompany
  let way: { readonly id: Id<'contactWay'>; readonly token: string }
  let events = 0
  beforeEach(async () => {
    nowMs = Date.now()
    box = await startWecomSandbox({ now: () => nowMs })
    listener = await startListener(keys)
    listener.reply.text = ''
    ports = { wecom: wecomOf(box, { now: () => nowMs }) } as Ports
    const staff = ['Serve1', 'Serve2'].map((userid) => ({ userid, name: userid }))
    company = await aCompany(database, { sandbox: box, staff })
    const { corpId } = company.wecom
    await box.control.saveCallback({ corpId, url: `${listener.url}/app`, ...keys })
    const campaign = await anUnreachedCampaign(database, company, outsideWorkers(1))
    box.customers.upsertPeople({ people: [0, 1].map((index) => ({ id: `w${index}`, name: `工友${index}` })) })
    way = await aWay(database, company, campaign.id, { adds: true, userIds: ['Serve1'] })
    await publishContactWay(edge(), way.id)
  })
  afterEach(async () => {
    await Promise.all([box.close(), listener.close()])
  })

  const edge = () => database.edge(ports, undefined, () => nowMs)
  const pair = (personId: string) => ({ corpId: company.wecom.corpId, personId, userid: 'Serve1' })
  const rows = () =>
    database.tx((tx) => tx.em.find(ExternalContact, {}, { orderBy: { id: 'asc' }, disableIdentityMap: true }))
  const states = async () => (await rows()).map((row) => row.state)
  const scan = async (personId: string, half = false): Promise<void> => {
    const [row] = await database.tx((tx) =>
      sql<{ qr: string }>(tx.em, 'select qr_url as qr from contact_way where id = ?', [way.id]),
    )
    box.customers.scan({ personId, url: row!.qr, half })
  }
  const eventOf = (changeType: string, fields: WecomEventView['fields'], kind = 'change_external_contact') =>
    ({
      id: `wev_${String((events += 1)).padStart(13, '0')}` as Id<'wecomEvent'>,
      companyId: company.id,
      suiteId: null,
      kind,
      changeType,
      fields,
      receivedAtMs: nowMs,
      state: 'received',
    }) satisfies WecomEventView
  /** The newest event that the sandbox told our app, of one change type. */
  async function told(changeType: string, after = 0): Promise<WecomEventView> {
    const heard = () =>
      listener.heard.map((one) => fieldsOf(one.plain)).filter((one) => one['ChangeType'] === changeType)
    await until(() => heard().length > after, changeType)
    return eventOf(changeType, heard().at(-1)!)
  }
  const welcomes = (personId: string) =>
    JSON.stringify(box.customers.person(personId)?.chats).split('/pack/claim/').length - 1

  test('who has to agree to the archiving of chats is greeted then, by the code of that event, once', async () => {
    box.customers.setContact({ corpId: company.wecom.corpId, archives: true })
    await scan('w0')
    const added = await told('add_external_contact')
    await noteContactEvent(edge(), added)
    expect(await rows()).toMatchObject([{ state: 'added', welcome: null }])
    expect(welcomes('w0')).toBe(0)
    nowMs += 3_600_000
    box.customers.agreeToArchive(pair('w0'))
    const agreed = await told('msg_audit_approved')
    for (const event of [agreed, added, agreed]) await noteContactEvent(edge(), event)
    expect(await rows()).toMatchObject([{ state: 'added', welcome: 'sent' }])
    expect(welcomes('w0')).toBe(1)
  })

  test('agreeing changes nothing between the two: half stays half, gone stays gone, strangers stay strangers', async () => {
    await scan('w0', true)
    const half = await told('add_half_external_contact')
    await noteContactEvent(edge(), half)
    nowMs += 1_000
    const at = { CreateTime: String(Math.floor(nowMs / 1000)) }
    await noteContactEvent(edge(), eventOf('msg_audit_approved', { ...half.fields, ...at }))
    expect(await states()).toEqual(['half'])
    await noteContactEvent(edge(), eventOf('del_follow_user', { ...half.fields, ...at }))
    await noteContactEvent(edge(), eventOf('msg_audit_approved', { ...half.fields, ...at }))
    await noteContactEvent(edge(), eventOf('msg_audit_approved', { ...half.fields, ExternalUserID: 'wmother' }))
    expect(await states()).toEqual(['removed'])
  })

  test('a second code greets whom the first did not reach, and nobody twice', async () => {
    await scan('w0', true)
    const half = await told('add_half_external_contact')
    nowMs += 20_000
    await noteContactEvent(edge(), half)
    expect(await rows()).toMatchObject([{ state: 'half', welcome: 'late' }])
    box.customers.agree(pair('w0'))
    const whole = await told('add_external_contact')
    for (const event of [whole, half, whole]) await noteContactEvent(edge(), event)
    expect(await rows()).toMatchObject([{ state: 'added', welcome: 'sent' }])
    expect(welcomes('w0')).toBe(1)
  })

  test('gone before the adding was told: asking WeCom for the tag says so', async () => {
    await scan('w0')
    const added = await told('add_external_contact')
    nowMs += 1_000
    box.customers.part({ ...pair('w0'), by: 'member' })
    await noteContactEvent(edge(), await told('del_external_contact'))
    expect(await states()).toEqual([])
    await noteContactEvent(edge(), added)
    const [contact] = await rows()
    await tagContact(edge(), contact!.id)
    expect(await states()).toEqual(['removed'])
  })

  test('polling: who removed our member stays removed though listed, and silence of WeCom says nothing', async () => {
    for (const personId of ['w0', 'w1']) await scan(personId)
    await pollContacts(edge(), company.id)
    expect(await states()).toEqual(['added', 'added'])
    nowMs += 1_000
    box.customers.part({ ...pair('w0'), by: 'customer' })
    await noteContactEvent(edge(), await told('del_follow_user'))
    nowMs += 86_400_000
    await pollContacts(edge(), company.id)
    expect((await states()).toSorted()).toEqual(['added', 'removed'])
    const refusal = new OutsideError('refused', '60011', 'no rights')
    const wecom = { ...ports.wecom, customersOf: () => Promise.reject(refusal) }
    await pollContacts(
      database.edge({ ...ports, wecom }, undefined, () => nowMs),
      company.id,
    )
    expect((await states()).toSorted()).toEqual(['added', 'removed'])
  })

  test('a member who is renamed keeps QR codes and contacts, also where news came under the new userid already', async () => {
    for (const personId of ['w0', 'w1']) await scan(personId)
    await pollContacts(edge(), company.id)
    const before = await rows()
    nowMs += 5_000
    const { externalUserId } = openContact(database.house, before[1]!)
    const at = { CreateTime: String(Math.floor(nowMs / 1000)) }
    const news = { ExternalUserID: externalUserId, UserID: 'Zhang', State: way.token, ...at }
    await noteContactEvent(edge(), eventOf('add_external_contact', news))
    expect(await rows()).toHaveLength(3)
    const renamed = eventOf('update_user', { UserID: 'serve1', NewUserID: 'Zhang' }, 'change_contact')
    const other = await aCompany(database)
    const run = (event: WecomEventView, by = edge()) => eventHandlers['change_contact:update_user']!(by, event)
    await run({ ...renamed, companyId: other.id })
    expect(await rows()).toHaveLength(3)
    await Promise.all([run(renamed, slowly(edge())), run(renamed, slowly(edge()))])
    const after = await rows()
    expect(after.map(({ id, state }) => [id, state])).toEqual(before.map(({ id }) => [id, 'added']))
    expect(after.map((row) => openContact(database.house, row).follower)).toEqual(['Zhang', 'Zhang'])
    expect(after[1]!.changedAtMs).toBe(Math.floor(nowMs / 1000) * 1000)
    const [served] = await database.tx((tx) => tx.em.find(ContactWay, {}, { disableIdentityMap: true }))
    expect(openServing(database.house, served!)).toEqual(['Zhang'])
  })
})

/** Rests after each read: two that began together have read the same before either writes. */
const slowly = (edge: Edge): Edge => ({
  ...edge,
  tx: (work) =>
    edge.tx((tx) => {
      const find = tx.em.find.bind(tx.em)
      const em = Object.assign(tx.em, {
        find: async (...asked: Parameters<typeof find>) => {
          const found = await find(...asked)
          await new Promise((resolve) => setTimeout(resolve, 100))
          return found
        },
      })
      return work({ ...tx, em })
    }),
})

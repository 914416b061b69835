import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { CardDetail, Pack } from '../../../contract/employee/pack.ts'
import type { Id } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import type { Ports } from '../../channels/ports.ts'
import { change, sql } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople, type TestCampaign } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { deliverCards } from '../delivery/deliver-cards.ts'
import { readDeliveryCounts } from '../delivery/read-deliveries.ts'
import { sendBatch } from '../delivery/send-batch.ts'
import { isPersonActive } from '../staff/find-person.ts'
import { cardpackEndpoints } from './endpoints.ts'

onBothDatabases('the card pack', (database) => {
  let box: WecomSandbox
  let web: Web
  let ports: Ports
  let nowMs: number
  let company: TestCompany
  let campaign: TestCampaign
  beforeEach(async () => {
    nowMs = Date.now() + 60_000
    box = await startWecomSandbox({ now: () => nowMs })
    ports = { wecom: wecomOf(box, { now: () => nowMs }) } as Ports
    web = await startWeb(database, {
      endpoints: cardpackEndpoints,
      ports,
      personActive: isPersonActive,
      now: () => nowMs,
    })
    const staff = [
      { userid: 'ZhangSan', name: '张三' },
      { userid: 'LiSi', name: '李四' },
      { userid: 'Stranger', name: '外人' },
    ]
    company = await aCompany(database, { code: 'qinghe', name: '青禾科技', sandbox: box, staff })
    const people = await somePeople(database, company.id, [
      { name: '张三', userid: 'ZhangSan', department: '研发部' },
      { name: '李四', userid: 'LiSi' },
    ])
    campaign = await anIssuedCampaign(database, company, people, {
      greeting: '{姓名}（{部门}），{公司}祝您中秋快乐',
      coolingOffMs: 3 * 3_600_000,
    })
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  const json = async <S extends z.ZodType>(schema: S, answer: Response) => {
    expect(answer.status).toBe(200)
    return schema.parse(await answer.json())
  }
  /** From the tapped link to the moment after WeCom sent the browser back. */
  async function arrive(userid: string, code = 'qinghe', headers: Record<string, string> = {}) {
    const browser = aBrowser(web.base, headers)
    const away = await browser.get(`/employee/sign-in/${code}?return=/pack/%3Fcampaign%3D${campaign.id}`)
    const there = await browser.get(`${away.headers.get('location')!.replace('#wechat_redirect', '')}&as=${userid}`)
    return { browser, back: await browser.get(there.headers.get('location')!) }
  }
  async function signedIn(userid: string): Promise<Browser> {
    const { browser, back } = await arrive(userid)
    expect([back.status, back.headers.get('location')]).toEqual([302, `/pack/?campaign=${campaign.id}`])
    return browser
  }
  async function deliver(): Promise<void> {
    const edge = database.edge(ports, undefined, () => nowMs)
    for (const { id } of await database.tx((tx) => sql<{ id: Id<'orderSlice'> }>(tx.em, 'select id from order_slice')))
      await deliverCards(edge, id)
    for (const { id } of await database.tx((tx) =>
      sql<{ id: Id<'deliveryBatch'> }>(tx.em, 'select id from delivery_batch'),
    ))
      await sendBatch(edge, id)
  }
  const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]

  test('the holder sees the card as it stands, with the words filled in; opening counts once', async () => {
    await deliver()
    const phone = await signedIn('zhangsan')
    expect(await (await phone.get('/employee/session')).json()).toEqual({
      name: '张三',
      companyName: '青禾科技',
      companyCode: 'qinghe',
      timeZone: 'Asia/Shanghai',
      sandbox: true,
      passes: false,
    })
    const [card, ...more] = (await json(Pack, await phone.get('/employee/pack'))).cards
    expect(more).toEqual([])
    expect(card).toMatchObject({ campaignId: campaign.id, faceFen: 50_000, view: 'locked', opened: false })
    expect(card).toMatchObject({ brandName: '青禾', templateName: '中秋卡', cover: 'mid_autumn', expiresAtMs: null })
    const detail = await json(CardDetail, await phone.get(`/employee/cards/${card!.id}`))
    expect(detail).toMatchObject({ greeting: '张三（研发部），青禾科技祝您中秋快乐', title: '中秋节日问候' })
    expect(detail.number.slice(-4)).toBe(card!.numberTail)
    expect(detail.activities).toMatchObject([{ kind: 'issue', amountFen: 50_000, balanceFen: 50_000 }])
    expect(JSON.stringify(detail)).not.toMatch(/secret/i)
    for (let i = 0; i < 2; i += 1) {
      const opened = await phone.send('POST', `/employee/campaigns/${campaign.id}/opened`)
      expect(await opened.json()).toEqual({ cardId: card!.id })
    }
    expect(await database.tx((tx) => readDeliveryCounts(tx, campaign.id))).toMatchObject({ sent: 2, opened: 1 })
    const taking = await phone.send('POST', `/employee/campaigns/${campaign.id}/claimed`)
    expect(await taking.json()).toEqual({ cardId: card!.id })
    expect(await database.tx((tx) => readDeliveryCounts(tx, campaign.id))).toMatchObject({ opened: 1, claimed: 1 })
    nowMs = card!.lockedUntilMs - 1
    expect((await json(Pack, await phone.get('/employee/pack'))).cards[0]).toMatchObject({
      view: 'locked',
      opened: true,
    })
    nowMs += 1
    expect((await json(Pack, await phone.get('/employee/pack'))).cards[0]).toMatchObject({ view: 'active' })
  })

  test('another employee’s card, another company’s campaign and unknown ids are the same 404', async () => {
    const [mine, theirs] = [await signedIn('ZhangSan'), await signedIn('LiSi')]
    const [card] = (await json(Pack, await theirs.get('/employee/pack'))).cards
    expect(await codeOf(await mine.get(`/employee/cards/${card!.id}`))).toEqual([404, 'not_found'])
    const other = await aCompany(database, { sandbox: box })
    const [person] = await somePeople(database, other.id, [{ name: '王五', userid: 'hr' }])
    const away = await anIssuedCampaign(database, other, [person!], { issuerPrefix: '6231' })
    const strange = await mine.send('POST', `/employee/campaigns/${away.id}/opened`)
    expect(await codeOf(strange)).toEqual([404, 'not_found'])
    expect(await codeOf(await mine.get('/employee/cards/crd_0000000000000'))).toEqual([404, 'not_found'])
    expect(await codeOf(await mine.get('/employee/cards/nonsense'))).toEqual([422, 'malformed_request'])
  })

  test('a card that is found before its message is shown, and its message is not called opened', async () => {
    const phone = await signedIn('LiSi')
    const opened = await phone.send('POST', `/employee/campaigns/${campaign.id}/opened`)
    expect(((await opened.json()) as { cardId: string }).cardId).toMatch(/^crd_/)
    expect(await database.tx((tx) => readDeliveryCounts(tx, campaign.id))).toMatchObject({ pending: 2, opened: 0 })
  })

  test('a colleague who is not on the list is told so, as a page in a browser and as a problem elsewhere', async () => {
    const { back, browser } = await arrive('Stranger')
    expect(await codeOf(back)).toEqual([403, 'not_on_staff_list'])
    expect((await browser.get('/employee/pack')).status).toBe(401)
    const page = await arrive('Stranger', 'qinghe', { accept: 'text/html' })
    expect([page.back.status, page.back.headers.get('location')]).toEqual([
      302,
      '/pack/?problem=not_on_staff_list&company=qinghe',
    ])
  })

  test('whoever came from a claim page goes back there when WeCom does not know them as staff; staff are let in', async () => {
    const claim = '/pack/claim/0123456789ABCDEFGHJKMNPQRS?from=wecom'
    const comeBack = async (as: string): Promise<[string | null, number]> => {
      const browser = aBrowser(web.base)
      const away = await browser.get(`/employee/sign-in/qinghe?return=${encodeURIComponent(claim)}`)
      const there = await browser.get(
        `${away.headers.get('location')!.replace('#wechat_redirect', '')}&as=${encodeURIComponent(as)}`,
      )
      const back = await browser.get(there.headers.get('location')!)
      return [back.headers.get('location'), (await browser.get('/employee/pack')).status]
    }
    expect(await comeBack('ZhangSan')).toEqual([claim, 200])
    expect(await comeBack('Stranger')).toEqual([claim, 401])
    expect(await comeBack('~outsider')).toEqual([claim, 401])
    const { back } = await arrive('~outsider')
    expect(await codeOf(back)).toEqual([403, 'sign_in_not_allowed'])
  })

  test('nobody, somebody who left and somebody who signed out see nothing', async () => {
    for (const path of ['/employee/session', '/employee/pack', '/employee/cards/crd_0000000000000'])
      expect(await codeOf(await aBrowser(web.base).get(path))).toEqual([401, 'unauthenticated'])
    const phone = await signedIn('ZhangSan')
    expect((await phone.send('DELETE', '/employee/session')).status).toBe(204)
    expect((await phone.get('/employee/pack')).status).toBe(401)
    const left = await signedIn('LiSi')
    await database.tx((tx) => change(tx.em, "update person set state = 'left' where id = ?", [campaign.personIds[1]]))
    expect((await left.get('/employee/pack')).status).toBe(401)
    expect(await codeOf((await arrive('LiSi')).back)).toEqual([403, 'not_on_staff_list'])
  })
})

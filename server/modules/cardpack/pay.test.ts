import { text } from 'node:stream/consumers'
import { fromBufferPromise } from 'yauzl'
import { passAdapter } from '../../channels/pass/adapter.ts'
import { PassFile } from '../../channels/pass/pass-file.ts'
import { aPassFile } from '../../testing/passes.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CardDetail, LatestPurchase, Pack, PackShops, ShownPayCode } from '../../../contract/employee/pack.ts'
import { fen } from '../../../contract/fen.ts'
import type { Id } from '../../../contract/ids.ts'
import { startWecomSandbox, type WecomSandbox } from '../../../sandbox/wecom/server.ts'
import { change } from '../../kernel/sql.ts'
import { anIssuedCampaign, somePeople, type TestCampaign } from '../../testing/campaigns.ts'
import { aCompany, type TestCompany } from '../../testing/companies.ts'
import { onBothDatabases } from '../../testing/databases.ts'
import { act, actOf, aTill } from '../../testing/tills.ts'
import { aBrowser, startWeb, type Browser, type Web } from '../../testing/web.ts'
import { wecomOf } from '../../testing/wecom.ts'
import { claimGift } from '../gift/claim-gift.ts'
import { offerGift } from '../gift/offer-gift.ts'
import { readGivenGift } from '../gift/read-gifts.ts'
import { createMerchant } from '../merchant/create-merchant.ts'
import { createShop } from '../merchant/create-shop.ts'
import type { Till, TillAct } from '../redemption/till-acts.ts'
import { cardpackEndpoints } from './endpoints.ts'

const passes = PassFile.parse(aPassFile())
async function readPass(bytes: Buffer): Promise<Record<string, unknown>> {
  const zip = await fromBufferPromise(bytes, { lazyEntries: true, autoClose: false })
  for await (const entry of zip.eachEntry())
    if (entry.fileName === 'pass.json') return JSON.parse(await text(await zip.openReadStreamPromise(entry))) as never
  return {}
}

onBothDatabases('paying from the pack', (database) => {
  let box: WecomSandbox
  let web: Web
  let nowMs: number
  let company: TestCompany
  let campaign: TestCampaign
  let phone: Browser
  let card: Id<'card'>
  let till: Till
  beforeEach(async () => {
    nowMs = Date.now() + 60_000
    box = await startWecomSandbox({ now: () => nowMs })
    const ports = { wecom: wecomOf(box, { now: () => nowMs }), pass: passAdapter(passes) }
    web = await startWeb(database, { endpoints: cardpackEndpoints, ports, now: () => nowMs })
    const staff = ['ZhangSan', 'LiSi'].map((userid) => ({ userid, name: userid }))
    company = await aCompany(database, { code: 'qinghe', sandbox: box, staff })
    const people = await somePeople(
      database,
      company.id,
      staff.map(({ userid, name }) => ({ name, userid })),
    )
    campaign = await anIssuedCampaign(database, company, people)
    phone = await signedIn('ZhangSan')
    card = (await packOf(phone))[0]!.id
    till = await aTill(database, campaign.brandId)
  })
  afterEach(async () => {
    await web.close()
    await box.close()
  })

  async function signedIn(userid: string): Promise<Browser> {
    const browser = aBrowser(web.base)
    const away = await browser.get('/employee/sign-in/qinghe')
    const there = await browser.get(`${away.headers.get('location')!.replace('#wechat_redirect', '')}&as=${userid}`)
    await browser.get(there.headers.get('location')!)
    return browser
  }
  const packOf = async (browser: Browser) => Pack.parse(await (await browser.get('/employee/pack')).json()).cards
  const detailOf = async (browser: Browser, id = card) =>
    CardDetail.parse(await (await browser.get(`/employee/cards/${id}`)).json())
  const codeAt = async (path: string) => ShownPayCode.parse(await (await phone.send('POST', path)).json())
  const refusal = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code]
  const set = (text: string, values: readonly unknown[]) => database.tx((tx) => change(tx.em, text, values))
  const latest = async (sinceMs: number, by = phone) =>
    LatestPurchase.parse(await (await by.get(`/employee/purchases/latest?sinceMs=${sinceMs}`)).json()).purchase
  const pay = async (code: string, yuan: number, capture = true) => {
    const what = {
      kind: 'authorise',
      on: { codes: [code] },
      billFen: fen(yuan * 100),
      capture,
      partial: false,
      ref: null,
    }
    const [outcome] = await act(database, [actOf(till, what as TillAct['act'])], () => nowMs)
    return outcome?.ok === true ? outcome.view : expect.fail(JSON.stringify(outcome))
  }

  test('a code pays at a till; the receipt and the history name the shop, on this phone alone', async () => {
    const shown = await codeAt(`/employee/cards/${card}/pay-code`)
    expect([shown.code.length, shown.expiresAtMs - shown.nowMs]).toEqual([52, 60_000])
    expect(await latest(shown.nowMs)).toBeNull()
    const { id } = await pay(shown.code, 120)
    expect(await latest(shown.nowMs)).toMatchObject({
      id,
      state: 'captured',
      shopName: '一店',
      billFen: 12_000,
      cards: [{ cardId: card, capturedFen: 12_000, refundedFen: 0, heldFen: 0, balanceFen: 38_000 }],
    })
    expect(await latest(shown.nowMs, await signedIn('LiSi'))).toBeNull()
    await act(database, [actOf(till, { kind: 'refund', redemptionId: id, amountFen: fen(2_000) })], () => nowMs)
    const { activities, balanceFen } = await detailOf(phone)
    expect(balanceFen).toBe(40_000)
    expect(activities.map(({ kind, amountFen, shopName }) => [kind, amountFen, shopName])).toEqual([
      ['capture_refund', 2_000, '一店'],
      ['capture', -12_000, '一店'],
      ['issue', 50_000, null],
    ])
    nowMs += 1
    expect(await latest(nowMs)).toBeNull()
  })

  test('the pack’s own code pays from what its holder has of the brand; what is set aside is told as such', async () => {
    const shown = await codeAt('/employee/pay-code')
    await pay(shown.code, 500, false)
    expect(await latest(shown.nowMs)).toMatchObject({ state: 'held', cards: [{ heldFen: 50_000, capturedFen: 0 }] })
    expect((await packOf(phone))[0]).toMatchObject({ balanceFen: 50_000, heldFen: 50_000, brandId: campaign.brandId })
    for (const path of [`/employee/cards/${card}/pay-code`, '/employee/pay-code'])
      expect(await refusal(await phone.send('POST', path))).toEqual([409, 'card_value_short'])
  })

  test('a card that cannot pay shows no code, in the words of the till; anybody else’s is not found', async () => {
    const path = `/employee/cards/${card}/pay-code`
    const stands = async (text: string, value: unknown) => {
      await set(`update card set ${text} where id = ?`, [value, card])
      return (await refusal(await phone.send('POST', path)))[1]
    }
    expect(await stands('locked_until_ms = ?', nowMs + 1)).toBe('card_locked')
    expect(await stands('locked_until_ms = 0, expires_at_ms = ?', nowMs)).toBe('card_expired')
    expect(await stands('expires_at_ms = null, state = ?', 'frozen')).toBe('card_frozen')
    await set("update card set state = 'active' where id = ?", [card])
    const other = await signedIn('LiSi')
    expect(await refusal(await other.send('POST', path))).toEqual([404, 'not_found'])
    expect(await refusal(await other.send('POST', `/employee/cards/${card}/shops`, {}))).toEqual([404, 'not_found'])
    for (const bad of ['', 'x', '-1', '1.5'])
      expect((await phone.get(`/employee/purchases/latest?sinceMs=${bad}x`)).status).toBe(422)
  })

  test('whoever gets a card from somebody else does not see where it was spent before', async () => {
    await pay((await codeAt(`/employee/cards/${card}/pay-code`)).code, 120)
    await set('update company set gift_depth = 1 where id = ?', [company.id])
    const [giver, receiver] = campaign.personIds.map((holderId) => ({ companyId: company.id, holderId }))
    await database
      .edge({} as never, undefined, () => nowMs)
      .tx(async (tx) => {
        const giftId = await offerGift(tx, giver!, { cardId: card, cover: 'thanks', greeting: '给你' })
        const { path } = await readGivenGift(tx, giver!, giftId)
        await claimGift(tx, receiver!, path!.split('/').at(-1)!)
      })
    const other = await signedIn('LiSi')
    expect(await latest(0, other)).toBeNull()
    const shown = await detailOf(other)
    expect(shown).toMatchObject({
      campaignId: null,
      title: null,
      balanceFen: 38_000,
      cover: 'thanks',
      giverName: 'ZhangSan',
      greeting: '给你',
    })
    expect(shown.activities.map(({ kind }) => kind)).toEqual(['gift'])
    expect((await phone.get(`/employee/cards/${card}`)).status).toBe(404)
  })

  test('the last day of a card goes into a calendar, in the company’s time and the reader’s language', async () => {
    const path = `/employee/cards/${card}/reminder`
    expect(await refusal(await phone.get(path))).toEqual([409, 'state_conflict'])
    expect(await refusal(await (await signedIn('LiSi')).get(path))).toEqual([404, 'not_found'])
    await set('update card set expires_at_ms = ? where id = ?', [Date.parse('2027-01-01T00:00:00+08:00'), card])
    const answer = await phone.get(path)
    expect(answer.headers.get('content-type')).toMatch(/^text\/calendar/)
    const text = (await answer.text()).replaceAll('\r\n ', '')
    expect(text).toContain('DTSTART;VALUE=DATE:20261231\r\n')
    expect(text).toContain(`URL:${web.base}/pack/cards/${card}\r\n`)
    expect(text).toMatch(/SUMMARY:青禾福利卡（尾号 \d{4}）今天到期/)
  })

  test('a card goes to the Wallet while a certificate is good, without its secret, and to its holder alone', async () => {
    const path = `/employee/cards/${card}/pass`
    const offered = async () => ((await (await phone.get('/employee/session')).json()) as { passes: boolean }).passes
    expect([await offered(), await refusal(await phone.get(path))]).toEqual([false, [404, 'not_found']])
    database.house = { ...database.house, passesUntilMs: passes.untilMs }
    expect(await offered()).toBe(true)
    expect(await refusal(await (await signedIn('LiSi')).get(path))).toEqual([404, 'not_found'])
    await set('update card set expires_at_ms = ? where id = ?', [Date.parse('2027-01-01T00:00:00+08:00'), card])
    const answer = await phone.get(path)
    expect(answer.headers.get('content-type')).toBe('application/vnd.apple.pkpass')
    expect(answer.headers.get('cache-control')).toContain('no-store')
    const pass = await readPass(Buffer.from(await answer.arrayBuffer()))
    const { number } = await detailOf(phone)
    expect(pass).toMatchObject({
      serialNumber: card,
      organizationName: '青禾',
      expirationDate: '2026-12-31T16:00:00.000Z',
      barcodes: [{ message: `${web.base}/pack/cards/${card}` }],
    })
    expect(pass['storeCard']).toMatchObject({
      primaryFields: [{ value: '¥500.00' }],
      secondaryFields: [{ value: number.replace(/(.{4})(?=.)/g, '$1 ') }, { value: '2026-12-31' }],
    })
    nowMs = passes.untilMs
    phone = await signedIn('ZhangSan')
    expect([await offered(), await refusal(await phone.get(path))]).toEqual([false, [404, 'not_found']])
  })

  test('shops come by distance from a place, and by city without one; closed ones do not', async () => {
    await database.tx(async (tx) => {
      const merchantId = await createMerchant(tx, { brandId: campaign.brandId, name: '青禾门店' })
      const at = (name: string, city: string, place: { latitudeE6: number | null; longitudeE6: number | null }) =>
        createShop(tx, merchantId, { name, city, address: `${city} 1 号`, ...place, phone: null, hours: '09:00–21:00' })
      await at('近店', '上海', { latitudeE6: 31_231_000, longitudeE6: 121_474_000 })
      await at('远店', '上海', { latitudeE6: 31_330_000, longitudeE6: 121_474_000 })
      await at('无坐标', '上海', { latitudeE6: null, longitudeE6: null })
    })
    const ask = async (body: object) =>
      PackShops.parse(await (await phone.send('POST', `/employee/cards/${card}/shops`, body)).json())
    const near = await ask({ near: { latitudeE4: 312_300, longitudeE4: 1_214_740 } })
    expect(near.shops.map(({ name, distanceMetres }) => [name, distanceMetres])).toEqual([
      ['近店', 111],
      ['远店', 11_119],
      ['无坐标', null],
      ['一店', null],
    ])
    expect(near.city).toBeNull()
    const usual = await ask({})
    expect(usual).toMatchObject({
      city: '上海',
      cities: [
        { city: '上海', shops: 3 },
        { city: '苏州', shops: 1 },
      ],
    })
    expect(usual.shops.every(({ distanceMetres }) => distanceMetres === null)).toBe(true)
    expect((await ask({ city: '苏州' })).shops.map(({ name }) => name)).toEqual(['一店'])
    expect((await ask({ city: '没有这座城' })).city).toBe('上海')
    await set("update shop set state = 'closed' where name = ?", ['近店'])
    expect((await ask({})).shops.map(({ name }) => name)).not.toContain('近店')
    for (const bad of [{ near: { latitudeE4: 900_001, longitudeE4: 0 } }, { near: {} }, { city: 'x'.repeat(41) }])
      expect((await phone.send('POST', `/employee/cards/${card}/shops`, bad)).status).toBe(422)
  })
})

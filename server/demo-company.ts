import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fen } from '../contract/fen.ts'
import { FilingEntry } from '../contract/operator/filing.ts'
import { PlatformFile } from '../contract/operator/platform-file.ts'
import { addDays } from '../contract/wall-clock.ts'
import { readStaffList } from '../importers/staff-list.ts'
import { applyPlatform } from './apply-platform.ts'
import { demoCoffees, demoGifts } from './demo-shelf.ts'
import { addDemoClerks, demoMerchants } from './demo-shops.ts'
import type { Outside } from './house.ts'
import { CHINA, dayOf } from './kernel/company-day.ts'
import type { Edge } from './kernel/context.ts'
import { findBrandByPrefix } from './modules/catalog/change-brand.ts'
import { readFilingVersion } from './modules/catalog/read-filing.ts'
import { readTermsAt } from './modules/catalog/read-terms.ts'
import { setFiling } from './modules/catalog/set-filing.ts'
import { setTerms } from './modules/catalog/set-terms.ts'
import { enterBalance } from './modules/compliance/enter-cover.ts'
import { createOperator } from './modules/company/create-operator.ts'
import { findCompanyByCode, findCompanyByCorpId } from './modules/company/read-company.ts'
import { findOperatorByKey } from './modules/company/read-operator.ts'
import { readConnection } from './modules/company/read-wecom-app.ts'

const yuan = (amount: number): number => amount * 100
const demoName = '青禾制造（演示）'
/** The people who use the demo company's console; their userids sign in on the sandbox. */
const demoMembers = [
  { name: '林晓', userid: 'linxiao', roles: ['hr'] },
  { name: '周敏', userid: 'zhoumin', roles: ['approver'] },
  { name: '陈立', userid: 'chenli', roles: ['finance'] },
  { name: '管理员', userid: 'admin', roles: ['admin'] },
]

/** What the demo starts with, in the form of an operator's file. The company may pay by WeChat (`non_cash`). */
function demoFile(outside: Outside, nowMs: number): PlatformFile {
  const [first, second] = outside.world.merchants
  const collects = (merchant: typeof first) =>
    merchant === undefined ? null : { mchid: merchant.mchid, appid: merchant.appid }
  const card = { named: true, stepFen: 1, validDays: null, scope: '全国门店及线上商城通用，不兑现' }
  return PlatformFile.parse({
    companies: [
      {
        code: 'demo',
        name: demoName,
        paymentRoute: 'non_cash',
        wecom: outside.world.wecom,
        members: demoMembers,
      },
    ],
    brands: [
      {
        name: '青禾优选',
        issuerPrefix: '6230',
        wechatPay: collects(first),
        templates: [
          { ...card, name: '节日礼品卡', minFaceFen: yuan(1), maxFaceFen: yuan(5000), cover: 'mid_autumn' },
          {
            ...card,
            name: '生日卡',
            faces: [yuan(200), yuan(300), yuan(500)],
            minFaceFen: yuan(200),
            maxFaceFen: yuan(500),
            cover: 'birthday',
          },
        ],
        merchants: [...demoMerchants],
      },
      {
        name: '沐光咖啡',
        issuerPrefix: '6231',
        wechatPay: collects(second),
        templates: [
          {
            ...card,
            name: '咖啡畅饮卡',
            named: false,
            validDays: 1095,
            minFaceFen: yuan(30),
            maxFaceFen: yuan(1000),
            cover: 'thanks',
            scope: '沐光咖啡直营门店',
          },
        ],
      },
      // What companies give comes first wherever templates are chosen from.
      { name: '青禾优选', issuerPrefix: '6230', wechatPay: collects(first), templates: demoGifts(nowMs) },
      { name: '沐光咖啡', issuerPrefix: '6231', wechatPay: collects(second), templates: demoCoffees },
    ],
  })
}

/** What the demo's brands leave to the platform and a channel of a card's price, in basis points, and after how long. */
const demoTerms = [
  { issuerPrefix: '6230', platformBp: 400, channelBp: 200, holdMs: 10 * 60_000 },
  { issuerPrefix: '6231', platformBp: 600, channelBp: 300, holdMs: 10 * 60_000 },
] as const

/** Gives the demo's brands terms, unless somebody has given them some: a newcomer sees money being shared. */
async function agreeTerms(edge: Edge, outside: Outside): Promise<void> {
  const channels = outside.world.merchants.filter((merchant) => merchant.role === 'channel')
  for (const [index, { issuerPrefix, platformBp, channelBp, holdMs }] of demoTerms.entries()) {
    const channel = channels[index]
    await edge.tx(async (tx) => {
      const brand = await findBrandByPrefix(tx, issuerPrefix)
      if (brand === null) return
      const known = (await readTermsAt(tx, [brand.id], tx.clock.now())).get(brand.id)
      if (known === undefined || known.number > 0) return
      const { collector, maxRatioBp } = known
      const shared = channel
        ? [{ code: `c${index + 1}`, name: channel.shortName, mchid: channel.mchid, bp: channelBp }]
        : []
      await setTerms(tx, {
        brandId: brand.id,
        collector,
        platformBp,
        channels: shared,
        maxRatioBp,
        holdMs,
        walletCredit: false,
      })
    })
  }
}

const demoFilings = [
  { issuerPrefix: '6230', class: 'scale', number: '440300AAA0001', custodyAccount: '6222000011110001' },
  { issuerPrefix: '6231', class: 'brand', number: '440300AAB0002', custodyAccount: '6222000011110002' },
] as const

/** Gives the demo's issuers a filing and a confirmed balance, unless somebody has filed them: there is custody to look at. */
async function fileIssuers(edge: Edge): Promise<void> {
  for (const { issuerPrefix, ...filing } of demoFilings)
    await edge.tx(async (tx) => {
      const brand = await findBrandByPrefix(tx, issuerPrefix)
      if (brand === null || (await readFilingVersion(tx, brand.id)) > 0) return
      const facts = { filedDay: '2025-03-01', custodyBank: '沙箱银行深圳分行' }
      await setFiling(tx, brand.id, FilingEntry.parse({ ...facts, ...filing }))
      const day = addDays(dayOf(tx.clock.now(), CHINA), -1)
      await enterBalance(tx, { brandId: brand.id, day, fen: fen(yuan(500_000)), document: '沙箱回单 0001' })
    })
}

/** A demo company that somebody has connected otherwise by now (by one of our suites) stays connected that way. */
async function demoToApply(edge: Edge, outside: Outside): Promise<PlatformFile> {
  const file = demoFile(outside, edge.clock.now())
  const kind = await edge.read(async (tx) => {
    const demo = await findCompanyByCode(tx, 'demo')
    return demo && (await readConnection(tx, demo.id))?.kind
  })
  if (kind === null || kind === undefined || kind === 'self_built') return file
  return { ...file, companies: file.companies.map(({ wecom: _stays, ...company }) => ({ ...company, members: [] })) }
}

/**
 * Makes the sandbox usable at once: the demo company, its brands, shops and clerks, the platform operator, and in the sandbox's WeCom the
 * console's people and those of the sample list. A second time it changes nothing.
 */
export async function prepareDemo(edge: Edge, outside: Outside): Promise<void> {
  await applyPlatform(edge, await demoToApply(edge, outside), false)
  await agreeTerms(edge, outside)
  await fileIssuers(edge)
  await addDemoClerks(edge)
  await edge.tx(async (tx) => {
    const key = outside.world.operatorKey
    if ((await findOperatorByKey(tx, key)) === null)
      await createOperator(tx, { name: '平台运营', roles: ['ops', 'risk', 'finance', 'admin'], key })
  })
  await fillDirectory(outside, new URL(edge.house.publicUrl).host)
}

/**
 * Tells the sandbox where we listen, as one would fill it into the consoles of WeCom and WeChat: the callback of the demo
 * company's app, those of our suites, so that installing works at once, and that of our service account. It verifies each address, so the web side must be up. What
 * it does not take is logged: the rest of the demo works without.
 */
export async function tellAddresses(edge: Edge, outside: Outside): Promise<void> {
  const { publicUrl } = edge.house
  const { corpId, callback } = outside.world.wecom
  const demo = await edge.read((tx) => findCompanyByCorpId(tx, corpId))
  const tell = async (path: string, form: object, url = outside.wecomUrl): Promise<void> => {
    const answer = await control(url, path, form).catch(() => null)
    if (answer?.ok !== true) edge.log.warn({ path }, 'the sandbox does not reach our callback address')
  }
  const { appid } = outside.world.wechat
  const domains = [new URL(publicUrl).host]
  await tell('/apps', { appid, domains, homeUrl: `${publicUrl}/shop/` }, outside.wechatUrl)
  await tell('/callback', { appid, url: `${publicUrl}/notify/wechat` }, outside.wechatUrl)
  if (demo !== null) await tell('/callback', { corpId, ...callback, url: `${publicUrl}/callback/wecom/${demo.id}` })
  for (const { suiteId } of edge.house.wecomSuites) {
    const address = `${publicUrl}/callback/wecom-suite/${suiteId}`
    await tell('/suites/callbacks', {
      suiteId,
      commandUrl: `${address}/command`,
      dataUrl: `${address}/data/$CORPID$`,
      trustedDomains: [new URL(publicUrl).host],
    })
  }
}

const control = (url: string, path: string, form: object): Promise<Response> =>
  fetch(`${url}/__ctl${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(form),
  })

/** Puts the people of samples/rosters/clean-200.xlsx into the sandbox's WeCom, as a company would have them there. */
async function fillDirectory(outside: Outside, trusted: string): Promise<void> {
  const path = join(import.meta.dirname, '../samples/rosters/clean-200.xlsx')
  const list = await readStaffList(await readFile(path), { fileName: 'clean-200.xlsx' })
  const staff = list.people.flatMap((person, index) => {
    const userid = person.wecomUserId ?? (person.phone === null ? null : `staff${index + 1}`)
    return userid === null ? [] : [{ userid, name: person.name, mobile: person.phone }]
  })
  const { corpId, agentId, secret, accountLimit } = outside.world.wecom
  const members = [...demoMembers.map(({ userid, name }) => ({ userid, name, mobile: null })), ...staff]
  const corp = { name: demoName, corpId, agentId, secret, accountLimit, trustedDomains: [trusted], members }
  const answer = await control(outside.wecomUrl, '/corps', corp)
  if (!answer.ok) throw new Error(`the sandbox's WeCom does not take its people: ${answer.status}`)
}

import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto'
import { setImmediate as breathe } from 'node:timers/promises'
import { fen } from '../../../contract/fen.ts'
import { encodeId, type Id } from '../../../contract/ids.ts'
import { wechatPayInProcess, type InProcessPay } from '../../../sandbox/testing/in-process.ts'
import type { Ports } from '../../channels/ports.ts'
import { wechatPayAdapter } from '../../channels/wechatpay/adapter.ts'
import type { WechatPayTrade } from '../../channels/wechatpay-port.ts'
import type { Edge } from '../../kernel/context.ts'
import { sql } from '../../kernel/sql.ts'
import { createBrand } from '../../modules/catalog/create-template.ts'
import { setTerms } from '../../modules/catalog/set-terms.ts'
import { acceptNotices } from '../../modules/funding/accept-notices.ts'
import { openPayment, payFromWalletInFull } from '../../modules/funding/open-payment.ts'
import { issueOrders } from '../../modules/issuance/issue-order.ts'
import { placeOrder } from '../../modules/order/place-order.ts'
import { aTemplate } from '../cards.ts'
import { aCompany, type TestCompany } from '../companies.ts'
import type { TestDatabase } from '../databases.ts'
import { testHouse } from '../house.ts'
import { platformMerchant } from '../paying.ts'

/** A card of an order of its own: nothing but its rival stands in its way. */
export interface Runner {
  readonly orderId: Id<'order'>
  readonly cardId: Id<'card'>
  readonly lockedUntilMs: number
}

/** A company with money, a brand, and a WeChat Pay of its own on a clock that only we move. */
export interface RaceStage {
  readonly database: TestDatabase
  readonly company: TestCompany
  readonly pay: InProcessPay
  readonly edge: (nowMs?: number) => Edge
  readonly template: Id<'templateVersion'>
  /** Paid trades of which a notice came. */
  readonly heard: WechatPayTrade[]
  readonly ctl: (path: string, body?: unknown) => Promise<Record<string, unknown>>
}

const PRICE = 10_000
const DAY_MS = 86_400_000
/** WeChat Pay's numbers carry the day: two that know nothing of each other live far apart. */
const DAYS_APART = 1_000
const START_MS = Date.UTC(2026, 8, 14, 2)
/** How long WeChat Pay takes for a share or a refund: all the time while its clock stands. */
const LATENCY_MS = 1_000
/** Turns of the event loop that a message takes, at most. */
const ON_THE_WAY = 3

/** Short keys: they are signed and verified with like any, in a tenth of the time. */
const shortKeys = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 1024,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
const pair = shortKeys()
const { publicKey, privateKey } = shortKeys()
const platformKey = { id: 'PUB_KEY_ID_0100000000000000000000000001', publicPem: publicKey, privatePem: privateKey }
let stages = 0

/** Opens one; any number of them race on the same database. */
export async function openRaceStage(database: TestDatabase, coolingOffMs: number): Promise<RaceStage> {
  const number = (stages += 1)
  const terms = { feeBp: () => 60, settlementWindowMs: 1_000, sharesPerSecond: 1_000_000 }
  database.house = testHouse({ ...database.house, wechatPay: { platform: platformMerchant, ...terms } })
  const company = await aCompany(database, { walletFen: 1_000_000_000_000 })
  const merchant = { mchid: String(1_901_000_000 + number), appid: platformMerchant.appid }
  const { pay, ctl, ports, heard } = await openWechatPay(merchant, START_MS + number * DAYS_APART * DAY_MS)
  const edge = (nowMs?: number): Edge => database.edge(ports, company.as('finance'), () => nowMs ?? pay.clock.now())
  const template = await edge().tx(async (tx) => {
    const issuerPrefix = String(8_000_000 + number)
    const brandId = await createBrand(tx, { name: `竞赛 ${number}`, issuerPrefix, wechatPay: merchant })
    const money = { collector: 'brand', platformBp: 500, channels: [], maxRatioBp: 3000 } as const
    await setTerms(tx, { brandId, ...money, holdMs: 0, walletCredit: false })
    return aTemplate(tx, brandId, { coolingOffMs })
  })
  return { database, company, pay, edge, template, ctl, heard }
}

/** The sandbox inside this process behind the real adapter, with one merchant beside ours. */
async function openWechatPay(merchant: { readonly mchid: string; readonly appid: string }, startMs: number) {
  const heard: WechatPayTrade[] = []
  const pay = wechatPayInProcess(startMs, {
    platformKey,
    post: async (_url, init) => {
      const notice = await wechatPay.openNotice(
        Object.fromEntries(new Headers(init.headers)),
        Buffer.from(String(init.body)),
      )
      heard.push(...notice.trades)
      return new Response(null, { status: 204 })
    },
  })
  const merchants = [platformMerchant, merchant].map(({ mchid, appid }) => ({
    mchid,
    appid,
    certSerial: `AA${mchid}`,
    privateKeyPem: pair.privateKey,
    apiV3Key: mchid.padEnd(32, '0'),
  }))
  const wechatPay = wechatPayAdapter({
    baseUrl: 'http://pay.sandbox',
    merchants,
    platformKeys: { [platformKey.id]: platformKey.publicPem },
    notifyUrl: 'http://house/notify/wechatpay',
    now: () => pay.clock.now(),
    random: randomBytes,
    fetch: async (url, init) => {
      await pause(ON_THE_WAY)
      const answer = await pay.fetch(url, init)
      await pause(ON_THE_WAY)
      return answer
    },
  })
  const ctl: RaceStage['ctl'] = async (path, body) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const answer = await pay.fetch(`http://pay.sandbox/__ctl/${path}`, init)
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }
  for (const { mchid, appid, certSerial, apiV3Key } of merchants)
    await ctl('merchants', { mchid, appid, certSerial, apiV3Key, publicKeyPem: pair.publicKey, shortName: mchid })
  await ctl('money-rules', { shareLatencyMs: LATENCY_MS, refundLatencyMs: LATENCY_MS, acceptReturns: true })
  return { pay, ctl, heard, ports: { wechatPay } as Ports }
}

/** Waits for a few turns of the event loop: what runs beside gets in between. */
export async function pause(most: number): Promise<void> {
  for (let turn = randomInt(0, most + 1); turn > 0; turn -= 1) await breathe()
}

/** Makes cards that nobody is told of, each of an order of its own that is paid from this source. */
export async function makeRunners(stage: RaceStage, source: 'wallet' | 'wechat_pay', count: number): Promise<Runner[]> {
  const edge = stage.edge()
  const item = { templateVersionId: stage.template, faceFen: fen(PRICE), priceFen: fen(PRICE) }
  const orderIds = await edge.tx(async (tx) => {
    const ids: Id<'order'>[] = []
    for (let index = 0; index < count; index += 1) {
      const items = [{ ...item, holderId: encodeId('person', BigInt(index)) }]
      ids.push(await placeOrder(tx, { companyId: stage.company.id, items }))
      if (source === 'wallet') await payFromWalletInFull(tx, ids.at(-1)!)
    }
    return ids
  })
  if (source === 'wechat_pay') await payByWechat(stage, orderIds)
  await issueOrders(edge, orderIds)
  return edge.read((tx) =>
    sql<Runner>(
      tx.em,
      `select order_item.order_id as orderId, card.id as cardId, card.locked_until_ms as lockedUntilMs
        from card join order_item on order_item.id = card.order_item_id
        where order_item.order_id in (${slots(orderIds)}) order by card.id`,
      orderIds,
    ),
  )
}

/** Makes cards of one order, each of another holder: nothing that is done to one of them concerns another. */
export async function makeCards(stage: RaceStage, count: number): Promise<Id<'card'>[]> {
  const edge = stage.edge()
  const item = { templateVersionId: stage.template, faceFen: fen(PRICE), priceFen: fen(PRICE) }
  const orderId = await edge.tx(async (tx) => {
    const items = Array.from({ length: count }, (_, index) => ({
      ...item,
      holderId: encodeId('person', BigInt(index)),
    }))
    const id = await placeOrder(tx, { companyId: stage.company.id, items })
    await payFromWalletInFull(tx, id)
    return id
  })
  await issueOrders(edge, [orderId])
  const cards = await edge.read((tx) =>
    sql<{ id: Id<'card'> }>(
      tx.em,
      `select card.id as id from card join order_item on order_item.id = card.order_item_id
        where order_item.order_id = ? order by card.holder_id`,
      [orderId],
    ),
  )
  return cards.map(({ id }) => id)
}

/** Places for values in a list of SQL. */
export const slots = (values: readonly unknown[]): string => values.map(() => '?').join(',')

/** Opens a payment for each, lets a payer scan each, and takes the notices together. */
async function payByWechat(stage: RaceStage, orderIds: readonly Id<'order'>[]): Promise<void> {
  const edge = stage.edge()
  const wish = { source: 'wechat_pay', amountFen: fen(PRICE) } as const
  const ids = await eachOf(stage, orderIds, (orderId) => openPayment(edge, { ...wish, orderId }, orderId))
  const rows = await edge.read((tx) =>
    sql<{ mchid: string; outTradeNo: string }>(
      tx.em,
      `select mchid, out_trade_no as outTradeNo from payment where id in (${slots(ids)})`,
      ids,
    ),
  )
  for (const row of rows) await stage.ctl('pay', { ...row, outcome: 'success' })
  await stage.pay.clock.advance(0)
  const trades = stage.heard.splice(0)
  if (trades.length !== orderIds.length) throw new Error(`${trades.length} notices of ${orderIds.length} payments came`)
  await edge.tx((tx) => acceptNotices(tx, trades))
}

/** At once where the database lets them, else one after the other. */
export async function eachOf<T, R>(
  { database }: Pick<RaceStage, 'database'>,
  list: readonly T[],
  work: (one: T, index: number) => Promise<R>,
): Promise<R[]> {
  if (database.dialect === 'mysql') return Promise.all(list.map(work))
  const done: R[] = []
  for (const [index, one] of list.entries()) done.push(await work(one, index))
  return done
}
